#include "format/liquibase/sql/sql_content.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int refuse_content(const char *path, const char *what, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "%s %s", path, what);
        return error_at(err, path, 0, 0);
}

int content_decode(Content *ret, Arena *a, const char *data, size_t size, const char *path,
                   const char *encoding, Error *err)
{
        const char *text;
        int r = decode_text(&text, &size, a, data, size, encoding, path, err);

        if (r < 0)
                return r;
        if (memchr(text, '\0', size))
                return refuse_content(path, "is no text: it has a NUL byte in it", err);
        *ret = (Content){ .text = arena_strndup(a, text, size),
                          .size = size,
                          .path = arena_strdup(a, path) };
        return ret->text && ret->path ? 0 : error_oom(err, "a file that a changeset names");
}

int content_read(Content *ret, Arena *a, const SqlContext *x, const Change *c, const char *name,
                 bool relative, const char *encoding, Error *err)
{
        _cleanup_file_view_ FileView view = { .data = NULL };
        const char *path = name;
        int r = model_open(&view, x->model, c->set->file, name, relative, &path, err);

        return r < 0 ? r : content_decode(ret, a, view.data, view.size, path, encoding, err);
}

/* What comes of it is the statements', and lives no longer: the model is kept. */
int content_expand(Content *content, Arena *a, const SqlContext *x, const Change *c, Error *err)
{
        Properties *all = (Properties *) (uintptr_t) &x->model->properties;
        Properties *own = arena_alloc(a, sizeof *own);
        int r;

        if (!own)
                return error_oom(err, "the properties of a file");
        *own = *all;
        own->arena = a;
        r = property_expand(&content->text, own, content->text, c->set->file->logical, err);
        all->wants_database = all->wants_database || own->wants_database;
        if (r < 0)
                return error_at(err, content->path, err->line, err->column);
        content->size = strlen(content->text);
        return 0;
}

/* Beside the changelog, or where the root is. */
static int open_value(FileView *ret, const SqlContext *x, const Change *c, const char *name,
                      const char **shown, Error *err)
{
        Error beside = { .code = ERROR_NONE };
        int r = model_open(ret, x->model, c->set->file, name, true, shown, &beside);

        return r >= 0 ? r : model_open(ret, x->model, c->set->file, name, false, shown, err);
}

int content_add_text(Text *t, Arena *a, const SqlContext *x, const Change *c, const char *name,
                     const char *encoding, Error *err)
{
        _cleanup_file_view_ FileView view = { .data = NULL };
        const char *shown = name;
        Content content;
        int r;

        r = open_value(&view, x, c, name, &shown, err);
        if (r < 0)
                return r;
        if (view.size > SQL_CONTENT_MAX)
                return refuse_content(shown, "is too big for a value", err);
        r = content_decode(&content, a, view.data, view.size, shown, encoding, err);
        if (r < 0)
                return r;
        sql_literal(t, content.text);
        return 0;
}

bool change_reads_columns(const Change *c)
{
        const Field *columns = object_field(&c->fields, "columns");

        if (!c->type->reads_database || object_field(&c->fields, "file"))
                return c->type->reads_database;
        for (size_t i = 0; columns && i < columns->n_items; i++)
                if (object_field(columns->items[i], "valueBlobFile"))
                        return true;
        return false;
}

static void add_table(Text *t, const SqlContext *x, const Change *c)
{
        const char *name = sql_attribute(c, "tableName");

        sql_qualified(t, x, sql_attribute(c, "schemaName"), name ? name : "");
}

/* The type that a createTable or addColumn gives the column. */
static bool defines_type(SqlType *ret, const SqlContext *x, const Change *c, const char *table,
                         const char *column)
{
        _cleanup_text_ Text own = TEXT_INIT(SQL_FORM_MAX);
        const Field *columns = object_field(&c->fields, "columns");
        Error ignored = { .code = ERROR_NONE };

        if (strcmp(c->type->name, "createTable") != 0 && strcmp(c->type->name, "addColumn") != 0)
                return false;
        add_table(&own, x, c);
        if (strcmp(text_str(&own), table) != 0)
                return false;
        for (size_t i = 0; columns && i < columns->n_items; i++) {
                const char *name = sql_attribute_of(columns->items[i], "name");
                const char *type = sql_attribute_of(columns->items[i], "type");

                if (name && type && strcasecmp(name, column) == 0)
                        return sql_type(ret, x, type, false, &ignored) >= 0;
        }
        return false;
}

bool sql_known_type(SqlType *ret, const SqlContext *x, const Change *c, const char *column)
{
        _cleanup_text_ Text table = TEXT_INIT(SQL_FORM_MAX);
        bool found = false;

        add_table(&table, x, c);
        for (size_t i = 0; i < c->set->n_changes && &c->set->changes[i] != c; i++)
                found = defines_type(ret, x, &c->set->changes[i], text_str(&table), column) ||
                        found;
        for (const SqlTableColumns *k = x->tables; !found && k; k = k->next) {
                if (strcmp(k->table, text_str(&table)) != 0)
                        continue;
                for (size_t i = 0; !found && i < k->n; i++) {
                        found = strcasecmp(k->names[i], column) == 0;
                        if (found)
                                (void) snprintf(ret->text, sizeof ret->text, "%s", k->types[i]);
                }
        }
        return found;
}

void sql_bytes(Text *t, const char *bytes, size_t size, bool large_object)
{
        static const char digits[] = "0123456789abcdef";
        char hex[2 * 1024];

        text_add(t, large_object ? "lo_from_bytea(0, '\\x" : "'\\x");
        for (size_t at = 0; at < size;) {
                size_t n = 0;

                for (; at < size && n < sizeof hex; at++) {
                        hex[n++] = digits[(unsigned char) bytes[at] >> 4];
                        hex[n++] = digits[(unsigned char) bytes[at] & 15];
                }
                text_append(t, hex, n);
        }
        text_add(t, large_object ? "'::bytea)" : "'::bytea");
}

int content_add_bytes(Text *t, const SqlContext *x, const Change *c, const char *column,
                      const char *name, Error *err)
{
        _cleanup_file_view_ FileView view = { .data = NULL };
        const char *shown = name;
        SqlType type;
        int r = open_value(&view, x, c, name, &shown, err);

        if (r < 0)
                return r;
        if (view.size > SQL_CONTENT_MAX)
                return refuse_content(shown, "is too big for a value", err);
        sql_bytes(t, view.data, view.size,
                  column && sql_known_type(&type, x, c, column) &&
                          strcasecmp(type.text, "oid") == 0);
        return 0;
}
