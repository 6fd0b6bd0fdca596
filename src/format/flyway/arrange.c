#include <ctype.h>
#include <string.h>
#include <time.h>

#include "format/changelog.h"
#include "format/flyway/flyway.h"
#include "util/utf8.h"

/* Versioned and baseline scripts by version, a B before the V of its version; then repeatables; undo scripts last. */
static int group_of(MigrationKind k)
{
        return k == MIGRATION_REPEATABLE ? 1 : k == MIGRATION_UNDO ? 2 : 0;
}

static int compare_keys(const Migration *a, const Migration *b)
{
        if (a->kind == MIGRATION_REPEATABLE)
                return utf8_compare_utf16(a->description, b->description);
        return flyway_version_compare(a->version, b->version);
}

static int compare_migrations(const void *pa, const void *pb)
{
        const Migration *a = pa, *b = pb;
        int r = group_of(a->kind) - group_of(b->kind);

        if (r == 0)
                r = compare_keys(a, b);
        if (r == 0 && a->kind != b->kind)
                r = a->kind == MIGRATION_BASELINE ? -1 : 1;
        return r != 0 ? r : strcmp(a->script, b->script);
}

static int compare_hooks(const void *pa, const void *pb)
{
        const Hook *a = pa, *b = pb;
        int r = (int) a->event - (int) b->event;

        if (r == 0) /* "" comes first */
                r = utf8_compare_utf16(a->script.description, b->script.description);
        return r != 0 ? r : strcmp(a->script.script, b->script.script);
}

static int twice(const Migration *a, const Migration *b, const char *what, const char *which,
                 const char *hint, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "%s %s is there twice: %s and %s", what, which,
                         a->path, b->path);
        (void) error_at(err, b->path, 0, 0);
        return error_hint(err, "%s", hint);
}

static int check_twins(const Changelog *c, Error *err)
{
        for (size_t i = 1; i < c->n_migrations; i++) {
                const Migration *a = &c->migrations[i - 1], *b = &c->migrations[i];

                if (a->kind != b->kind || compare_keys(a, b) != 0)
                        continue;
                if (b->kind == MIGRATION_REPEATABLE)
                        return twice(a, b, "repeatable migration", b->description,
                                     "give one of them another description", err);
                return twice(a, b,
                             b->kind == MIGRATION_UNDO       ? "undo script of version"
                             : b->kind == MIGRATION_BASELINE ? "baseline script of version"
                                                             : "version",
                             b->version, "give one of them another version", err);
        }
        for (size_t i = 1; i < c->n_hooks; i++) {
                const Hook *a = &c->hooks[i - 1], *b = &c->hooks[i];

                if (a->event == b->event &&
                    strcmp(a->script.description, b->script.description) == 0)
                        return twice(&a->script, &b->script, "callback", b->script.id,
                                     "give one of them another description", err);
        }
        return 0;
}

/* Both are in order, so one walk along the versions is enough for all undo scripts. */
static int warn_of_lone_undos(Changelog *c, Error *err)
{
        size_t v = 0;
        int r = 0;

        for (size_t i = 0; i < c->n_migrations && r >= 0; i++) {
                const Migration *undo = &c->migrations[i], *m = c->migrations;
                bool found = false;

                if (undo->kind != MIGRATION_UNDO)
                        continue;
                for (; m[v].version && m[v].kind != MIGRATION_UNDO; v++) {
                        int order = flyway_version_compare(m[v].version, undo->version);

                        found = order == 0 && m[v].kind == MIGRATION_VERSIONED;
                        if (found || order > 0)
                                break;
                }
                if (!found)
                        r = changelog_warn(c, err, "%s undoes nothing: there is no version %s",
                                           undo->script, undo->version);
        }
        return r;
}

int flyway_arrange(Changelog *c, Error *err)
{
        int r;

        if (c->n_migrations)
                qsort(c->migrations, c->n_migrations, sizeof *c->migrations, compare_migrations);
        if (c->n_hooks)
                qsort(c->hooks, c->n_hooks, sizeof *c->hooks, compare_hooks);
        r = check_twins(c, err);
        return r < 0 ? r : warn_of_lone_undos(c, err);
}

/* ---- the next name ---- */

#define TIMESTAMP_LEN 14

/* The digits plus one, in place; room for one digit more is the caller's. */
static void increment(char *digits)
{
        size_t len = strlen(digits), i = len;

        while (i > 0 && digits[i - 1] == '9')
                digits[--i] = '0';
        if (i > 0) {
                digits[i - 1]++;
                return;
        }
        memmove(digits + 1, digits, len + 1);
        digits[0] = '1';
}

static void next_version(char *buf, const Changelog *c)
{
        const char *greatest = "0";
        char now[TIMESTAMP_LEN + 1];
        time_t t = time(NULL);
        struct tm tm;
        size_t len;

        for (size_t i = 0; i < c->n_migrations; i++)
                if (c->migrations[i].version &&
                    flyway_version_compare(c->migrations[i].version, greatest) > 0)
                        greatest = c->migrations[i].version;
        len = strspn(greatest, "0123456789");
        (void) strftime(now, sizeof now, "%Y%m%d%H%M%S", gmtime_r(&t, &tm));
        if (len == TIMESTAMP_LEN && flyway_version_compare(now, greatest) > 0) {
                memcpy(buf, now, sizeof now);
                return;
        }
        memcpy(buf, greatest, len);
        buf[len] = '\0';
        increment(buf);
}

int flyway_new_name(char **ret, const Changelog *c, const char *name, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(FLYWAY_MAX_NAME);
        char version[FLYWAY_MAX_NAME + 2];
        bool gap = false, any = false;

        next_version(version, c);
        text_printf(&t, "V%s__", version);
        for (const char *s = name; *s; s++) {
                unsigned char ch = (unsigned char) *s;

                if (!isalnum(ch) && ch < 0x80) {
                        gap = true;
                        continue;
                }
                if (gap && any)
                        text_addc(&t, '_');
                text_addc(&t, *s);
                gap = false;
                any = true;
        }
        text_add(&t, ".sql");
        if (!any)
                return error_set(err, ERROR_USAGE,
                                 "\"%s\" has no letter or digit to name a file by", name);
        if (t.bad)
                return error_set(err, ERROR_USAGE,
                                 "the name is longer than the %d bytes of a file name",
                                 FLYWAY_MAX_NAME);
        *ret = text_take(&t);
        return *ret ? 0 : error_oom(err, "a file name");
}
