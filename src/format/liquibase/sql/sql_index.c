#include <string.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_constraint.h"

static void add_column(Text *t, const SqlContext *x, const Object *column)
{
        const char *name = sql_attribute_of(column, "name");

        if (!name)
                return;
        if (strchr(name, '(') || object_flag(column, "computed", false))
                text_add(t, name);
        else
                sql_name(t, x, name);
        if (object_flag(column, "descending", false))
                text_add(t, " DESC");
}

/* Of an index that a constraint brings along nothing is issued. */
static bool comes_with_constraint(const Change *c)
{
        static const char *const constraints[] = { "primaryKey", "uniqueConstraint", "foreignKey" };
        const char *with = sql_attribute(c, "associatedWith");

        for (size_t i = 0; with && i < sizeof(constraints) / sizeof(constraints[0]); i++)
                if (strstr(with, constraints[i]))
                        return true;
        return false;
}

int change_sql_create_index(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *schema = sql_attribute(c, "schemaName"), *table = sql_attribute(c, "tableName");
        const char *name = sql_attribute(c, "indexName");
        const char *tablespace = sql_attribute(c, "tablespace");
        const Field *columns = object_field(&c->fields, "columns");
        int r;

        if (comes_with_constraint(c))
                return 0;
        text_add(&t, object_flag(&c->fields, "unique", false) ? "CREATE UNIQUE INDEX "
                                                              : "CREATE INDEX ");
        if (name)
                sql_form(&t, x, "%N ", name);
        sql_form(&t, x, "ON %T(", schema, table);
        for (size_t i = 0; columns && i < columns->n_items; i++) {
                text_add(&t, i ? ", " : "");
                add_column(&t, x, columns->items[i]);
        }
        text_addc(&t, ')');
        if (tablespace)
                sql_form(&t, x, " TABLESPACE %S", tablespace);
        r = sql_add(out, c, &t, err);
        if (r < 0 || !name || !object_flag(&c->fields, "clustered", false))
                return r;
        return sql_emit(out, c, x, err, "CLUSTER %T USING %N", schema, table, name);
}

int change_sql_drop_index(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit(out, c, x, err, "DROP INDEX %T", sql_attribute(c, "schemaName"),
                        sql_attribute(c, "indexName"));
}

int change_inverse_create_index(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        if (!sql_attribute(c, "indexName"))
                return sql_no_inverse("CreateIndex", "the index has no indexName; write a rollback",
                                      err);
        return change_sql_drop_index(out, c, x, err);
}
