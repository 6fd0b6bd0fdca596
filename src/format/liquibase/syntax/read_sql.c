/* Formatted SQL to the same tree as the other syntaxes. Facts: liquibase.md 2. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/syntax/node.h"
#include "format/liquibase/syntax/sql_lines.h"

#define MAX_BODY NODE_MAX_FILE

/* Text that is put together from lines of the file, and for each line of it the one in the file that it begins at. */
typedef struct Lines {
        Text text;
        unsigned long *at;
        size_t n, size;
        bool open; /* its last line goes on */
} Lines;

typedef struct Reader {
        Arena *arena;
        const char *path;
        const char *data;
        size_t size, next; /* where the next line begins */
        const char *line;  /* without its end */
        size_t len;
        unsigned long number;
        Node *root, *set, *preconditions; /* set: NULL before the first */
        Lines body, rollback;
        bool body_seen; /* a line of it, even an empty one */
        const char *first_line;
        size_t first_len;
        const char *previous_sql;
        Error *err;
} Reader;

__attribute__((__format__(__printf__, 2, 3))) static int fail(Reader *r, const char *fmt, ...)
{
        char text[512];
        va_list args;

        va_start(args, fmt);
        (void) vsnprintf(text, sizeof text, fmt, args);
        va_end(args);
        (void) error_set(r->err, ERROR_CHANGELOG, "%s: %s", r->path, text);
        return error_at(r->err, r->path, r->number, 1);
}

static int oom(Reader *r)
{
        return error_oom(r->err, "a changelog");
}

/* Lines end at LF, CR or CRLF. */
static bool next_line(Reader *r)
{
        size_t n = 0;
        const char *p = r->data + r->next;

        if (r->next >= r->size)
                return false;
        while (r->next + n < r->size && p[n] != '\n' && p[n] != '\r')
                n++;
        r->line = p;
        r->len = n;
        r->number++;
        r->next += n;
        if (r->next < r->size)
                r->next += r->data[r->next] == '\r' && r->next + 1 < r->size &&
                                           r->data[r->next + 1] == '\n'
                                   ? 2
                                   : 1;
        return true;
}

static int add_line(Reader *r, Lines *l, const char *text, size_t len, const char *end)
{
        if (len == 0 && !*end)
                return 0;
        if (!l->open && l->n == l->size) {
                size_t size = l->size ? 2 * l->size : 16;
                unsigned long *room = reallocarray(l->at, size, sizeof *room);

                if (!room)
                        return oom(r);
                l->at = room;
                l->size = size;
        }
        if (!l->open)
                l->at[l->n++] = r->number;
        l->open = !*end;
        text_append(&l->text, text, len);
        text_add(&l->text, end);
        return l->text.bad ? oom(r) : 0;
}

/* The text, trimmed, as the value of n; NULL when nothing is left. */
static int give_text(Reader *r, Node *n, Lines *l)
{
        const char *whole = text_str(&l->text), *start;
        size_t len, skipped = 0;
        unsigned long *lines;

        start = java_trim(whole, &len);
        if (len == 0)
                return 0;
        for (const char *p = whole; p < start; p++)
                skipped += *p == '\n';
        lines = arena_array(r->arena, l->n, sizeof *lines);
        n->value = arena_strndup(r->arena, start, len);
        if (!lines || !n->value)
                return oom(r);
        memcpy(lines, l->at + skipped, (l->n - skipped) * sizeof *lines);
        n->type = NODE_TEXT;
        n->value_line = lines[0];
        n->value_lines = lines;
        n->n_value_lines = l->n - skipped;
        return 0;
}

static void clear(Lines *l)
{
        text_clear(&l->text);
        l->n = 0;
        l->open = false;
}

static Node *add_node(Reader *r, Node *parent, const char *name)
{
        Node *n = node_new(r->arena, name, r->number, 1);

        if (n)
                node_add(parent, n);
        return n;
}

/* Copies attributes of the line to children of n; each once. */
static int add_attributes(Reader *r, Node *n, const char *line, size_t len,
                          const char *const *names)
{
        for (; *names; names++) {
                const char *value = sql_line_attribute(r->arena, line, len, *names);

                if (value && !node_add_text(r->arena, n, *names, value))
                        return oom(r);
        }
        return 0;
}

/* ---- the end of a changeset ---- */

static bool starts_with(const char *s, const char *word)
{
        return strncasecmp(s, word, strlen(word)) == 0;
}

