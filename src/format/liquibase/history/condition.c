/* Whether a condition of preConditions holds. Facts: liquibase.md 1.8, and the corpus' case 036b, which every row here comes from. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/liquibase.h"
#include "pg/session.h"
#include "util/clock.h"

#define CONDITION_TIMEOUT (600 * USEC_PER_SEC)
#define SQL_MAX ((size_t) 1 << 20)
#define MAX_DEPTH 50

/* One condition that is being looked at. */
typedef struct Probe {
        const Model *model;
        const ChangelogFile *file;
        const Node *node;
        const FormatContext *ctx;
        PgSession *session;
        const Node **failed; /* the condition that does not hold */
} Probe;

/* ---- conditions that are one question to the catalogue ---- */

/* In a question {name} is the attribute as a literal, NULL when it is not there; {fold:name} folded to lower case unless it is of mixed
 * case; {array:names} and {lower:names} lists split at commas; {schema} the folded schema, or the default one; {default} that one;
 * {table} the qualified name of tableName. */
/* clang-format off */
#define RELATION "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = {schema} "
#define CONSTRAINT "FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class t ON t.oid = o.conrelid " \
        "JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace WHERE n.nspname = {schema} "
#define COLUMNS(relation, key, expression) "(SELECT array_agg(" expression " ORDER BY k.n) FROM unnest(" key "::int2[]) WITH ORDINALITY " \
        "AS k(num, n) JOIN pg_catalog.pg_attribute a ON a.attrelid = " relation " AND a.attnum = k.num)"

static const struct {
        const char *name, *sql;
} questions[] = {
        { "tableExists",
          "SELECT EXISTS (SELECT " RELATION "AND c.relkind IN ('r', 'p') AND lower(c.relname) = lower({tableName}))" },
        { "viewExists",
          "SELECT EXISTS (SELECT " RELATION "AND c.relkind = 'v' AND lower(c.relname) = lower({viewName}))" },
        { "sequenceExists",
          "SELECT EXISTS (SELECT " RELATION "AND c.relkind = 'S' AND c.relname = {sequenceName})" },
        { "columnExists",
          "SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
          "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE lower(n.nspname) = lower({schema}) "
          "AND lower(c.relname) = lower({tableName}) AND lower(a.attname) = lower({columnName}) AND NOT a.attisdropped)" },
        { "indexExists",
          "SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
          "JOIN pg_catalog.pg_class t ON t.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace "
          "WHERE n.nspname = CASE WHEN {tableName} IS NULL THEN {default} ELSE {schema} END "
          "AND ({indexName} IS NULL OR x.relname = {fold:indexName}) AND ({tableName} IS NULL OR t.relname = {fold:tableName}) "
          "AND ({indexName} IS NOT NULL OR {columnNames} IS NULL OR ("
          COLUMNS("i.indrelid", "i.indkey", "lower(a.attname)") ")[1:cardinality({lower:columnNames})] = {lower:columnNames}))" },
        { "primaryKeyExists",
          "SELECT EXISTS (SELECT " CONSTRAINT "AND o.contype = 'p' AND ({tableName} IS NULL OR lower(t.relname) = lower({tableName})) "
          "AND ({primaryKeyName} IS NULL OR lower(o.conname) = lower({primaryKeyName})))" },
        { "foreignKeyConstraintExists",
          "SELECT EXISTS (SELECT " CONSTRAINT "AND o.contype = 'f' AND ({foreignKeyName} IS NULL OR lower(o.conname) = lower({foreignKeyName})) "
          "AND ({foreignKeyTableName} IS NULL OR lower(t.relname) = lower({foreignKeyTableName})))" },
        { "uniqueConstraintExists",
          "SELECT EXISTS (SELECT " CONSTRAINT "AND o.contype IN ('u', 'p') "
          "AND t.relname = CASE WHEN {columnNames} IS NULL THEN {fold:tableName} ELSE {tableName} END "
          "AND ({constraintName} IS NULL OR o.conname IN ({constraintName}, {fold:constraintName})) "
          "AND ({columnNames} IS NULL OR " COLUMNS("o.conrelid", "o.conkey", "a.attname::text") " = {array:columnNames}))" },
        { "tableIsEmpty", "SELECT NOT EXISTS (SELECT FROM {table})" },
        { "rowCount", "SELECT count(*)::text = {expectedRows} FROM {table}" },
};
/* clang-format on */

static void add_folded(Text *sql, const char *name)
{
        bool upper = false, lower = false;
        _cleanup_text_ Text folded = TEXT_INIT(1024);

        for (const char *p = name; *p; p++) {
                upper = upper || isupper((unsigned char) *p);
                lower = lower || islower((unsigned char) *p);
                text_addc(&folded, (char) tolower((unsigned char) *p));
        }
        text_add_sql_literal(sql, upper && lower ? name : text_str(&folded));
}

