#include <string.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_body.h"

static bool says_replace(const char *query)
{
        return strcasestr(query, "OR REPLACE") != NULL;
}

/* The whole definition is the author's; only OR REPLACE may have to be put in. */
static void add_definition(Text *t, const char *query, bool replace)
{
        const char *create = replace ? sql_find_word(query, "CREATE") : NULL;

        if (create) {
                text_append(t, query, (size_t) (create - query));
                text_add(t, "CREATE OR REPLACE");
                query = create + strlen("CREATE");
        }
        text_add(t, query);
}

int change_sql_create_view(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX);
        const char *schema = sql_attribute(c, "schemaName"), *view = sql_attribute(c, "viewName");
        const char *remarks = sql_attribute(c, "remarks"), *query;
        bool replace = object_flag(&c->fields, "replaceIfExists", false);
        int r = sql_body(&query, out->arena, c, x, "selectQuery", err);

        if (r < 0)
                return r;
        if (!query)
                return error_set(err, ERROR_CHANGELOG, "the view %s has no query",
                                 view ? view : "");
        replace = replace && !says_replace(query);
        if (object_flag(&c->fields, "fullDefinition", false)) {
                add_definition(&t, query, replace);
        } else {
                size_t len = strlen(query);

                query = java_trim(query, &len);
                sql_form(&t, x, "CREATE %SVIEW %T AS ", replace ? "OR REPLACE " : "", schema, view);
                text_append(&t, query, len);
        }
        r = sql_add(out, c, &t, err);
        if (r < 0 || !remarks)
                return r;
        return sql_emit(out, c, x, err, "COMMENT ON VIEW %T IS %L", schema, view, remarks);
}

int change_sql_drop_view(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit(out, c, x, err, "DROP VIEW %S%T",
                        object_flag(&c->fields, "ifExists", false) ? "IF EXISTS " : "",
                        sql_attribute(c, "schemaName"), sql_attribute(c, "viewName"));
}

int change_inverse_create_view(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit(out, c, x, err, "DROP VIEW %T", sql_attribute(c, "schemaName"),
                        sql_attribute(c, "viewName"));
}

static int rename_view(SqlList *out, const Change *c, const SqlContext *x, const char *from,
                       const char *to, Error *err)
{
        return sql_emit(out, c, x, err, "ALTER TABLE %T RENAME TO %N",
                        sql_attribute(c, "schemaName"), sql_attribute(c, from),
                        sql_attribute(c, to));
}

int change_sql_rename_view(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_view(out, c, x, "oldViewName", "newViewName", err);
}

/* Liquibase forgets the schema here, and so renames nothing, or another view. */
int change_inverse_rename_view(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_view(out, c, x, "newViewName", "oldViewName", err);
}