/* Text, a reference to another changeset, or the word for nothing to do (facts 2.5). */
static int close_rollback(Reader *r)
{
        static const char *const references[] = { "changesetId", "changesetAuthor", "changesetPath",
                                                  NULL };
        const char *text = text_str(&r->rollback.text), *attribute;
        size_t len;
        const char *start = java_trim(text, &len);
        Node *n, *sql;

        if (r->rollback.n == 0)
                return 0;
        n = add_node(r, r->set, "rollback");
        if (!n)
                return oom(r);
        n->line = r->rollback.at[0];
        if (len == 0 || starts_with(start, "not required") || starts_with(start, "empty"))
                return 0;
        if (strcasestr(text, "changesetid"))
                return add_attributes(r, n, start, len, references);
        sql = add_node(r, n, "sql");
        if (!sql || !node_add_text(r->arena, sql, "stripComments", "false"))
                return oom(r);
        sql->line = n->line;
        attribute = sql_line_attribute(r->arena, r->first_line, r->first_len,
                                       "rollbackSplitStatements");
        if (attribute && !node_add_text(r->arena, sql, "splitStatements", attribute))
                return oom(r);
        attribute =
                sql_line_attribute(r->arena, r->first_line, r->first_len, "rollbackEndDelimiter");
        if (attribute && !node_add_text(r->arena, sql, "endDelimiter", attribute))
                return oom(r);
        return give_text(r, sql, &r->rollback);
}

static bool ends_with_slash(const char *s)
{
        size_t len = strlen(s);

        return len >= 2 && strcmp(s + len - 2, "\n/") == 0;
}

/* A last changeset without any line runs the SQL of the one before it: Liquibase's doing, and the checksum is that of it. */
static int settle_last(Reader *r, Node *sql)
{
        if (!r->body_seen && r->previous_sql) {
                sql->type = NODE_TEXT;
                sql->value = r->previous_sql;
        }
        if (sql->value && !node_child(sql, "endDelimiter") && ends_with_slash(sql->value) &&
            !node_add_text(r->arena, sql, "endDelimiter", "\n/$"))
                return oom(r);
        return 0;
}

static int close_set(Reader *r, bool last)
{
        Node *sql;
        int result;

        if (!r->set)
                return 0;
        sql = (Node *) (uintptr_t) node_child(r->set, "sql");
        result = give_text(r, sql, &r->body);
        if (result >= 0 && last)
                result = settle_last(r, sql);
        if (result >= 0 && !last && !sql->value) {
                char name[300];

                (void) snprintf(name, sizeof name, "%.140s:%.140s", node_text(r->set, "author"),
                                node_text(r->set, "id"));
                r->number = r->set->line;
                return fail(r, "no SQL for changeset %s", name);
        }
        if (result >= 0)
                result = close_rollback(r);
        r->previous_sql = sql->value;
        clear(&r->body);
        clear(&r->rollback);
        r->body_seen = false;
        r->preconditions = NULL;
        return result;
}

/* ---- directives ---- */

static const char *unquoted(Arena *a, const char *s)
{
        size_t len = strlen(s);

        return len > 1 && s[0] == '"' && s[len - 1] == '"' ? arena_strndup(a, s + 1, len - 2) : s;
}

static int on_changeset(Reader *r, const SqlLineMatch *m)
{
        static const char *const set_attributes[] = { "runOnChange",
                                                      "runAlways",
                                                      "runInTransaction",
                                                      "failOnError",
                                                      "contextFilter",
                                                      "labels",
                                                      "logicalFilePath",
                                                      "dbms",
                                                      "ignore",
                                                      "runWith",
                                                      NULL };
        static const char *const sql_attributes[] = { "splitStatements", "endDelimiter", NULL };
        const char *author = unquoted(r->arena, m->groups[0]),
                   *id = unquoted(r->arena, m->groups[1]);
        const char *strip = sql_line_attribute(r->arena, r->line, r->len, "stripComments");
        int result = close_set(r, false);
        Node *sql;

        if (result < 0)
                return result;
        r->set = add_node(r, r->root, "changeSet");
        if (!r->set || !author || !id || !node_add_text(r->arena, r->set, "id", id) ||
            !node_add_text(r->arena, r->set, "author", author))
                return oom(r);
        r->first_line = r->line;
        r->first_len = r->len;
        result = add_attributes(r, r->set, r->line, r->len, set_attributes);
        if (result >= 0 && !node_child(r->set, "contextFilter"))
                result = add_attributes(r, r->set, r->line, r->len,
                                        (const char *const[]){ "context", NULL });
        sql = add_node(r, r->set, "sql");
        if (!sql || !node_add_text(r->arena, sql, "stripComments", strip ? strip : "true"))
                return oom(r);
        return result < 0 ? result : add_attributes(r, sql, r->line, r->len, sql_attributes);
}

static int on_property(Reader *r, const SqlLineMatch *m)
{
        static const char *const names[] = { "name", "value", "labels", "dbms", "global", NULL };
        Node *n = add_node(r, r->root, "property");
        const char *context;

        (void) m;
        if (!n)
                return oom(r);
        context = sql_line_attribute(r->arena, r->line, r->len, "contextFilter");
        if (!context)
                context = sql_line_attribute(r->arena, r->line, r->len, "context");
        if (context && !node_add_text(r->arena, n, "contextFilter", context))
                return oom(r);
        return add_attributes(r, n, r->line, r->len, names);
}

