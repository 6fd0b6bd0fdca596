#include <string.h>

#include "format/liquibase/change/packed.h"
#include "format/liquibase/sql/load_data.h"

/* The first character of an attribute; TAB may be written as \t. */
static const char *character_of(Arena *a, const Change *c, const char *attribute,
                                const char *default_value)
{
        const char *s = object_text(&c->fields, attribute);

        if (!s || !*s)
                s = default_value;
        if (s[0] == '\\' && s[1] == 't')
                return "\t";
        return arena_strndup(a, s, csv_character(s));
}

static int read_header(Load *l, Error *err)
{
        Arena *a = l->out->arena;
        int r = csv_next(&l->csv, &l->record, err);

        if (r == 0) {
                (void) error_set(err, ERROR_CHANGELOG, "Data file %s was empty", l->csv.path);
                return error_at(err, l->csv.path, 0, 0);
        }
        if (r < 0)
                return r;
        l->n_columns = l->record.n;
        l->columns = arena_array(a, l->n_columns, sizeof *l->columns);
        l->starts = arena_array(a, l->n_columns + 1, sizeof *l->starts);
        l->nulls = arena_array(a, l->n_columns, sizeof *l->nulls);
        if (!l->columns || !l->starts || !l->nulls)
                return error_oom(err, "the columns of a file");
        for (size_t i = 0; i < l->n_columns; i++) {
                r = load_column_read(&l->columns[i], a, l->x, l->c, i, csv_field(&l->record, i),
                                     err);
                if (r < 0)
                        return error_at(err, l->csv.path, 1, 0);
                l->prepared = l->prepared || l->columns[i].prepared;
        }
        return 0;
}

int load_open(Load *l, Error *err)
{
        _cleanup_file_view_ FileView view = { .data = NULL };
        _cleanup_text_ Text bytes = TEXT_INIT(PACKED_MAX);
        const Change *c = l->c;
        Arena *a = l->out->arena;
        const char *name = sql_attribute(c, "file"), *path = name;
        const Field *quotes = object_field(&c->fields, "quotchar");
        const char *quote = quotes ? java_trimmed(a, quotes->text) : "\"";
        const char *data = NULL;
        size_t size = 0;
        Content content;
        int r;

        if (!name)
                return error_set(err, ERROR_CHANGELOG, "%s has no file", c->type->name);
        r = model_open(&view, l->x->model, c->set->file, name,
                       object_flag(&c->fields, "relativeToChangelogFile", false), &path, err);
        if (r >= 0)
                r = packed_read(&data, &size, &bytes, &view, path, err);
        if (r >= 0)
                r = content_decode(&content, a, data, size, path, sql_attribute(c, "encoding"),
                                   err);
        if (r < 0)
                return r;
        l->csv = (Csv){ .text = content.text,
                        .size = content.size,
                        .line = 1,
                        .separator = character_of(a, c, "separator", ","),
                        .quote = quote ? character_of(a, c, "quotchar", "\"") : NULL,
                        .path = content.path };
        l->comment = sql_attribute(c, "commentLineStartsWith");
        l->prepared = object_flag(&c->fields, "usePreparedStatements", false);
        l->number = 1;
        if (!l->csv.separator || (quote && !l->csv.quote))
                return error_oom(err, "a file of data");
        return read_header(l, err);
}

static bool is_nothing(const Load *l)
{
        const char *first = csv_field(&l->record, 0);
        size_t len = strlen(first);

        if (l->comment && strncmp(first, l->comment, strlen(l->comment)) == 0)
                return true;
        if (l->record.n == 1)
                (void) java_trim(first, &len);
        return l->record.n == 1 && len == 0;
}

static int refuse_count(const Load *l, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG,
                         "CSV file %s Line %lu has %zu values defined, Header has %zu. Numbers "
                         "MUST be equal (check for unquoted string with embedded commas)",
                         l->csv.path, l->number, l->record.n, l->n_columns);
        return error_at(err, l->csv.path, l->record.line, 0);
}

static int read_values(Load *l, Error *err)
{
        text_clear(&l->values);
        for (size_t i = 0; i < l->n_columns; i++) {
                int r = 0;

                l->starts[i] = l->values.len;
                if (l->columns[i].type != LOAD_SKIP)
                        r = load_value(&l->values, l->out->arena, l->x, l->c, &l->columns[i],
                                       csv_field(&l->record, i), err);
                if (r < 0)
                        return *err->path ? r : error_at(err, l->csv.path, l->record.line, 0);
                l->nulls[i] = r > 0;
        }
        l->starts[l->n_columns] = l->values.len;
        return l->values.bad ? error_oom(err, "a row of data") : 0;
}

int load_next(Load *l, Error *err)
{
        for (;;) {
                int r = csv_next(&l->csv, &l->record, err);

                if (r <= 0)
                        return r;
                l->number++;
                if (is_nothing(l))
                        continue;
                if (l->record.n != l->n_columns)
                        return refuse_count(l, err);
                r = read_values(l, err);
                return r < 0 ? r : 1;
        }
}

void load_add_value(Text *t, const Load *l, size_t i)
{
        text_append(t, text_str(&l->values) + l->starts[i], l->starts[i + 1] - l->starts[i]);
}

void load_done(Load *l)
{
        csv_record_done(&l->record);
        text_done(&l->values);
}