static void add_array(Text *sql, const char *names, bool lower)
{
        const char *separator = "ARRAY[";

        while (names && *names) {
                size_t len = strcspn(names, ",");
                const char *next = names + len + (names[len] == ',');
                _cleanup_text_ Text one = TEXT_INIT(1024);

                while (len > 0 && isspace((unsigned char) *names))
                        names++, len--;
                while (len > 0 && isspace((unsigned char) names[len - 1]))
                        len--;
                text_append(&one, names, len);
                text_add(sql, separator);
                text_add(sql, lower ? "lower(" : "");
                text_add_sql_literal(sql, text_str(&one));
                text_add(sql, lower ? ")" : "");
                separator = ", ";
                names = next;
        }
        text_add(sql, separator[0] == 'A' ? "NULL::text[]" : "]::text[]");
}

static void add_schema(Text *sql, const Probe *c)
{
        const char *schema = node_text_of(c->node, "schemaName", "foreignKeyTableSchemaName");

        if (schema)
                add_folded(sql, schema);
        else
                text_add_sql_literal(sql, c->ctx->schema);
}

static void add_table(Text *sql, const Probe *c)
{
        const SqlContext x = { .model = c->model,
                               .default_schema = c->ctx->schema,
                               .server_version = c->ctx->server_version,
                               .quoting = c->file ? c->file->quoting : QUOTING_LEGACY };

        sql_qualified(sql, &x, node_text(c->node, "schemaName"),
                      node_text(c->node, "tableName") ?: "");
}

static void add_attribute(Text *sql, const Probe *c, const char *spec, size_t len)
{
        char name[64];
        const char *colon = memchr(spec, ':', len), *from = colon ? colon + 1 : spec, *value;

        (void) snprintf(name, sizeof name, "%.*s", (int) (spec + len - from), from);
        value = node_text(c->node, name);
        if (strcmp(name, "schema") == 0)
                add_schema(sql, c);
        else if (strcmp(name, "default") == 0)
                text_add_sql_literal(sql, c->ctx->schema);
        else if (strcmp(name, "table") == 0)
                add_table(sql, c);
        else if (colon && (*spec == 'a' || *spec == 'l'))
                add_array(sql, value, *spec == 'l');
        else if (!value)
                text_add(sql, "NULL::text");
        else if (colon)
                add_folded(sql, value);
        else
                text_add_sql_literal(sql, value);
}

static int ask(const Probe *c, const char *question, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        _cleanup_result_ PGresult *res = NULL;
        const char *open;
        int r;

        while ((open = strchr(question, '{'))) {
                size_t len = strcspn(open, "}");

                text_append(&sql, question, (size_t) (open - question));
                add_attribute(&sql, c, open + 1, len - 1);
                question = open + len + 1;
        }
        text_add(&sql, question);
        if (sql.bad)
                return error_set(err, ERROR_CHANGELOG, "the condition %s is too long",
                                 c->node->name);
        r = pg_fetch(c->session, &res, sql.s, clock_after(CONDITION_TIMEOUT), err);
        return r < 0 ? r : pg_bool(res, 0, 0);
}

/* ---- the others ---- */

static int holds_dbms(const Probe *c, Error *err)
{
        (void) err;
        return match_dbms(node_text(c->node, "type"));
}

static int holds_running_as(const Probe *c, Error *err)
{
        const char *user = node_text(c->node, "username") ?: "";

        (void) err;
        return strcasecmp(user, c->ctx->user) == 0;
}

static int holds_sql_check(const Probe *c, Error *err)
{
        const char *expected = node_text(c->node, "expectedResult"), *got;
        const char *text = c->node->value ? c->node->value : node_text(c->node, "sql");
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        _cleanup_result_ PGresult *res = NULL;
        int r;

        if (!text)
                return error_set(err, ERROR_CHANGELOG, "sqlCheck has no SQL");
        text_add(&sql, text);
        while (sql.len > 0 &&
               (isspace((unsigned char) sql.s[sql.len - 1]) || sql.s[sql.len - 1] == ';'))
                sql.s[--sql.len] = '\0';
        r = pg_fetch(c->session, &res, text_str(&sql), clock_after(CONDITION_TIMEOUT), err);
        if (r < 0)
                return r;
        if (PQntuples(res) != 1 || PQnfields(res) != 1)
                return error_set(err, ERROR_CHANGELOG,
                                 "sqlCheck wants one row with one column and got %d rows with %d",
                                 PQntuples(res), PQnfields(res));
        got = pg_text(res, 0, 0);
        return got && expected && strcmp(got, expected) == 0;
}

