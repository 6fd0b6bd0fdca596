/* What Liquibase writes about a changeset for people: DESCRIPTION and COMMENTS. Facts: liquibase.md 3.2. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/change/checksum.h"

#define DESCRIPTION_MAX ((size_t) 16 << 20)

static bool describes(const char *name)
{
        size_t len = strlen(name);

        if (strcmp(name, "path") == 0)
                return true;
        return len >= 4 && strcasecmp(name + len - 4, "name") == 0 && !strcasestr(name, "schema") &&
               !strcasestr(name, "catalog");
}

static int compare_texts(const void *a, const void *b)
{
        return java_compare(*(const char *const *) a, *(const char *const *) b);
}

static void describe_change(Text *out, Arena *a, const Change *c)
{
        const char *parts[64] = { NULL };
        size_t n = 0;

        text_add(out, c->type->name);
        for (size_t i = 0; i < c->fields.n_fields && n < 64; i++) {
                const Field *f = &c->fields.fields[i];

                if (f->kind != FIELD_TEXT || !f->text || !describes(f->name))
                        continue;
                parts[n] = arena_printf(a, "%s=%s", f->name, f->text);
                n += parts[n] != NULL;
        }
        qsort(parts, n, sizeof *parts, compare_texts);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || strcmp(parts[i], parts[i - 1]) != 0)
                        text_printf(out, "%s%s", i ? ", " : " ", parts[i]);
}

char *changeset_description(Arena *a, const ChangeSet *s)
{
        _cleanup_text_ Text out = TEXT_INIT(DESCRIPTION_MAX);
        char *cut;

        if (s->n_changes == 0)
                return arena_strdup(a, "empty");
        for (size_t i = 0; i < s->n_changes; i++) {
                text_add(&out, i ? "; " : "");
                describe_change(&out, a, &s->changes[i]);
        }
        cut = java_limit(a, text_str(&out), 255);
        return cut ? java_limit(a, cut, 250) : NULL;
}

char *changeset_comments(Arena *a, const ChangeSet *s)
{
        return java_limit(a, s->comments, 250);
}
