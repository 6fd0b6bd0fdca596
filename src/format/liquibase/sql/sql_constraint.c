#include "format/liquibase/sql/sql_constraint.h"

#include "format/liquibase/sql/change_sql.h"

void sql_constraint_name(Text *t, const SqlContext *x, const char *name)
{
        if (name)
                sql_form(t, x, "CONSTRAINT %N ", name);
}

int sql_no_inverse(const char *class, const char *hint, Error *err)
{
        (void) error_set(err, ERROR_REFUSED, "No inverse to liquibase.change.core.%sChange created",
                         class);
        return error_hint(err, "%s", hint);
}

static int drop_constraint(SqlList *out, const Change *c, const SqlContext *x, const char *schema,
                           const char *table, Error *err)
{
        return sql_emit(out, c, x, err, "ALTER TABLE %T DROP CONSTRAINT %N",
                        sql_attribute(c, schema), sql_attribute(c, table),
                        sql_attribute(c, "constraintName"));
}

/* ---- primary keys ---- */

int change_sql_add_primary_key(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *schema = sql_attribute(c, "schemaName"), *table = sql_attribute(c, "tableName");
        const char *name = sql_attribute(c, "constraintName");
        const char *tablespace = sql_attribute(c, "tablespace");
        const char *index = sql_attribute(c, "forIndexName");
        int r;

        sql_form(&t, x, "ALTER TABLE %T ADD ", schema, table);
        sql_constraint_name(&t, x, name);
        sql_form(&t, x, "PRIMARY KEY (%C)", sql_attribute(c, "columnNames"));
        if (tablespace)
                sql_form(&t, x, " USING INDEX TABLESPACE %S", tablespace);
        if (index)
                sql_form(&t, x, " USING INDEX %T", sql_attribute(c, "forIndexSchemaName"), index);
        r = sql_add(out, c, &t, err);
        if (r < 0 || !name || !object_flag(&c->fields, "clustered", false))
                return r;
        return sql_emit(out, c, x, err, "CLUSTER %T USING %N", schema, table, name);
}

/* The name as the catalogue has it: PostgreSQL folds what is not quoted. */
static void add_stored_name(Text *t, const SqlContext *x, const char *name)
{
        bool folded = !sql_needs_quotes(x, name);

        for (; *name; name++)
                text_addc(t, folded && *name >= 'A' && *name <= 'Z' ? (char) (*name - 'A' + 'a')
                                                                    : *name);
}

/* The constraint's name is not in the changelog: the server looks it up. */
static int drop_unnamed_primary_key(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text qualified = TEXT_INIT(SQL_FORM_MAX), stored = TEXT_INIT(SQL_FORM_MAX);
        _cleanup_text_ Text stored_schema = TEXT_INIT(SQL_FORM_MAX), drop = TEXT_INIT(SQL_FORM_MAX);
        const char *schema = sql_attribute(c, "schemaName"), *table = sql_attribute(c, "tableName");

        sql_form(&drop, x, "alter table %T drop constraint \"", schema, table);
        add_stored_name(&stored, x, table ? table : "");
        if (!schema)
                text_add(&stored_schema, x->default_schema ? x->default_schema : "public");
        else
                add_stored_name(&stored_schema, x, schema);
        if (drop.bad || stored.bad || stored_schema.bad)
                return error_oom(err, "a statement");
        return sql_emit(out, c, x, err,
                        "DO $$ DECLARE constraint_name varchar;\n"
                        "BEGIN\n"
                        "  SELECT tc.CONSTRAINT_NAME into strict constraint_name\n"
                        "    FROM INFORMATION_SCHEMA.TABLE_CONSTRAINTS tc\n"
                        "    WHERE CONSTRAINT_TYPE = 'PRIMARY KEY'\n"
                        "      AND TABLE_NAME = %L AND TABLE_SCHEMA = %L;\n"
                        "    EXECUTE %L || constraint_name || '\"';\n"
                        "END $$",
                        text_str(&stored), text_str(&stored_schema), text_str(&drop));
}

int change_sql_drop_primary_key(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        if (!sql_attribute(c, "constraintName"))
                return drop_unnamed_primary_key(out, c, x, err);
        return drop_constraint(out, c, x, "schemaName", "tableName", err);
}

int change_inverse_add_primary_key(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return change_sql_drop_primary_key(out, c, x, err);
}

/* ---- foreign keys ---- */

