#include <string.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_constraint.h"
#include "format/liquibase/sql/sql_table.h"

/* PostgreSQL's limit. */
#define MAX_COLUMNS 1600
/* Bytes of a table's name that go into the name of its primary key. */
#define KEY_NAME_BYTES 58

typedef struct Table {
        const Change *change;
        const SqlContext *context;
        const Field *columns;
        const char *schema, *name;
} Table;

static const Object *constraints_of(const Table *table, size_t i)
{
        return object_object(table->columns->items[i], "constraints");
}

static bool constraint_flag(const Object *constraints, const char *name, bool unset)
{
        return constraints ? object_flag(constraints, name, unset) : unset;
}

static const char *column_name(const Table *table, size_t i)
{
        return sql_attribute_of(table->columns->items[i], "name");
}

/* ---- columns ---- */

void sql_identity(Text *t, const SqlContext *x, const Object *column, const SqlType *type)
{
        const char *generation = sql_attribute_of(column, "generationType");
        const char *start = sql_attribute_of(column, "startWith");
        const char *step = sql_attribute_of(column, "incrementBy");

        if (!type->auto_increment || (x->server_version > 0 && x->server_version < 100000))
                return;
        sql_form(t, x, " GENERATED %S AS IDENTITY", generation ? generation : "BY DEFAULT");
        /* one is where a sequence starts anyway */
        start = start && strcmp(start, "1") != 0 ? start : NULL;
        step = step && strcmp(step, "1") != 0 ? step : NULL;
        if (!start && !step)
                return;
        text_add(t, " (");
        if (start)
                sql_form(t, x, "START WITH %S", start);
        if (step)
                sql_form(t, x, "%SINCREMENT BY %S", start ? " " : "", step);
        text_addc(t, ')');
}

int sql_column_type(SqlType *ret, const SqlContext *x, const Change *c, const Object *column,
                    Error *err)
{
        const char *table = sql_attribute(c, "tableName"), *name = sql_attribute_of(column, "name");
        int r;

        r = sql_type(ret, x, object_text(column, "type"),
                     object_flag(column, "autoIncrement", false), err);
        if (r < 0)
                return error_prefix(err, "%s.%s", table ? table : "", name ? name : "");
        return r;
}

static int add_column(Text *t, const Table *table, size_t i, Error *err)
{
        const SqlContext *x = table->context;
        const Object *column = table->columns->items[i], *constraints = constraints_of(table, i);
        SqlType type = { 0 };
        int r;

        r = sql_column_type(&type, x, table->change, column, err);
        if (r < 0)
                return r;
        sql_form(t, x, "%S%N %S", i ? ", " : "", column_name(table, i), type.text);
        r = sql_default(t, x, column, &type, err);
        if (r < 0)
                return error_prefix(err, "%s.%s", table->name ? table->name : "",
                                    column_name(table, i) ? column_name(table, i) : "");
        sql_identity(t, x, column, &type);
        if (constraint_flag(constraints, "primaryKey", false) ||
            !constraint_flag(constraints, "nullable", true))
                text_add(t, " NOT NULL");
        return 0;
}

/* ---- constraints ---- */

/* The name PostgreSQL would choose; longer names are cut a character earlier than need be. */
static void add_key_name(Text *t, const Table *table)
{
        _cleanup_text_ Text name = TEXT_INIT(SQL_FORM_MAX);
        const char *s = table->name ? table->name : "";
        size_t len = strlen(s);

        if (len > KEY_NAME_BYTES) {
                len = KEY_NAME_BYTES;
                while (len > 0 && ((unsigned char) s[len] & 0xc0) == 0x80)
                        len--;
                if (len == KEY_NAME_BYTES)
                        len--;
                while (len > 0 && ((unsigned char) s[len] & 0xc0) == 0x80)
                        len--;
        }
        text_append(&name, s, len);
        text_add(&name, "_pkey");
        if (name.bad)
                t->bad = true;
        sql_name(t, table->context, text_str(&name));
}

/* The first of the key's columns that says it. */
static const char *of_key(const Table *table, const char *attribute)
{
        for (size_t i = 0; i < table->columns->n_items; i++) {
                const Object *constraints = constraints_of(table, i);
                const char *s = sql_attribute_of(constraints, attribute);

                if (s && constraint_flag(constraints, "primaryKey", false))
                        return s;
        }
        return NULL;
}

