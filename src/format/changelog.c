#include "format/changelog.h"

#include <stdarg.h>
#include <string.h>

const char *migration_kind_name(MigrationKind k)
{
        static const char *const names[_MIGRATION_KIND_MAX] = {
                [MIGRATION_VERSIONED] = "versioned", [MIGRATION_REPEATABLE] = "repeatable",
                [MIGRATION_BASELINE] = "baseline",   [MIGRATION_UNDO] = "undo",
                [MIGRATION_CHANGESET] = "changeset",
        };

        return names[k];
}

const char *entry_state_name(EntryState s)
{
        static const char *const names[_ENTRY_STATE_MAX] = {
                [ENTRY_PENDING] = "pending",
                [ENTRY_OUTDATED] = "outdated",
                [ENTRY_APPLIED] = "applied",
                [ENTRY_OUT_OF_ORDER] = "out of order",
                [ENTRY_SUPERSEDED] = "superseded",
                [ENTRY_BASELINE] = "baseline",
                [ENTRY_BELOW_BASELINE] = "below baseline",
                [ENTRY_IGNORED] = "ignored",
                [ENTRY_ABOVE_TARGET] = "above target",
                [ENTRY_MISSING] = "missing",
                [ENTRY_FUTURE] = "future",
                [ENTRY_FAILED] = "failed",
                [ENTRY_UNDONE] = "undone",
                [ENTRY_MARKER] = "marker",
                [ENTRY_FILTERED] = "filtered",
        };

        return names[s];
}

/* Doubles at every power of two, so that no array has to carry its capacity. */
void *array_room(void *array, size_t n, size_t size)
{
        if (n & (n - 1))
                return array;
        return reallocarray(array, n ? 2 * n : 1, size);
}

#define ARRAY_ADD(array, n, value)                                     \
        ({                                                             \
                void *_room = array_room((array), (n), sizeof(value)); \
                if (_room) {                                           \
                        (array) = _room;                               \
                        (array)[(n)++] = (value);                      \
                }                                                      \
                _room != NULL;                                         \
        })

static int add_string(char ***list, size_t *n, char *s, const char *what, Error *err)
{
        if (s && ARRAY_ADD(*list, *n, s))
                return 0;
        free(s);
        return error_oom(err, what);
}

static void free_strings(char **list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(list[i]);
        free(list);
}

__attribute__((__format__(__printf__, 1, 0))) static char *format_string(const char *fmt,
                                                                         va_list ap)
{
        char *s;

        return vasprintf(&s, fmt, ap) < 0 ? NULL : s;
}

void migration_done(Migration *m)
{
        free(m->id);
        free(m->version);
        free(m->description);
        free(m->script);
        free(m->path);
        free(m->checksum);
}

Changelog *changelog_free(Changelog *c)
{
        if (!c)
                return NULL;
        for (size_t i = 0; i < c->n_migrations; i++)
                migration_done(&c->migrations[i]);
        for (size_t i = 0; i < c->n_hooks; i++)
                migration_done(&c->hooks[i].script);
        free_strings(c->warnings, c->n_warnings);
        if (c->model)
                c->format->forget(c->model);
        free(c->migrations);
        free(c->hooks);
        free(c->folder);
        free(c);
        return NULL;
}

int changelog_add(Changelog *c, Migration m, Error *err)
{
        if (ARRAY_ADD(c->migrations, c->n_migrations, m))
                return 0;
        migration_done(&m);
        return error_oom(err, "the list of migrations");
}

int changelog_add_hook(Changelog *c, HookEvent event, Migration script, Error *err)
{
        Hook hook = { .event = event, .script = script };

        if (ARRAY_ADD(c->hooks, c->n_hooks, hook))
                return 0;
        migration_done(&script);
        return error_oom(err, "the list of callbacks");
}

int changelog_warn(Changelog *c, Error *err, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        char *s = format_string(fmt, ap);
        va_end(ap);
        return add_string(&c->warnings, &c->n_warnings, s, "a warning", err);
}

static void history_row_done(HistoryRow *row)
{
        free(row->version);
        free(row->description);
        free(row->type);
        free(row->script);
        free(row->installed_by);
        free(row->id);
        free(row->author);
        free(row->deployment);
        free(row->tool_version);
        free(row->checksum);
        free(row->installed_on);
}

History *history_free(History *h)
{
        if (!h)
                return NULL;
        for (size_t i = 0; i < h->n_rows; i++)
                history_row_done(&h->rows[i]);
        free_strings(h->missing_schemas, h->n_missing_schemas);
        free(h->rows);
        free(h);
        return NULL;
}

int history_add(History *h, HistoryRow row, Error *err)
{
        if (ARRAY_ADD(h->rows, h->n_rows, row))
                return 0;
        history_row_done(&row);
        return error_oom(err, "the history");
}

int history_add_missing_schema(History *h, const char *name, Error *err)
{
        return add_string(&h->missing_schemas, &h->n_missing_schemas, strdup(name),
                          "the list of schemas", err);
}

Assessment *assessment_free(Assessment *a)
{
        if (!a)
                return NULL;
        free_strings(a->warnings, a->n_warnings);
        free(a->entries);
        free(a->current_version);
        free(a->refusals);
        free(a);
        return NULL;
}

int assessment_add(Assessment *a, Entry e, Error *err)
{
        if (ARRAY_ADD(a->entries, a->n_entries, e))
                return 0;
        return error_oom(err, "the assessment");
}

int assessment_refuse(Assessment *a, const Error *refusal, Error *err)
{
        if (ARRAY_ADD(a->refusals, a->n_refusals, *refusal))
                return 0;
        return error_oom(err, "the assessment");
}

int assessment_warn(Assessment *a, Error *err, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        char *s = format_string(fmt, ap);
        va_end(ap);
        return add_string(&a->warnings, &a->n_warnings, s, "a warning", err);
}
