/* What the Liquibase format makes of its input, as JSON: for tests that compare it with the corpus and with other implementations.
 *
 * Usage: liquibase_probe < requests > answers, a JSON object a line each:
 *   {"do": "split", "sql": TEXT, "strip": BOOL, "split": BOOL, "delimiter": TEXT|null}  -> [PIECE, ...]
 *   {"do": "sums", "root": FOLDER, "file": CHANGELOG, "contexts": LIST, "version": 1..9} -> [{id, author, filename, ...}, ...]
 *   {"do": "tree", "file": CHANGELOG}  -> {name, type, value, iso, values, children} of XML, YAML and JSON
 *   {"do": "read", "sql": FILE OF FORMATTED SQL}  -> the same, with the line of each node and those of its value's lines
 * What goes wrong is {"error": TEXT}. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "format/liquibase/change/checksum.h"
#include "format/liquibase/sql/splitter.h"

static json_t *failure(const Error *err)
{
        return json_pack("{s:s,s:s,s:i}", "error", err->text, "file", err->path, "line",
                         (int) err->line);
}

static json_t *do_split(const json_t *request)
{
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 1 << 30);
        const json_t *sql = json_object_get(request, "sql");
        const SplitOptions o = { .strip_comments = json_is_true(json_object_get(request, "strip")),
                                 .split = json_is_true(json_object_get(request, "split")),
                                 .delimiter =
                                         json_string_value(json_object_get(request, "delimiter")) };
        Error err = { .code = ERROR_NONE };
        Split *pieces = NULL;
        json_t *answer;
        size_t n = 0;

        if (split_statements(&pieces, &n, &arena, json_string_value(sql), json_string_length(sql),
                             &o, NULL, &err) < 0)
                return failure(&err);
        answer = json_array();
        for (size_t i = 0; i < n; i++)
                (void) json_array_append_new(answer, json_stringn(pieces[i].sql, pieces[i].len));
        return answer;
}

static json_t *row(const Model *m, const ChangeSet *s, int version)
{
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 64 << 20);
        char sum[CHECKSUM_MAX] = "";
        Error err = { .code = ERROR_NONE };
        json_t *kinds = json_array();

        for (size_t i = 0; i < s->n_changes; i++)
                (void) json_array_append_new(kinds, json_string(s->changes[i].type->name));
        for (size_t i = 0; i < s->n_visitors; i++)
                (void) json_array_append_new(kinds, json_string("modifySql"));
        if (changeset_checksum(sum, m, s, version, &err) < 0)
                (void) snprintf(sum, sizeof sum, "ERROR %.50s", err.text);
        return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s?,s:s?,s:s?,s:o,s:s?}", "id", s->id, "author",
                         s->author, "filename", s->path, "md5sum", sum, "description",
                         changeset_description(&arena, s), "comments",
                         changeset_comments(&arena, s), "contexts", s->contexts_column, "labels",
                         s->labels_column, "tag", s->tag, "kinds", kinds, "filtered",
                         s->filtered ? s->filter_reason : NULL);
}

static json_t *do_sums(const json_t *request)
{
        _cleanup_(model_freep) Model *m = NULL;
        FormatOptions o = {
                .folder = (char *) (uintptr_t) json_string_value(json_object_get(request, "file")),
                .root = (char *) (uintptr_t) json_string_value(json_object_get(request, "root")),
                .contexts = (char *) (uintptr_t) json_string_value(
                        json_object_get(request, "contexts")),
                .labels =
                        (char *) (uintptr_t) json_string_value(json_object_get(request, "labels")),
        };
        int version = (int) json_integer_value(json_object_get(request, "version"));
        Error err = { .code = ERROR_NONE };
        json_t *answer;

        if (model_load(&m, &o, &(ModelDatabase){ .default_schema = NULL }, &err) < 0)
                return failure(&err);
        answer = json_array();
        for (size_t i = 0; i < m->n_sets; i++)
                (void) json_array_append_new(answer, row(m, m->sets[i], version));
        return answer;
}

static json_t *tree(const Node *n)
{
        static const char *const types[] = { [NODE_NONE] = "none",
                                             [NODE_TEXT] = "text",
                                             [NODE_OTHER] = "other",
                                             [NODE_DATE] = "date",
                                             [NODE_LIST] = "list" };
        json_t *children = json_array(), *values = json_array();

        for (const Node *c = n->children; c; c = c->next)
                (void) json_array_append_new(children, tree(c));
        for (size_t i = 0; i < n->n_values; i++)
                (void) json_array_append_new(values, json_string(n->values[i]));
        return json_pack("{s:s,s:s,s:s?,s:s?,s:o,s:o}", "name", n->name, "type", types[n->type],
                         "value", n->value, "iso", n->iso, "values", values, "children", children);
}

static json_t *do_tree(const json_t *request)
{
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 1 << 30);
        const char *path = json_string_value(json_object_get(request, "file")),
                   *extension = strrchr(path, '.');
        Error err = { .code = ERROR_NONE };
        _cleanup_file_view_ FileView file = { .data = NULL };
        Node *root;

        if (file_view_open(&file, AT_FDCWD, path, path, &err) < 0)
                return failure(&err);
        if ((extension && strcmp(extension, ".xml") == 0 ? read_xml : read_yaml)(
                    &root, &arena, file.data, file.size, path, &err) < 0)
                return failure(&err);
        return tree(root);
}

static void add_lines(json_t *answer, const Node *n)
{
        json_t *children = json_object_get(answer, "children"), *lines = json_array();
        size_t i = 0, last = 0, breaks = 0;

        for (size_t at = 0; n->value && n->value[at]; at++)
                if (at == 0 || n->value[at - 1] == '\n')
                        (void) json_array_append_new(
                                lines, json_integer((json_int_t) node_next_value_line(n, at, &last,
                                                                                      &breaks)));
        (void) json_object_set_new(answer, "lines", lines);
        (void) json_object_set_new(answer, "line", json_integer((json_int_t) n->line));
        for (const Node *c = n->children; c; c = c->next)
                add_lines(json_array_get(children, i++), c);
}

static json_t *do_read(const json_t *request)
{
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 1 << 30);
        const json_t *sql = json_object_get(request, "sql");
        Error err = { .code = ERROR_NONE };
        Node *root = NULL;
        json_t *answer;

        if (read_sql(&root, &arena, json_string_value(sql), json_string_length(sql), "file.sql",
                     &err) < 0)
                return failure(&err);
        answer = tree(root);
        add_lines(answer, root);
        return answer;
}

static json_t *answer_to(const json_t *request)
{
        const char *what = json_string_value(json_object_get(request, "do"));

        if (what && strcmp(what, "split") == 0)
                return do_split(request);
        if (what && strcmp(what, "sums") == 0)
                return do_sums(request);
        if (what && strcmp(what, "tree") == 0)
                return do_tree(request);
        if (what && strcmp(what, "read") == 0)
                return do_read(request);
        return json_pack("{s:s}", "error", "nothing that can be done");
}

int main(void)
{
        char *line = NULL;
        size_t size = 0;

        while (getline(&line, &size, stdin) > 0) {
                json_t *request = json_loads(line, JSON_ALLOW_NUL, NULL),
                       *answer = answer_to(request);

                (void) json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
                (void) putchar('\n');
                (void) fflush(stdout);
                json_decref(answer);
                json_decref(request);
        }
        free(line);
        return 0;
}