int sql_emit_foreign_key(SqlList *out, const Change *c, const SqlContext *x, const ForeignKey *k,
                         Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);

        sql_form(&t, x, "ALTER TABLE %T ADD ", k->schema, k->table);
        sql_constraint_name(&t, x, k->name);
        sql_form(&t, x, "FOREIGN KEY (%C) REFERENCES %T (%C)", k->columns, k->referenced_schema,
                 k->referenced_table, k->referenced_columns);
        if (k->on_update)
                sql_form(&t, x, " ON UPDATE %S", k->on_update);
        if (k->on_delete)
                sql_form(&t, x, " ON DELETE %S", k->on_delete);
        if (k->deferrable)
                text_add(&t, " DEFERRABLE");
        if (k->initially_deferred)
                text_add(&t, " INITIALLY DEFERRED");
        if (k->not_valid)
                text_add(&t, " NOT VALID");
        return sql_add(out, c, &t, err);
}

int change_sql_add_foreign_key_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                          Error *err)
{
        const ForeignKey k = {
                .schema = sql_attribute(c, "baseTableSchemaName"),
                .table = sql_attribute(c, "baseTableName"),
                .columns = sql_attribute(c, "baseColumnNames"),
                .name = sql_attribute(c, "constraintName"),
                .referenced_schema = sql_attribute(c, "referencedTableSchemaName"),
                .referenced_table = sql_attribute(c, "referencedTableName"),
                .referenced_columns = sql_attribute(c, "referencedColumnNames"),
                .on_update = sql_attribute(c, "onUpdate"),
                .on_delete = sql_attribute(c, "onDelete"),
                .deferrable = object_flag(&c->fields, "deferrable", false),
                .initially_deferred = object_flag(&c->fields, "initiallyDeferred", false),
                .not_valid = !object_flag(&c->fields, "validate", true),
        };

        return sql_emit_foreign_key(out, c, x, &k, err);
}

int change_sql_drop_foreign_key_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                           Error *err)
{
        return drop_constraint(out, c, x, "baseTableSchemaName", "baseTableName", err);
}

int change_inverse_add_foreign_key_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                              Error *err)
{
        return change_sql_drop_foreign_key_constraint(out, c, x, err);
}

/* Liquibase asks the database for the names and issues one DROP each; here the server does both at once. */
int change_sql_drop_all_foreign_key_constraints(SqlList *out, const Change *c, const SqlContext *x,
                                                Error *err)
{
        _cleanup_text_ Text table = TEXT_INIT(SQL_FORM_MAX), alter = TEXT_INIT(SQL_FORM_MAX);

        sql_form(&table, x, "%T", sql_attribute(c, "baseTableSchemaName"),
                 sql_attribute(c, "baseTableName"));
        sql_form(&alter, x, "ALTER TABLE %S DROP CONSTRAINT ", text_str(&table));
        if (table.bad || alter.bad)
                return error_oom(err, "a statement");
        return sql_emit(out, c, x, err,
                        "DO $$ DECLARE constraint_name name;\n"
                        "BEGIN\n"
                        "  FOR constraint_name IN SELECT conname FROM pg_catalog.pg_constraint\n"
                        "    WHERE contype = 'f' AND conrelid = pg_catalog.to_regclass(%L)\n"
                        "    ORDER BY conname LOOP\n"
                        "    EXECUTE %L || pg_catalog.quote_ident(constraint_name);\n"
                        "  END LOOP;\n"
                        "END $$",
                        text_str(&table), text_str(&alter));
}

/* ---- unique constraints ---- */

int change_sql_add_unique_constraint(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const char *index = sql_attribute(c, "forIndexName");
        const char *tablespace = sql_attribute(c, "tablespace");

        sql_form(&t, x, "ALTER TABLE %T ADD ", sql_attribute(c, "schemaName"),
                 sql_attribute(c, "tableName"));
        sql_constraint_name(&t, x, sql_attribute(c, "constraintName"));
        sql_form(&t, x, "UNIQUE (%C)", sql_attribute(c, "columnNames"));
        if (object_flag(&c->fields, "deferrable", false))
                text_add(&t, " DEFERRABLE");
        if (object_flag(&c->fields, "initiallyDeferred", false))
                text_add(&t, " INITIALLY DEFERRED");
        if (index)
                sql_form(&t, x, " USING INDEX %T", sql_attribute(c, "forIndexSchemaName"), index);
        if (tablespace)
                sql_form(&t, x, " USING INDEX TABLESPACE %S", tablespace);
        return sql_add(out, c, &t, err);
}

int change_sql_drop_unique_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                      Error *err)
{
        return drop_constraint(out, c, x, "schemaName", "tableName", err);
}

/* Without a name Liquibase writes null, which PostgreSQL refuses: so a rollback that cannot work does nothing. */
int change_inverse_add_unique_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                         Error *err)
{
        if (sql_attribute(c, "constraintName"))
                return change_sql_drop_unique_constraint(out, c, x, err);
        return sql_emit(out, c, x, err, "ALTER TABLE %T DROP CONSTRAINT null",
                        sql_attribute(c, "schemaName"), sql_attribute(c, "tableName"));
}
