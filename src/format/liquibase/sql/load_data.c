/* loadData: the rows of a CSV file. loadUpdateData: those that are not there yet, and the others as they are in the file. */
#include "format/liquibase/sql/load_data.h"

#include <stdio.h>
#include <string.h>

#include "format/liquibase/sql/change_sql.h"

static void add_names(Text *t, const Load *l)
{
        const char *separator = "";

        for (size_t i = 0; i < l->n_columns; i++) {
                if (l->columns[i].type == LOAD_SKIP)
                        continue;
                sql_form(t, l->x, "%S%N", separator, l->columns[i].name);
                separator = ", ";
        }
}

/* "(1, 'a')" */
static void add_row(Text *t, const Load *l)
{
        const char *separator = "(";

        for (size_t i = 0; i < l->n_columns; i++) {
                if (l->columns[i].type == LOAD_SKIP)
                        continue;
                text_add(t, separator);
                load_add_value(t, l, i);
                separator = ", ";
        }
        text_addc(t, ')');
}

static void start_insert(Text *t, const Load *l)
{
        sql_form(t, l->x, "INSERT INTO %T (", sql_attribute(l->c, "schemaName"),
                 sql_attribute(l->c, "tableName"));
        add_names(t, l);
        text_add(t, ") VALUES ");
}

int change_sql_load_data(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_load_ Load l = LOAD_INIT(out, c, x);
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX);
        int r = load_open(&l, err);

        if (r < 0)
                return r;
        while ((r = load_next(&l, err)) > 0) {
                if (t.len == 0)
                        start_insert(&t, &l);
                else
                        text_addc(&t, ',');
                add_row(&t, &l);
                if (l.prepared)
                        r = sql_add(out, c, &t, err);
                if (r < 0)
                        return r;
        }
        if (r < 0 || t.len == 0)
                return r;
        return sql_add(out, c, &t, err);
}

/* ---- by primary key ---- */

/* The next name of a comma list, without the space around it; NULL: there are no more. */
static const char *next_name(const char **list, size_t *len)
{
        const char *s = *list;

        *len = strcspn(s, ",");
        if (!*s)
                return NULL;
        *list = s + *len + (s[*len] ? 1 : 0);
        return java_trim_part(s, len);
}

static bool is_key(const char *key, const char *name)
{
        size_t len;

        for (const char *s; (s = next_name(&key, &len));)
                if (len == strlen(name) && strncmp(s, name, len) == 0)
                        return true;
        return false;
}

static void add_condition(Text *t, const Load *l, const char *name)
{
        sql_form(t, l->x, "%N", name);
        for (size_t i = 0; i < l->n_columns; i++) {
                if (l->columns[i].type == LOAD_SKIP || strcmp(l->columns[i].name, name) != 0)
                        continue;
                if (l->nulls[i])
                        break;
                text_add(t, " = ");
                load_add_value(t, l, i);
                return;
        }
        text_add(t, " is NULL");
}

static int add_key(Text *t, const Load *l, const char *key, Error *err)
{
        const char *separator = " WHERE ";
        size_t len;

        for (const char *s; (s = next_name(&key, &len));) {
                const char *name = arena_strndup(l->out->arena, s, len);

                if (!name)
                        return error_oom(err, "a row of data");
                if (len == 0)
                        continue;
                text_add(t, separator);
                add_condition(t, l, name);
                separator = " AND ";
        }
        if (separator[1] == 'W')
                return error_set(err, ERROR_CHANGELOG, "%s has no primaryKey", l->c->type->name);
        return 0;
}

static bool is_updated(const LoadColumn *column, const char *key)
{
        return column->type != LOAD_SKIP && !is_key(key, column->name) &&
               (!column->config || object_flag(column->config, "allowUpdate", true));
}

/* The row is updated, or looked for when it has nothing but its key. */
static int add_update(Text *t, const Load *l, const char *key, Error *err)
{
        const char *schema = sql_attribute(l->c, "schemaName");
        const char *table = sql_attribute(l->c, "tableName"), *separator = NULL;
        int r;

        for (size_t i = 0; i < l->n_columns; i++) {
                if (!is_updated(&l->columns[i], key))
                        continue;
                if (!separator)
                        sql_form(t, l->x, "UPDATE %T SET ", schema, table);
                sql_form(t, l->x, "%S%N = ", separator, l->columns[i].name);
                load_add_value(t, l, i);
                separator = ", ";
        }
        if (!separator)
                sql_form(t, l->x, "perform * from %T", schema, table);
        r = add_key(t, l, key, err);
        text_add(t, ";\n");
        return r;
}

/* The block in quotes that do not occur in it. */
static void add_block(Text *t, const Text *body)
{
        char quote[32] = "$$";

        for (unsigned i = 1; memmem(text_str(body), body->len, quote, strlen(quote)) && i < 10000;
             i++)
                (void) snprintf(quote, sizeof quote, "$lq%u$", i);
        text_printf(t, "DO\n%s\n", quote);
        text_append(t, text_str(body), body->len);
        text_printf(t, "%s\nLANGUAGE plpgsql", quote);
        t->bad = t->bad || body->bad;
}

int change_sql_load_update_data(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_load_ Load l = LOAD_INIT(out, c, x);
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX), body = TEXT_INIT(SQL_DATA_MAX);
        const char *key = sql_attribute(c, "primaryKey");
        int r = load_open(&l, err);

        while (r >= 0 && (r = load_next(&l, err)) > 0) {
                text_clear(&body);
                text_add(&body, "BEGIN\n");
                r = add_update(&body, &l, key ? key : "", err);
                if (r < 0)
                        return r;
                if (!object_flag(&c->fields, "onlyUpdate", false)) {
                        text_add(&body, "IF not found THEN\n");
                        start_insert(&body, &l);
                        add_row(&body, &l);
                        text_add(&body, ";\nEND IF;\n");
                }
                text_add(&body, "END;\n");
                add_block(&t, &body);
                r = sql_add(out, c, &t, err);
        }
        return r;
}

int change_inverse_load_update_data(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_load_ Load l = LOAD_INIT(out, c, x);
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX);
        const char *key = sql_attribute(c, "primaryKey");
        int r = load_open(&l, err);

        while (r >= 0 && (r = load_next(&l, err)) > 0) {
                sql_form(&t, x, "DELETE FROM %T", sql_attribute(c, "schemaName"),
                         sql_attribute(c, "tableName"));
                r = add_key(&t, &l, key ? key : "", err);
                if (r >= 0)
                        r = sql_add(out, c, &t, err);
        }
        return r;
}
