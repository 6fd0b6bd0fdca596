#include <ctype.h>
#include <string.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_constraint.h"
#include "format/liquibase/sql/sql_table.h"

static bool constraint_flag(const Object *column, const char *name, bool unset)
{
        const Object *constraints = object_object(column, "constraints");

        return constraints ? object_flag(constraints, name, unset) : unset;
}

/* What already is in the table would not have a value: not null comes after the values. */
static bool is_filled(const Object *column)
{
        return sql_has_value(column) && !constraint_flag(column, "nullable", true);
}

static int add_column(SqlList *out, const Change *c, const SqlContext *x, const Object *column,
                      Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *name = sql_attribute_of(column, "name");
        SqlType type = { 0 };
        int r;

        r = sql_column_type(&type, x, c, column, err);
        if (r < 0)
                return r;
        sql_form(&t, x, "ALTER TABLE %T ADD %N %S", sql_attribute(c, "schemaName"),
                 sql_attribute(c, "tableName"), name, type.text);
        sql_identity(&t, x, column, &type);
        r = sql_default(&t, x, column, &type, err);
        if (r < 0)
                return error_prefix(err, "column %s", name ? name : "");
        if (!constraint_flag(column, "nullable", true) && !is_filled(column))
                text_add(&t, " NOT NULL");
        if (constraint_flag(column, "primaryKey", false))
                text_add(&t, " PRIMARY KEY");
        return sql_add(out, c, &t, err);
}

static int add_unique(SqlList *out, const Change *c, const SqlContext *x, const Object *column,
                      Error *err)
{
        const Object *constraints = object_object(column, "constraints");
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);

        if (!constraint_flag(column, "unique", false))
                return 0;
        sql_form(&t, x, "ALTER TABLE %T ADD ", sql_attribute(c, "schemaName"),
                 sql_attribute(c, "tableName"));
        sql_constraint_name(&t, x, sql_attribute_of(constraints, "uniqueConstraintName"));
        sql_form(&t, x, "UNIQUE (%N)", sql_attribute_of(column, "name"));
        return sql_add(out, c, &t, err);
}

/* Takes "schema.table(column)" apart; false: it is something else. */
static bool read_references(ForeignKey *k, Arena *a, const char *references)
{
        const char *open = strchr(references, '('), *dot;
        size_t len = strlen(references);

        if (!open || open == references || references[len - 1] != ')' ||
            open + 1 == references + len - 1)
                return false;
        for (const char *p = references; p < references + len - 1; p++)
                if (p != open && !isalnum((unsigned char) *p) && *p != '_' &&
                    !(*p == '.' && p < open))
                        return false;
        k->referenced_columns = arena_strndup(a, open + 1, (size_t) (references + len - open) - 2);
        dot = memchr(references, '.', (size_t) (open - references));
        if (dot && dot != references) {
                k->referenced_schema = arena_strndup(a, references, (size_t) (dot - references));
                references = dot + 1;
        }
        k->referenced_table = arena_strndup(a, references, (size_t) (open - references));
        return true;
}

static int add_foreign_key(SqlList *out, const Change *c, const SqlContext *x, const Object *column,
                           Error *err)
{
        const Object *constraints = object_object(column, "constraints");
        const char *references = sql_attribute_of(constraints, "references");
        ForeignKey k = {
                .schema = sql_attribute(c, "schemaName"),
                .table = sql_attribute(c, "tableName"),
                .columns = sql_attribute_of(column, "name"),
                .name = sql_attribute_of(constraints, "foreignKeyName"),
                .referenced_schema = sql_attribute_of(constraints, "referencedTableSchemaName"),
                .referenced_table = sql_attribute_of(constraints, "referencedTableName"),
                .referenced_columns = sql_attribute_of(constraints, "referencedColumnNames"),
                .on_delete = constraint_flag(column, "deleteCascade", false) ? "CASCADE" : NULL,
                .deferrable = constraint_flag(column, "deferrable", false),
                .initially_deferred = constraint_flag(column, "initiallyDeferred", false),
        };

        if (references && !read_references(&k, out->arena, references)) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "Don't know how to find table and column names from %s",
                                 references);
                return error_hint(err, "write references=\"table(column)\"");
        }
        if (!k.referenced_table || !k.referenced_columns)
                return 0;
        return sql_emit_foreign_key(out, c, x, &k, err);
}