static int holds_executed(const Probe *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        _cleanup_arena_ Arena arena = ARENA_INIT(1U << 20);
        _cleanup_result_ PGresult *res = NULL;
        const char *path = node_text(c->node, "changeLogFile");
        const char *wanted = path_normalise(&arena, path ? path : c->file ? c->file->logical : "");
        int r;

        text_add(&sql, "SELECT filename FROM ");
        liquibase_add_table(&sql, c->ctx, false);
        text_add(&sql,
                 " WHERE exectype IN ('EXECUTED', 'RERAN', 'MARK_RAN') AND lower(id) = lower(");
        text_add_sql_literal(&sql, node_text(c->node, "id") ?: "");
        text_add(&sql, ") AND lower(author) = lower(");
        text_add_sql_literal(&sql, node_text(c->node, "author") ?: "");
        text_add(&sql, ")");
        r = pg_fetch(c->session, &res, text_str(&sql), clock_after(CONDITION_TIMEOUT), err);
        if (r < 0 && strcmp(err->sqlstate, "42P01") == 0) {
                *err = (Error){ .code = ERROR_NONE };
                return 0;
        }
        for (int i = 0; r >= 0 && i < PQntuples(res); i++) {
                const char *have = path_normalise(&arena, pg_text(res, i, 0) ?: "");

                if (!have || !wanted)
                        return error_oom(err, "a condition");
                if (strcasecmp(have, wanted) == 0)
                        return 1;
        }
        return r < 0 ? r : 0;
}

static int holds_property(const Probe *c, Error *err)
{
        const char *value = node_text(c->node, "value");
        const char *have = property_find((Properties *) (uintptr_t) &c->model->properties,
                                         node_text(c->node, "property") ?: "",
                                         c->file ? c->file->logical : NULL);

        (void) err;
        return have && (!value || strcmp(have, value) == 0);
}

static int holds_quoting(const Probe *c, Error *err)
{
        (void) err;
        return strcmp(quoting_name(c->file ? c->file->quoting : QUOTING_LEGACY),
                      node_text(c->node, "strategy") ?: "") == 0;
}

static const struct {
        const char *name;
        int (*holds)(const Probe *c, Error *err);
} checks[] = {
        { "dbms", holds_dbms },
        { "runningAs", holds_running_as },
        { "sqlCheck", holds_sql_check },
        { "changeSetExecuted", holds_executed },
        { "changeLogPropertyDefined", holds_property },
        { "expectedQuotingStrategy", holds_quoting },
};

/* ---- and, or, not ---- */

static int holds(const Probe *c, unsigned depth, Error *err);

static bool is_group(const char *name)
{
        static const char *const groups[] = { "and", "or", "not", "preConditions" };

        for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
                if (strcasecmp(groups[i], name) == 0)
                        return true;
        return false;
}

/* Attributes are children too: only what has a name of a condition counts. */
static bool is_condition(const char *name)
{
        if (is_group(name))
                return true;
        for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
                if (strcasecmp(questions[i].name, name) == 0)
                        return true;
        for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
                if (strcasecmp(checks[i].name, name) == 0)
                        return true;
        return false;
}

/* and: all; or: any; not: none. Stops as soon as that is known. */
static int holds_group(const Probe *c, unsigned depth, Error *err)
{
        bool any = strcasecmp(c->node->name, "or") == 0,
             none = strcasecmp(c->node->name, "not") == 0;
        bool empty = true;

        if (depth > MAX_DEPTH)
                return error_set(err, ERROR_CHANGELOG, "conditions are nested too deeply");
        for (const Node *n = c->node->children; n; n = n->next) {
                Probe inner = *c;
                int r;

                if (n->attribute || !is_condition(n->name))
                        continue;
                empty = false;
                inner.node = n;
                r = holds(&inner, depth + 1, err);
                if (r < 0)
                        return r;
                if (r == (any || none)) {
                        if (none)
                                *c->failed = c->node;
                        return any;
                }
                if (r == 0 && !any && !none)
                        return 0;
        }
        if (any && !empty)
                *c->failed = c->node;
        return !any || empty;
}

static int holds_itself(const Probe *c, unsigned depth, Error *err)
{
        for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
                if (strcasecmp(questions[i].name, c->node->name) == 0)
                        return ask(c, questions[i].sql, err);
        for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
                if (strcasecmp(checks[i].name, c->node->name) == 0)
                        return checks[i].holds(c, err);
        return holds_group(c, depth, err);
}

static int holds(const Probe *c, unsigned depth, Error *err)
{
        int r = holds_itself(c, depth, err);

        if (r == 0 && !is_group(c->node->name))
                *c->failed = c->node;
        return r;
}

int condition_holds(const Model *m, const ChangelogFile *file, const Node *condition,
                    const FormatContext *ctx, PgSession *s, const Node **failed, Error *err)
{
        const Probe c = { .model = m,
                          .file = file,
                          .node = condition,
                          .ctx = ctx,
                          .session = s,
                          .failed = failed };

        *failed = condition;
        return holds(&c, 0, err);
}
