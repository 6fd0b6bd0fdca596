#include "format/liquibase/change/serialize.h"

#include <string.h>

#define LINE_MAX_BYTES ((size_t) 256 << 20)
#define INDENT "    "

/* The lines of one object: a set, in the order of their text. */
typedef struct Lines {
        char **items;
        size_t n;
} Lines;

static void lines_done(Lines *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i]);
        free(l->items);
}

static void indent(Text *t, unsigned depth)
{
        while (depth-- > 0)
                text_add(t, INDENT);
}

static int compare_lines(const void *a, const void *b)
{
        return java_compare(*(char *const *) a, *(char *const *) b);
}

static int add_object(Text *out, const Object *o, const ChangeType *type, int version,
                      unsigned depth, Error *err);

static int add_list(Text *out, const Field *f, int version, unsigned depth, Error *err)
{
        if (f->n_items == 0) {
                text_add(out, "[]");
                return 0;
        }
        text_add(out, "[\n");
        for (size_t i = 0; i < f->n_items; i++) {
                indent(out, depth);
                int r = add_object(out, f->items[i], NULL, version, depth + 1, err);

                if (r < 0)
                        return r;
                text_add(out, i + 1 < f->n_items ? ",\n" : "\n");
        }
        indent(out, depth - 1);
        text_addc(out, ']');
        return 0;
}

/* Whether a checksum of the version covers the field, and under which name. */
static const char *summed_name(const Field *f, const ChangeType *type, int version)
{
        if (f->unsummed)
                return NULL;
        for (const ChangeParam *p = type ? type->params : NULL; p && p->name; p++)
                if (strcmp(p->name, f->name) == 0 && (p->flags & PARAM_UNSUMMED_9) && version >= 9)
                        return NULL;
        return strcmp(f->name, "procedureText") == 0 ? "procedureBody" : f->name;
}

static int add_line(Lines *lines, const Field *f, const char *name, int version, unsigned depth,
                    Error *err)
{
        _cleanup_text_ Text line = TEXT_INIT(LINE_MAX_BYTES);
        int r = 0;

        indent(&line, depth);
        switch (f->kind) {
        case FIELD_TEXT:
                text_printf(&line, "%s=\"", name);
                text_add(&line, f->text);
                text_addc(&line, '"');
                break;
        case FIELD_OBJECT: /* without a name */
                r = add_object(&line, f->items[0], NULL, version, depth + 1, err);
                break;
        case FIELD_LIST:
                text_printf(&line, "%s=", name);
                r = add_list(&line, f, version, depth + 1, err);
                break;
        }
        if (r < 0)
                return r;
        lines->items[lines->n] = text_take(&line);
        return lines->items[lines->n] ? (int) ++lines->n : error_oom(err, "a checksum");
}

static int add_object(Text *out, const Object *o, const ChangeType *type, int version,
                      unsigned depth, Error *err)
{
        _cleanup_(lines_done)
                Lines lines = { .items = calloc(o->n_fields + 1, sizeof *lines.items) };
        int r = lines.items ? 0 : error_oom(err, "a checksum");

        for (size_t i = 0; r >= 0 && i < o->n_fields; i++) {
                const Field *f = &o->fields[i];
                const char *name = summed_name(f, type, version);

                if (name && (f->kind != FIELD_TEXT || f->text))
                        r = add_line(&lines, f, name, version, depth, err);
        }
        if (r < 0)
                return r;
        if (lines.n > 0)
                qsort(lines.items, lines.n, sizeof *lines.items, compare_lines);
        text_addc(out, '[');
        for (size_t i = 0; i < lines.n; i++)
                if (i == 0 || strcmp(lines.items[i], lines.items[i - 1]) != 0) {
                        text_addc(out, '\n');
                        text_add(out, lines.items[i]);
                }
        if (lines.n > 0)
                text_addc(out, '\n');
        indent(out, depth - 1);
        text_addc(out, ']');
        return 0;
}

int serialize_object(Text *out, const char *name, const Object *o, const ChangeType *type,
                     int version, Error *err)
{
        int r;

        text_printf(out, "%s:", name);
        r = add_object(out, o, type, version, 1, err);
        if (r >= 0 && out->bad)
                return error_oom(err, "a checksum");
        return r;
}
