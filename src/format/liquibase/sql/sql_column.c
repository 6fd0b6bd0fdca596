#include <string.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_table.h"

/* A statement about the column of the change; the form takes schema, table and column. */
static int emit_column(SqlList *out, const Change *c, const SqlContext *x, const char *form,
                       Error *err)
{
        return sql_emit(out, c, x, err, form, sql_attribute(c, "schemaName"),
                        sql_attribute(c, "tableName"), sql_attribute(c, "columnName"));
}

int change_sql_drop_column(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        const Field *columns = object_field(&c->fields, "columns");
        int r = 0;

        if (!columns || columns->n_items == 0)
                return emit_column(out, c, x, "ALTER TABLE %T DROP COLUMN %N", err);
        for (size_t i = 0; i < columns->n_items && r >= 0; i++)
                r = sql_emit(out, c, x, err, "ALTER TABLE %T DROP COLUMN %N",
                             sql_attribute(c, "schemaName"), sql_attribute(c, "tableName"),
                             sql_attribute_of(columns->items[i], "name"));
        return r;
}

static int rename_column(SqlList *out, const Change *c, const SqlContext *x, const char *from,
                         const char *to, Error *err)
{
        return sql_emit(out, c, x, err, "ALTER TABLE %T RENAME COLUMN %N TO %N",
                        sql_attribute(c, "schemaName"), sql_attribute(c, "tableName"),
                        sql_attribute(c, from), sql_attribute(c, to));
}

int change_sql_rename_column(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_column(out, c, x, "oldColumnName", "newColumnName", err);
}

int change_inverse_rename_column(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_column(out, c, x, "newColumnName", "oldColumnName", err);
}

int change_sql_modify_data_type(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        const char *column = sql_attribute(c, "columnName"), *table = sql_attribute(c, "tableName");
        SqlType type = { 0 };
        int r;

        r = sql_type(&type, x, object_text(&c->fields, "newDataType"), false, err);
        if (r < 0)
                return error_prefix(err, "%s.%s", table ? table : "", column ? column : "");
        return sql_emit(out, c, x, err, "ALTER TABLE %T ALTER COLUMN %N TYPE %S USING (%N::%S)",
                        sql_attribute(c, "schemaName"), table, column, type.text, column,
                        type.text);
}

/* ---- not null ---- */

int change_sql_add_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                       Error *err)
{
        const char *value = object_text(&c->fields, "defaultNullValue");
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        int r = 0;

        if (value) {
                sql_form(&t, x, "UPDATE %T SET %N = ", sql_attribute(c, "schemaName"),
                         sql_attribute(c, "tableName"), sql_attribute(c, "columnName"));
                sql_string(&t, value);
                sql_form(&t, x, " WHERE %N IS NULL", sql_attribute(c, "columnName"));
                r = sql_add(out, c, &t, err);
        }
        if (r < 0)
                return r;
        return emit_column(out, c, x, "ALTER TABLE %T ALTER COLUMN  %N SET NOT NULL", err);
}

int change_sql_drop_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                        Error *err)
{
        return emit_column(out, c, x, "ALTER TABLE %T ALTER COLUMN  %N DROP NOT NULL", err);
}

int change_inverse_add_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                           Error *err)
{
        return change_sql_drop_not_null_constraint(out, c, x, err);
}

int change_inverse_drop_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                            Error *err)
{
        return emit_column(out, c, x, "ALTER TABLE %T ALTER COLUMN  %N SET NOT NULL", err);
}

/* ---- defaults ---- */

int change_sql_add_default_value(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *schema = sql_attribute(c, "schemaName"), *table = sql_attribute(c, "tableName");
        const char *column = sql_attribute(c, "columnName");
        int from, r;

        sql_form(&t, x, "ALTER TABLE %T ALTER COLUMN  %N SET DEFAULT ", schema, table, column);
        from = sql_untyped_default(&t, x, c, out->arena);
        if (from == 0)
                text_add(&t, "null");
        r = sql_add(out, c, &t, err);
        if (r < 0 || from != 2)
                return r;
        return sql_emit(out, c, x, err, "ALTER SEQUENCE %T OWNED BY %T.%N", schema,
                        sql_attribute(c, "defaultValueSequenceNext"), schema, table, column);
}

int change_sql_drop_default_value(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return emit_column(out, c, x, "ALTER TABLE %T ALTER COLUMN %N DROP DEFAULT", err);
}

int change_inverse_add_default_value(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return change_sql_drop_default_value(out, c, x, err);
}

/* ---- automatic values ---- */

/* "t_c_seq", in lower case unless table or column has to be quoted. */
static const char *sequence_name(Arena *a, const Change *c, const SqlContext *x)
{
        const char *table = sql_attribute(c, "tableName");
        const char *column = sql_attribute(c, "columnName");
        const char *name;

        table = table ? table : "";
        column = column ? column : "";
        name = arena_printf(a, "%s_%s_seq", table, column);
        if (!name || sql_needs_quotes(x, table) || sql_needs_quotes(x, column))
                return name;
        return java_lower(a, name);
}

static int create_sequence(SqlList *out, const Change *c, const SqlContext *x, const char *name,
                           Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *start = sql_attribute(c, "startWith"), *step = sql_attribute(c, "incrementBy");

        text_add(&t, "CREATE SEQUENCE  ");
        if (x->server_version == 0 || x->server_version >= 90500)
                text_add(&t, "IF NOT EXISTS ");
        sql_form(&t, x, "%T", sql_attribute(c, "schemaName"), name);
        if (start)
                sql_form(&t, x, " START WITH %S", start);
        if (step)
                sql_form(&t, x, " INCREMENT BY %S", step);
        return sql_add(out, c, &t, err);
}

int change_sql_add_auto_increment(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *schema = sql_attribute(c, "schemaName"), *table = sql_attribute(c, "tableName");
        const char *column = sql_attribute(c, "columnName");
        const char *sequence = sequence_name(out->arena, c, x);
        int r;

        if (!sequence)
                return error_oom(err, "the name of a sequence");
        r = create_sequence(out, c, x, sequence, err);
        if (r >= 0)
                r = emit_column(out, c, x, "ALTER TABLE %T ALTER COLUMN  %N SET NOT NULL", err);
        if (r < 0)
                return r;
        sql_form(&t, x, "ALTER TABLE %T ALTER COLUMN  %N SET DEFAULT ", schema, table, column);
        sql_sequence(&t, x, "nextval", schema, sequence);
        r = sql_add(out, c, &t, err);
        if (r < 0)
                return r;
        return sql_emit(out, c, x, err, "ALTER SEQUENCE %T OWNED BY %T.%N", schema, sequence,
                        schema, table, column);
}