/* UPDATE ... SET column = value, and what had to wait for it. */
static int fill_column(SqlList *out, const Change *c, const SqlContext *x, const Object *column,
                       Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);

        sql_form(&t, x, "UPDATE %T SET %N = ", sql_attribute(c, "schemaName"),
                 sql_attribute(c, "tableName"), sql_attribute_of(column, "name"));
        if (!sql_value(&t, x, c, column))
                return 0;
        return sql_add(out, c, &t, err);
}

static int require_value(SqlList *out, const Change *c, const SqlContext *x, const Object *column,
                         Error *err)
{
        if (!is_filled(column))
                return 0;
        return sql_emit(out, c, x, err, "ALTER TABLE %T ALTER COLUMN  %N SET NOT NULL",
                        sql_attribute(c, "schemaName"), sql_attribute(c, "tableName"),
                        sql_attribute_of(column, "name"));
}

typedef int (*ColumnSql)(SqlList *out, const Change *c, const SqlContext *x, const Object *column,
                         Error *err);

/* Steps of one group are taken for a column before the next column. */
static int each_column(SqlList *out, const Change *c, const SqlContext *x, const Field *columns,
                       const ColumnSql *steps, Error *err)
{
        int r;

        for (size_t i = 0; columns && i < columns->n_items; i++)
                for (const ColumnSql *step = steps; *step; step++) {
                        r = (*step)(out, c, x, columns->items[i], err);
                        if (r < 0)
                                return r;
                }
        return 0;
}

int change_sql_add_column(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        static const ColumnSql groups[][4] = {
                { add_column, add_unique, add_foreign_key, NULL },
                { fill_column, require_value, NULL },
        };
        const Field *columns = object_field(&c->fields, "columns");
        int r = 0;

        for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && r >= 0; i++)
                r = each_column(out, c, x, columns, groups[i], err);
        if (r < 0)
                return r;
        return sql_emit_column_comments(out, c, x, columns, err);
}

static int drop_column(SqlList *out, const Change *c, const SqlContext *x, const Object *column,
                       Error *err)
{
        const char *schema = sql_attribute(c, "schemaName"), *table = sql_attribute(c, "tableName");
        const char *name = sql_attribute_of(column, "name");
        int r = 0;

        if (sql_has_default(column))
                r = sql_emit(out, c, x, err, "ALTER TABLE %T ALTER COLUMN %N DROP DEFAULT", schema,
                             table, name);
        if (r < 0)
                return r;
        return sql_emit(out, c, x, err, "ALTER TABLE %T DROP COLUMN %N", schema, table, name);
}

int change_inverse_add_column(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        static const ColumnSql steps[] = { drop_column, NULL };

        return each_column(out, c, x, object_field(&c->fields, "columns"), steps, err);
}

/* ---- two columns become one ---- */

int change_sql_merge_columns(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        const char *schema = sql_attribute(c, "schemaName"), *table = sql_attribute(c, "tableName");
        const char *final = sql_attribute(c, "finalColumnName");
        const char *first = sql_attribute(c, "column1Name"),
                   *second = sql_attribute(c, "column2Name");
        SqlType type = { 0 };
        int r;

        r = sql_type(&type, x, sql_attribute(c, "finalColumnType"), false, err);
        if (r < 0)
                return error_prefix(err, "%s.%s", table ? table : "", final ? final : "");
        r = sql_emit(out, c, x, err, "ALTER TABLE %T ADD %N %S", schema, table, final, type.text);
        if (r >= 0)
                r = sql_emit(out, c, x, err, "UPDATE %T SET %N = %N || %L || %N", schema, table,
                             final, first, sql_attribute(c, "joinString"), second);
        if (r >= 0)
                r = sql_emit(out, c, x, err, "ALTER TABLE %T DROP COLUMN %N", schema, table, first);
        if (r >= 0)
                r = sql_emit(out, c, x, err, "ALTER TABLE %T DROP COLUMN %N", schema, table,
                             second);
        return r;
}
