#include <stdio.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_constraint.h"
#include "format/liquibase/sql/sql_table.h"

int change_sql_drop_table(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit(out, c, x, err, "DROP TABLE %T%S", sql_attribute(c, "schemaName"),
                        sql_attribute(c, "tableName"),
                        object_flag(&c->fields, "cascadeConstraints", false) ? " CASCADE" : "");
}

int change_inverse_create_table(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit(out, c, x, err, "DROP TABLE %T", sql_attribute(c, "schemaName"),
                        sql_attribute(c, "tableName"));
}

static int rename_table(SqlList *out, const Change *c, const SqlContext *x, const char *from,
                        const char *to, Error *err)
{
        return sql_emit(out, c, x, err, "ALTER TABLE %T RENAME TO %N",
                        sql_attribute(c, "schemaName"), sql_attribute(c, from),
                        sql_attribute(c, to));
}

int change_sql_rename_table(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_table(out, c, x, "oldTableName", "newTableName", err);
}

int change_inverse_rename_table(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_table(out, c, x, "newTableName", "oldTableName", err);
}

int sql_emit_comment(SqlList *out, const Change *c, const SqlContext *x, const char *column,
                     const char *remarks, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *trimmed = java_trimmed(out->arena, remarks);

        sql_form(&t, x, column ? "COMMENT ON COLUMN %T" : "COMMENT ON TABLE %T",
                 sql_attribute(c, "schemaName"), sql_attribute(c, "tableName"));
        if (column)
                sql_form(&t, x, ".%N", column);
        sql_form(&t, x, " IS %L", trimmed);
        return sql_add(out, c, &t, err);
}

int change_sql_set_table_remarks(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit_comment(out, c, x, NULL, sql_attribute(c, "remarks"), err);
}

int change_sql_set_column_remarks(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        const char *column = sql_attribute(c, "columnName");

        return sql_emit_comment(out, c, x, column ? column : "", sql_attribute(c, "remarks"), err);
}

/* ---- a table of the values that a column has ---- */

/* The constraint of addLookupTable; name is room for the one that Liquibase makes up. */
static ForeignKey lookup_key(const Change *c, char *name, size_t size)
{
        ForeignKey k = {
                .schema = sql_attribute(c, "existingTableSchemaName"),
                .table = sql_attribute(c, "existingTableName"),
                .columns = sql_attribute(c, "existingColumnName"),
                .name = sql_attribute(c, "constraintName"),
                .referenced_schema = sql_attribute(c, "newTableSchemaName"),
                .referenced_table = sql_attribute(c, "newTableName"),
                .referenced_columns = sql_attribute(c, "newColumnName"),
        };

        if (k.name)
                return k;
        (void) snprintf(name, size, "FK_%s_%s", k.table ? k.table : "",
                        k.referenced_table ? k.referenced_table : "");
        for (char *p = name; *p; p++)
                if (*p >= 'a' && *p <= 'z')
                        *p = (char) (*p - 'a' + 'A');
        k.name = name;
        return k;
}

int change_sql_add_lookup_table(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        char name[512];
        const ForeignKey k = lookup_key(c, name, sizeof(name));
        int r;

        r = sql_emit(out, c, x, err,
                     "CREATE TABLE %T AS SELECT DISTINCT %N AS %N FROM %T WHERE %N IS NOT NULL",
                     k.referenced_schema, k.referenced_table, k.columns, k.referenced_columns,
                     k.schema, k.table, k.columns);
        if (r >= 0)
                r = sql_emit(out, c, x, err, "ALTER TABLE %T ALTER COLUMN  %N SET NOT NULL",
                             k.referenced_schema, k.referenced_table, k.referenced_columns);
        if (r >= 0)
                r = sql_emit(out, c, x, err, "ALTER TABLE %T ADD PRIMARY KEY (%C)",
                             k.referenced_schema, k.referenced_table, k.referenced_columns);
        if (r >= 0)
                r = sql_emit_foreign_key(out, c, x, &k, err);
        return r;
}

int change_inverse_add_lookup_table(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        char name[512];
        const ForeignKey k = lookup_key(c, name, sizeof(name));
        int r;

        r = sql_emit(out, c, x, err, "ALTER TABLE %T DROP CONSTRAINT %N", k.schema, k.table,
                     k.name);
        if (r < 0)
                return r;
        return sql_emit(out, c, x, err, "DROP TABLE %T", k.referenced_schema, k.referenced_table);
}