static int on_ignore(Reader *r, const SqlLineMatch *m)
{
        unsigned long count = strtoul(m->groups[0], NULL, 10);
        SqlLineMatch inner;

        if (strcasecmp(m->groups[0], "start") == 0) {
                while (next_line(r)) {
                        int result = sql_line_match(&inner, r->arena, r->line, r->len, true);

                        if (result < 0)
                                return fail(r, "it cannot be told what this line is");
                        if (inner.kind == SQL_LINE_IGNORE && !inner.mistaken &&
                            strcasecmp(inner.groups[0], "end") == 0)
                                break;
                }
                return 0;
        }
        if (m->groups[0][strspn(m->groups[0], "0123456789")])
                return fail(r, "ignoreLines takes start, end or a number, not %s", m->groups[0]);
        while (count-- > 0 && next_line(r))
                ;
        return 0;
}

static int on_comment(Reader *r, const SqlLineMatch *m)
{
        Node *n = (Node *) (uintptr_t) node_child(r->set, "comment"); /* the last one counts */

        if (n)
                n->value = m->groups[0];
        else
                n = node_add_text(r->arena, r->set, "comment", m->groups[0]);
        return n ? 0 : oom(r);
}

static int on_valid_checksum(Reader *r, const SqlLineMatch *m)
{
        return node_add_text(r->arena, r->set, "validCheckSum", m->groups[0]) ? 0 : oom(r);
}

static int on_rollback(Reader *r, const SqlLineMatch *m)
{
        return add_line(r, &r->rollback, m->groups[0], strlen(m->groups[0]), "\n");
}

/* Lines of a block follow one another without anything between them. */
static int on_rollback_block(Reader *r, const SqlLineMatch *m)
{
        unsigned long start = r->number;
        size_t before;

        (void) m;
        while (next_line(r)) {
                int result;

                if (sql_line_ends_block(r->line, r->len, &before))
                        return add_line(r, &r->rollback, r->line, before, "\n");
                result = add_line(r, &r->rollback, r->line, r->len, "");
                if (result < 0)
                        return result;
        }
        r->number = start;
        return fail(r, "the rollback block is not ended by */");
}

static int on_preconditions(Reader *r, const SqlLineMatch *m)
{
        static const char *const names[] = { "onFail", "onError", NULL };
        const char *output = sql_line_attribute(r->arena, r->line, r->len, "onUpdateSQL");
        const char *newer = sql_line_attribute(r->arena, r->line, r->len, "onSqlOutput");

        (void) m;
        if (output && newer)
                return fail(r, "onUpdateSQL and onSqlOutput say the same: use one of them");
        if (!output)
                output = newer;
        r->preconditions = add_node(r, r->set, "preConditions");
        if (!r->preconditions ||
            (output && !node_add_text(r->arena, r->preconditions, "onSqlOutput", output)))
                return oom(r);
        return add_attributes(r, r->preconditions, r->line, r->len, names);
}

/* [expectedResult:]RESULT SQL, RESULT a word or in quotes. */
static int add_sql_check(Reader *r, const char *body)
{
        Node *n = add_node(r, r->preconditions, "sqlCheck");
        const char *p = body, *end;
        char quote;

        if (!n)
                return oom(r);
        if (starts_with(p, "expectedResult:"))
                p += strlen("expectedResult:");
        quote = *p == '\'' || *p == '"' ? *p++ : '\0';
        end = quote ? strchr(p, quote) : p + strcspn(p, " ");
        if (!end || end[quote != '\0'] != ' ')
                return fail(r,
                            "precondition-sql-check takes \"expectedResult:RESULT SQL\", not "
                            "\"%.200s\"",
                            body);
        const char *result = arena_strndup(r->arena, p, (size_t) (end - p));
        n->type = NODE_TEXT;
        n->value = java_trimmed(r->arena, end + (quote != '\0') + 1);
        return result && n->value && node_add_text(r->arena, n, "expectedResult", result)
                       ? 0
                       : fail(r, "precondition-sql-check has no SQL: \"%.200s\"", body);
}

static int add_existence(Reader *r, const char *condition, const char *what, const char *attribute,
                         const char *body)
{
        const char *name = sql_line_attribute(r->arena, body, strlen(body), what);
        const char *schema = sql_line_attribute(r->arena, body, strlen(body), "schema");
        Node *n = add_node(r, r->preconditions, condition);

        if (!n)
                return oom(r);
        if (!name)
                return fail(r, "%s takes a name", condition);
        return node_add_text(r->arena, n, attribute, name) &&
                               (!schema || node_add_text(r->arena, n, "schemaName", schema))
                       ? 0
                       : oom(r);
}

