/* insert, update, delete. */
#include "format/liquibase/sql/sql_data.h"

#include <string.h>

#include "format/liquibase/change/object.h"
#include "format/liquibase/sql/change_sql.h"

int sql_add_value(Text *t, Arena *a, const SqlContext *x, const Change *c, const Object *column,
                  Error *err)
{
        const char *clob = sql_attribute_of(column, "valueClobFile");
        const char *blob = sql_attribute_of(column, "valueBlobFile");

        if (sql_value(t, x, c, column))
                return 0;
        if (clob)
                return content_add_text(t, a, x, c, clob, sql_attribute_of(column, "encoding"),
                                        err);
        if (blob)
                return content_add_bytes(t, x, c, sql_attribute_of(column, "name"), blob, err);
        text_add(t, "NULL");
        return 0;
}

int change_sql_insert(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX), values = TEXT_INIT(SQL_DATA_MAX);
        const Field *columns = object_field(&c->fields, "columns");
        const char *separator = "";
        int r = 0;

        sql_form(&t, x, "INSERT INTO %T (", sql_attribute(c, "schemaName"),
                 sql_attribute(c, "tableName"));
        for (size_t i = 0; r >= 0 && columns && i < columns->n_items; i++) {
                const Object *column = columns->items[i];

                if (object_flag(column, "autoIncrement", false))
                        continue;
                sql_form(&t, x, "%S%N", separator, sql_attribute_of(column, "name"));
                text_add(&values, separator);
                r = sql_add_value(&values, out->arena, x, c, column, err);
                separator = ", ";
        }
        if (r < 0)
                return r;
        text_add(&t, ") VALUES (");
        text_append(&t, text_str(&values), values.len);
        text_addc(&t, ')');
        t.bad = t.bad || values.bad;
        return sql_add(out, c, &t, err);
}

/* ---- conditions ---- */

/* The next <param> of the change; NULL: there are no more. */
static const Node *next_param(const Change *c, const Node *after)
{
        const Node *params = c->node ? node_child(c->node, "whereParams") : NULL;

        return params ? node_each(params, "param", after) : NULL;
}

typedef struct Placeholders {
        const Node *name, *value; /* the last ones put in */
        bool no_more_names, no_more_values;
} Placeholders;

static void add_param_name(Text *t, const SqlContext *x, const Change *c, Placeholders *p)
{
        const char *name = NULL;

        while (!p->no_more_names && !name) {
                p->name = next_param(c, p->name);
                p->no_more_names = !p->name;
                name = p->name ? node_text(p->name, "name") : NULL;
        }
        if (name)
                sql_name(t, x, name);
        else
                text_add(t, ":name");
}

static int add_param_value(Text *t, Arena *a, const SqlContext *x, const Change *c, Placeholders *p,
                           const char *placeholder, Error *err)
{
        Object column;
        int r;

        if (!p->no_more_values)
                p->value = next_param(c, p->value);
        p->no_more_values = !p->value;
        if (!p->value) {
                text_add(t, placeholder);
                return 0;
        }
        r = column_read(&column, a, p->value, false, NULL, c->set->file->physical, err);
        return r < 0 ? r : sql_add_value(t, a, x, c, &column, err);
}

int sql_add_where(Text *t, Arena *a, const SqlContext *x, const Change *c, Error *err)
{
        Placeholders p = { .name = NULL };
        const char *s = java_trimmed(a, object_text(&c->fields, "where"));
        int r = 0;

        if (!s)
                return 0;
        text_add(t, " WHERE ");
        while (r >= 0 && *s) {
                if (strncmp(s, ":name", 5) == 0) {
                        add_param_name(t, x, c, &p);
                        s += 5;
                } else if (strncmp(s, ":value", 6) == 0) {
                        r = add_param_value(t, a, x, c, &p, ":value", err);
                        s += 6;
                } else if (*s == '?') {
                        r = add_param_value(t, a, x, c, &p, "?", err);
                        s++;
                } else {
                        text_addc(t, *s++);
                }
        }
        return r;
}

int change_sql_update(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX);
        const Field *columns = object_field(&c->fields, "columns");
        int r = 0;

        sql_form(&t, x, "UPDATE %T SET", sql_attribute(c, "schemaName"),
                 sql_attribute(c, "tableName"));
        for (size_t i = 0; r >= 0 && columns && i < columns->n_items; i++) {
                sql_form(&t, x, "%S %N = ", i ? "," : "",
                         sql_attribute_of(columns->items[i], "name"));
                r = sql_add_value(&t, out->arena, x, c, columns->items[i], err);
        }
        if (r >= 0)
                r = sql_add_where(&t, out->arena, x, c, err);
        return r < 0 ? r : sql_add(out, c, &t, err);
}

int change_sql_delete(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX);
        int r;

        sql_form(&t, x, "DELETE FROM %T", sql_attribute(c, "schemaName"),
                 sql_attribute(c, "tableName"));
        r = sql_add_where(&t, out->arena, x, c, err);
        return r < 0 ? r : sql_add(out, c, &t, err);
}