static bool key_flag(const Table *table, const char *attribute)
{
        const char *s = of_key(table, attribute);

        return s && java_true(s);
}

static void add_primary_key(Text *t, const Table *table)
{
        const char *name = of_key(table, "primaryKeyName");
        const char *tablespace = of_key(table, "primaryKeyTablespace");
        bool any = false;

        for (size_t i = 0; i < table->columns->n_items; i++) {
                if (!constraint_flag(constraints_of(table, i), "primaryKey", false))
                        continue;
                if (any) {
                        text_add(t, ", ");
                } else {
                        text_add(t, ", CONSTRAINT ");
                        if (name)
                                sql_name(t, table->context, name);
                        else
                                add_key_name(t, table);
                        text_add(t, " PRIMARY KEY (");
                }
                any = true;
                sql_form(t, table->context, "%N", column_name(table, i));
        }
        if (!any)
                return;
        text_addc(t, ')');
        if (tablespace)
                sql_form(t, table->context, " USING INDEX TABLESPACE %S", tablespace);
        if (key_flag(table, "initiallyDeferred"))
                text_add(t, " INITIALLY DEFERRED");
        if (key_flag(table, "deferrable"))
                text_add(t, " DEFERRABLE");
}

static int add_foreign_key(Text *t, const Table *table, size_t i, Error *err)
{
        const SqlContext *x = table->context;
        const Object *k = constraints_of(table, i);
        const char *references = sql_attribute_of(k, "references");
        const char *referenced = sql_attribute_of(k, "referencedTableName");
        const char *columns = sql_attribute_of(k, "referencedColumnNames");
        const char *name = sql_attribute_of(k, "foreignKeyName");

        if (!references && !(referenced && columns))
                return 0;
        if (!name) {
                (void) error_set(
                        err, ERROR_CHANGELOG,
                        "createTable of %s: the constraint of column %s that references %s has "
                        "no foreignKeyName",
                        table->name ? table->name : "",
                        column_name(table, i) ? column_name(table, i) : "",
                        references ? references : referenced);
                return error_hint(err, "give it one");
        }
        sql_form(t, x, ", CONSTRAINT %N FOREIGN KEY (%N) REFERENCES ", name, column_name(table, i));
        if (!references)
                sql_form(t, x, "%T(%C)", sql_attribute_of(k, "referencedTableSchemaName"),
                         referenced, columns);
        else if (x->default_schema && !strchr(references, '.'))
                sql_form(t, x, "%N.%S", x->default_schema, references);
        else
                text_add(t, references);
        if (object_flag(k, "deleteCascade", false))
                text_add(t, " ON DELETE CASCADE");
        if (object_flag(k, "initiallyDeferred", false))
                text_add(t, " INITIALLY DEFERRED");
        if (object_flag(k, "deferrable", false))
                text_add(t, " DEFERRABLE");
        return 0;
}

/* The name of the unique constraint that the column is part of; "" when it has none, NULL when the column is not unique. */
static const char *unique_name(const Table *table, size_t i)
{
        const Object *constraints = constraints_of(table, i);
        const char *name = sql_attribute_of(constraints, "uniqueConstraintName");

        if (!constraint_flag(constraints, "unique", false))
                return NULL;
        return name ? name : "";
}

static bool is_same_unique(const Table *table, size_t i, const char *name)
{
        const char *other = unique_name(table, i);

        return other && strcmp(other, name) == 0;
}

/* One constraint of all columns that give its name. */
static void add_named_unique(Text *t, const Table *table, size_t first, const char *name)
{
        for (size_t i = 0; i < first; i++)
                if (is_same_unique(table, i, name))
                        return;
        sql_form(t, table->context, ", CONSTRAINT %N UNIQUE (%N", name, column_name(table, first));
        for (size_t i = first + 1; i < table->columns->n_items; i++)
                if (is_same_unique(table, i, name))
                        sql_form(t, table->context, ", %N", column_name(table, i));
        text_addc(t, ')');
}