static int on_precondition(Reader *r, const SqlLineMatch *m)
{
        if (!r->preconditions) /* without their own line they have its defaults */
                r->preconditions = add_node(r, r->set, "preConditions");
        if (!r->preconditions)
                return oom(r);
        if (strcasecmp(m->groups[0], "sql-check") == 0)
                return add_sql_check(r, m->groups[1]);
        if (strcasecmp(m->groups[0], "table-exists") == 0)
                return add_existence(r, "tableExists", "table", "tableName", m->groups[1]);
        if (strcasecmp(m->groups[0], "view-exists") == 0)
                return add_existence(r, "viewExists", "view", "viewName", m->groups[1]);
        return fail(
                r, "no precondition is called %s here: sql-check, table-exists and view-exists are",
                m->groups[0]);
}

static int on_text(Reader *r, const SqlLineMatch *m)
{
        (void) m;
        if (!r->set)
                return 0;
        r->body_seen = true;
        return add_line(r, &r->body, r->line, r->len, "\n");
}

static int (*const handlers[_SQL_LINE_MAX])(Reader *r, const SqlLineMatch *m) = {
        [SQL_LINE_TEXT] = on_text,
        [SQL_LINE_PROPERTY] = on_property,
        [SQL_LINE_IGNORE] = on_ignore,
        [SQL_LINE_CHANGESET] = on_changeset,
        [SQL_LINE_COMMENT] = on_comment,
        [SQL_LINE_VALID_CHECKSUM] = on_valid_checksum,
        [SQL_LINE_ROLLBACK] = on_rollback,
        [SQL_LINE_ROLLBACK_BLOCK] = on_rollback_block,
        [SQL_LINE_PRECONDITIONS] = on_preconditions,
        [SQL_LINE_PRECONDITION] = on_precondition,
};

/* ---- the file ---- */

/* A file without the header is one changeset, whole. */
static int read_raw(Reader *r)
{
        Node *set, *sql;

        r->number = 1;
        set = add_node(r, r->root, "changeSet");
        sql = set ? add_node(r, set, "sql") : NULL;
        if (!sql || !node_add_text(r->arena, set, "id", "raw") ||
            !node_add_text(r->arena, set, "author", "includeAll") ||
            !node_add_text(r->arena, sql, "splitStatements", "false") ||
            !node_add_text(r->arena, sql, "stripComments", "false"))
                return oom(r);
        sql->type = NODE_TEXT;
        sql->value = arena_strndup(r->arena, r->data, r->size);
        return sql->value ? 0 : oom(r);
}

static int read_lines(Reader *r)
{
        int result = 0;

        while (result >= 0 && next_line(r)) {
                SqlLineMatch m;

                result = sql_line_match(&m, r->arena, r->line, r->len, r->set != NULL);
                if (result < 0)
                        result = fail(r, "it cannot be told what this line is");
                else if (m.mistaken)
                        result = fail(r,
                                      "this line looks like a directive but is none; one is \"%s\"",
                                      m.mistaken);
                else
                        result = handlers[m.kind](r, &m);
        }
        return result < 0 ? result : close_set(r, true);
}

static int read_header(Reader *r, bool *formatted)
{
        const char *logical;

        *formatted = false;
        while (next_line(r)) {
                size_t n = 0;

                while (n < r->len && (unsigned char) r->line[n] <= ' ')
                        n++;
                if (n == r->len)
                        continue;
                *formatted = sql_line_is_header(r->line, r->len);
                if (!*formatted)
                        return 0;
                logical = sql_line_attribute(r->arena, r->line, r->len, "logicalFilePath");
                return !logical || node_add_text(r->arena, r->root, "logicalFilePath", logical)
                               ? 0
                               : oom(r);
        }
        return fail(r, "the file has no SQL");
}

int read_sql(Node **ret, Arena *a, const char *data, size_t size, const char *path, Error *err)
{
        Reader r = { .arena = a,
                     .path = path,
                     .body.text = TEXT_INIT(MAX_BODY),
                     .rollback.text = TEXT_INIT(MAX_BODY),
                     .err = err };
        bool formatted;
        int result = decode_text(&r.data, &r.size, a, data, size, NULL, path, err);

        if (result < 0)
                return result;
        r.root = node_new(a, "databaseChangeLog", 1, 1);
        if (!r.root)
                return oom(&r);
        result = read_header(&r, &formatted);
        if (result >= 0)
                result = formatted ? read_lines(&r) : read_raw(&r);
        text_done(&r.body.text);
        text_done(&r.rollback.text);
        free(r.body.at);
        free(r.rollback.at);
        if (result >= 0)
                *ret = r.root;
        return result;
}
