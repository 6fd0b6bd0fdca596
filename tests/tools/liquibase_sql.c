/* Prints the SQL of every changeset of a changelog, as for an empty database: JSON, in the order in which they run.
 * liquibase_sql [--rollback] CHANGELOG [contexts=LIST] [labels=EXPRESSION] */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "format/liquibase/sql/sql.h"

#define STATEMENTS_MAX ((size_t) 256 << 20)

static const ModelDatabase database = { .server_version = 150000, .default_schema = "public" };

static json_t *show_types(const ChangeSet *s)
{
        json_t *types = json_array();

        for (size_t i = 0; i < s->n_changes; i++)
                json_array_append_new(types, json_string(s->changes[i].type->name));
        return types;
}

static json_t *show_set(const Model *m, const ChangeSet *s, bool rollback)
{
        const SqlContext x = {
                .model = m,
                .default_schema = database.default_schema,
                .server_version = database.server_version,
                .quoting = s->quoting,
        };
        _cleanup_arena_ Arena arena = ARENA_INIT(STATEMENTS_MAX);
        SqlList list = { .arena = &arena };
        Error err = { 0 };
        json_t *statements = json_array();
        int r;

        r = rollback ? changeset_rollback_sql(&list, s, &x, &err)
                     : changeset_sql(&list, s, &x, &err);
        for (size_t i = 0; i < list.n; i++)
                json_array_append_new(statements,
                                      json_stringn(list.items[i].sql, list.items[i].len));
        return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s*}", "path", s->path, "id", s->id, "author",
                         s->author, "types", show_types(s), "statements", statements, "error",
                         r < 0 ? err.text : NULL);
}

static int show(const FormatOptions *o, bool rollback)
{
        _cleanup_(model_freep) Model *m = NULL;
        Error err = { 0 };
        json_t *sets = json_array();
        int r;

        r = model_load(&m, o, &database, &err);
        if (r < 0) {
                (void) fprintf(stderr, "%s:%lu: %s\n", err.path, err.line, err.text);
                return 1;
        }
        for (size_t i = 0; i < m->n_sets; i++)
                json_array_append_new(sets, show_set(m, m->sets[i], rollback));
        r = json_dumpf(sets, stdout, JSON_INDENT(1));
        json_decref(sets);
        return r == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
        char nothing[] = "";
        FormatOptions o = {
                .table = nothing, .contexts = nothing, .labels = nothing, .root = nothing
        };
        bool rollback = false;

        for (int i = 1; i < argc; i++)
                if (strcmp(argv[i], "--rollback") == 0)
                        rollback = true;
                else if (strncmp(argv[i], "contexts=", 9) == 0)
                        o.contexts = argv[i] + 9;
                else if (strncmp(argv[i], "labels=", 7) == 0)
                        o.labels = argv[i] + 7;
                else
                        o.folder = argv[i];
        if (!o.folder) {
                (void) fprintf(stderr,
                               "usage: %s [--rollback] CHANGELOG [contexts=LIST] "
                               "[labels=EXPRESSION]\n",
                               argv[0]);
                return 2;
        }
        return show(&o, rollback);
}