static void add_uniques(Text *t, const Table *table)
{
        const char *name;

        for (size_t i = 0; i < table->columns->n_items; i++)
                if (is_same_unique(table, i, ""))
                        sql_form(t, table->context, ", UNIQUE (%N)", column_name(table, i));
        for (size_t i = 0; i < table->columns->n_items; i++) {
                name = unique_name(table, i);
                if (name && *name)
                        add_named_unique(t, table, i, name);
        }
}

/* ---- the table ---- */

/* "CREATE TEMPORARY TABLE ", the type in capitals; a temporary table has no schema. */
static void add_head(Text *t, const Table *table)
{
        const char *type = sql_attribute(table->change, "tableType");
        bool temporary = type && strcasestr(type, "temp");

        text_add(t, "CREATE ");
        for (const char *p = type ? type : ""; *p; p++)
                text_addc(t, *p >= 'a' && *p <= 'z' ? (char) (*p - 'a' + 'A') : *p);
        text_add(t, type ? " TABLE " : "TABLE ");
        if (object_flag(&table->change->fields, "ifNotExists", false))
                text_add(t, "IF NOT EXISTS ");
        if (temporary)
                sql_form(t, table->context, "%N (", table->name);
        else
                sql_form(t, table->context, "%T (", table->schema, table->name);
}

static int add_table(Text *t, const Table *table, Error *err)
{
        const char *tablespace = sql_attribute(table->change, "tablespace");
        int r;

        add_head(t, table);
        for (size_t i = 0; i < table->columns->n_items; i++) {
                r = add_column(t, table, i, err);
                if (r < 0)
                        return r;
        }
        add_primary_key(t, table);
        for (size_t i = 0; i < table->columns->n_items; i++) {
                r = add_foreign_key(t, table, i, err);
                if (r < 0)
                        return r;
        }
        add_uniques(t, table);
        text_addc(t, ')');
        if (tablespace)
                sql_form(t, table->context, " TABLESPACE %S", tablespace);
        return 0;
}

int sql_emit_column_comments(SqlList *out, const Change *c, const SqlContext *x,
                             const Field *columns, Error *err)
{
        int r;

        for (size_t i = 0; columns && i < columns->n_items; i++) {
                const char *remarks = sql_attribute_of(columns->items[i], "remarks");
                const char *name = sql_attribute_of(columns->items[i], "name");

                if (!remarks || !java_trimmed(out->arena, remarks))
                        continue;
                r = sql_emit_comment(out, c, x, name ? name : "", remarks, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Where a serial column starts, for servers without identity columns. */
static int start_sequences(SqlList *out, const Table *table, Error *err)
{
        _cleanup_text_ Text name = TEXT_INIT(SQL_FORM_MAX);
        const SqlContext *x = table->context;
        int r = 0;

        if (x->server_version == 0 || x->server_version >= 100000)
                return 0;
        for (size_t i = 0; i < table->columns->n_items && r >= 0; i++) {
                const Object *column = table->columns->items[i];
                const char *start = sql_attribute_of(column, "startWith");

                if (!start || !object_flag(column, "autoIncrement", false))
                        continue;
                text_clear(&name);
                sql_form(&name, x, "%S_%S_seq", table->name, column_name(table, i));
                r = sql_emit(out, table->change, x, err, "alter sequence %T start with %S",
                             table->schema, text_str(&name), start);
        }
        return r;
}

int change_sql_create_table(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        static const Field none = { .kind = FIELD_LIST };
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);
        const Field *columns = object_field(&c->fields, "columns");
        const char *remarks = sql_attribute(c, "remarks");
        const Table table = { c, x, columns ? columns : &none, sql_attribute(c, "schemaName"),
                              sql_attribute(c, "tableName") };
        int r;

        if (table.columns->n_items > MAX_COLUMNS)
                return error_set(err, ERROR_CHANGELOG,
                                 "createTable of %s: %zu columns, PostgreSQL has %d at most",
                                 table.name ? table.name : "", table.columns->n_items, MAX_COLUMNS);
        r = add_table(&t, &table, err);
        if (r >= 0)
                r = sql_add(out, c, &t, err);
        if (r >= 0 && remarks && java_trimmed(out->arena, remarks))
                r = sql_emit_comment(out, c, x, NULL, remarks, err);
        if (r >= 0)
                r = sql_emit_column_comments(out, c, x, table.columns, err);
        if (r >= 0)
                r = start_sequences(out, &table, err);
        return r;
}
