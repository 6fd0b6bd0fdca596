#include "format/liquibase/sql_content.h"

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

const char *sql_known_type(const SqlContext *x, const Change *c, const char *column)
{
        _cleanup_text_ Text table = TEXT_INIT(SQL_FORM_MAX);
        const char *name = sql_attribute(c, "tableName");

        if (!x->tables || !name || !column)
                return NULL;
        sql_qualified(&table, x, sql_attribute(c, "schemaName"), name);
        for (const SqlTableColumns *k = x->tables; k; k = k->next) {
                if (strcmp(k->table, text_str(&table)) != 0)
                        continue;
                for (size_t i = 0; i < k->n; i++)
                        if (strcasecmp(k->names[i], column) == 0)
                                return k->types[i];
        }
        return NULL;
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
        const char *shown = name, *type = sql_known_type(x, c, column);
        int r = open_value(&view, x, c, name, &shown, err);

        if (r < 0)
                return r;
        if (view.size > SQL_CONTENT_MAX)
                return refuse_content(shown, "is too big for a value", err);
        sql_bytes(t, view.data, view.size, type && strcmp(type, "oid") == 0);
        return 0;
}
