#include <stdio.h>
#include <string.h>

#include "format/liquibase/sql/sql.h"

/* Statements are added one by one: room is doubled whenever their number is a power of two. */
static int reserve(SqlList *out, Error *err)
{
        SqlStatement *items;

        if (out->n & (out->n - 1))
                return 0;
        items = arena_array(out->arena, out->n ? out->n * 2 : 1, sizeof(*items));
        if (!items)
                return error_oom(err, "the statements of a changeset");
        if (out->n)
                memcpy(items, out->items, out->n * sizeof(*items));
        out->items = items;
        return 0;
}

static int add(SqlList *out, const Change *c, const char *sql, size_t len, Error *err)
{
        const ChangelogFile *file = c->set ? c->set->file : NULL;
        int r;

        r = reserve(out, err);
        if (r < 0)
                return r;
        out->items[out->n++] = (SqlStatement){
                .sql = sql,
                .len = len,
                .path = file ? file->physical : NULL,
                .line = c->node ? c->node->line : 0,
        };
        return 0;
}

int sql_add(SqlList *out, const Change *c, Text *t, Error *err)
{
        const char *s;
        size_t len;

        if (t->bad)
                return error_oom(err, "a statement, or it is too long");
        s = java_trim(text_str(t), &len);
        s = arena_strndup(out->arena, s, len);
        if (!s)
                return error_oom(err, "a statement");
        text_clear(t);
        return add(out, c, s, len, err);
}

int sql_addf(SqlList *out, const Change *c, Error *err, const char *fmt, ...)
{
        va_list ap;
        char *s;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        s = n < 0 ? NULL : arena_alloc(out->arena, (size_t) n + 1);
        if (!s)
                return error_oom(err, "a statement");
        va_start(ap, fmt);
        (void) vsnprintf(s, (size_t) n + 1, fmt, ap);
        va_end(ap);
        return add(out, c, s, (size_t) n, err);
}
