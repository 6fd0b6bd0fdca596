/* The user's own SQL: sql, sqlFile, and formatted SQL, whose changesets are `sql` too. Facts: liquibase.md 2.6, 2.7. */
#include <string.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/splitter.h"
#include "format/liquibase/sql/sql_content.h"
#include "format/liquibase/sql/sql_lexeme.h"

/* Text of a change, and where it is from: a node of the changelog, or a file of its own. */
typedef struct RawText {
        const char *text;
        size_t size;
        const Node *node;
        const char *path;
        const char *
                original; /* with the carriage returns that Liquibase deletes; NULL: there are none */
} RawText;

/* JDBC has `??` for the operator `?`. A single `?` would be a parameter there, and an error: here it is the operator that it was
 * meant to be. Within quotes and comments both are what they are. */
static int unescape_marks(SqlStatement *st, Arena *a, Error *err)
{
        char *to;
        size_t n = 0;

        if (!memmem(st->sql, st->len, "??", 2))
                return 0;
        to = arena_alloc(a, st->len + 1);
        if (!to)
                return error_oom(err, "a statement");
        for (size_t at = 0; at < st->len;) {
                size_t end = sql_lexeme_skip(st->sql, st->len, at);

                if (end == at)
                        end = at + 1;
                memcpy(to + n, st->sql + at, end - at);
                n += end - at;
                if (end == at + 1 && st->sql[at] == '?' && end < st->len && st->sql[end] == '?')
                        end++;
                at = end;
        }
        st->sql = to;
        st->len = n;
        return 0;
}

static int drop_returns(RawText *raw, Arena *a, Error *err)
{
        char *to;
        size_t n = 0;

        if (!memchr(raw->text, '\r', raw->size))
                return 0;
        to = arena_alloc(a, raw->size + 1);
        if (!to)
                return error_oom(err, "the SQL of a changeset");
        for (size_t i = 0; i < raw->size; i++)
                if (raw->text[i] != '\r')
                        to[n++] = raw->text[i];
        raw->original = raw->text;
        raw->text = to;
        raw->size = n;
        return 0;
}

/* Splits come in order: *from and *to say how far the last one got in the original and in the text without carriage returns. */
static size_t original_place(const RawText *raw, size_t at, size_t *from, size_t *to)
{
        if (!raw->original)
                return at;
        while (raw->original[*from] && (*to < at || raw->original[*from] == '\r')) {
                if (raw->original[*from] != '\r')
                        (*to)++;
                (*from)++;
        }
        return *from;
}

static int add_splits(SqlList *out, const Change *c, const RawText *raw, const Split *splits,
                      size_t n, Error *err)
{
        size_t from = 0, to = 0, last = 0, breaks = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                SqlStatement *st;

                r = sql_addf(out, c, err, "%s", "");
                if (r < 0)
                        return r;
                st = &out->items[out->n - 1];
                st->sql = splits[i].sql;
                st->len = splits[i].len;
                st->at = original_place(raw, splits[i].at, &from, &to);
                st->node = raw->node;
                if (raw->path) {
                        st->path = raw->path;
                        st->source = raw->original ? raw->original : raw->text;
                } else if (raw->node) {
                        st->line = node_next_value_line(raw->node, st->at, &last, &breaks);
                }
                r = unescape_marks(st, out->arena, err);
        }
        return r;
}

static int add_raw(SqlList *out, const Change *c, RawText *raw, Error *err)
{
        const SplitOptions options = {
                .strip_comments = object_flag(&c->fields, "stripComments", false),
                .split = object_flag(&c->fields, "splitStatements", true),
                .delimiter = object_text(&c->fields, "endDelimiter"),
        };
        size_t n = 0, at = 0;
        Split *splits = NULL;
        int r = drop_returns(raw, out->arena, err);

        if (r >= 0)
                r = split_statements(&splits, &n, out->arena, raw->text, raw->size, &options, &at,
                                     err);
        else
                return r;
        if (r < 0) {
                unsigned long line = 1;

                if (raw->node)
                        line = node_value_line(raw->node, at);
                else
                        for (size_t i = 0; i < at && i < raw->size; i++)
                                line += raw->text[i] == '\n';
                return error_at(err, raw->path ? raw->path : c->set->file->physical, line, 0);
        }
        return add_splits(out, c, raw, splits, n, err);
}

/* The node that the text is the value of: the change's own, or its child `sql`. */
static const Node *text_node(const Change *c)
{
        const Node *child = c->node ? node_child(c->node, "sql") : NULL;

        if (c->node && c->node->value == c->sql)
                return c->node;
        return child && child->value == c->sql ? child : NULL;
}

int change_sql_sql(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        RawText raw = { .text = c->sql, .node = text_node(c) };

        (void) x;
        if (!c->sql)
                return 0;
        raw.size = strlen(c->sql);
        return add_raw(out, c, &raw, err);
}

int change_sql_sql_file(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        const char *path = sql_attribute(c, "path");
        RawText raw = { 0 };
        Content content;
        int r;

        if (!path)
                return error_set(err, ERROR_CHANGELOG, "sqlFile has no path");
        r = content_read(&content, out->arena, x, c, path,
                         object_flag(&c->fields, "relativeToChangelogFile", false),
                         sql_attribute(c, "encoding"), err);
        if (r < 0)
                return r;
        r = content_expand(&content, out->arena, x, c, err);
        if (r < 0)
                return r;
        raw = (RawText){ .text = content.text, .size = content.size, .path = content.path };
        return add_raw(out, c, &raw, err);
}
