/* The text that the engine runs for a changeset: statements, each ended, and where each of them comes from. */
#include "format/script_text.h"

#include <string.h>

#include "format/liquibase/liquibase.h"

/* All the statements of one changeset. */
#define STATEMENTS_MAX ((size_t) 1 << 30)

static bool ends_in_comment(const SqlStatement *st)
{
        const char *line = memrchr(st->sql, '\n', st->len);
        size_t at = line ? (size_t) (line + 1 - st->sql) : 0;

        return memmem(st->sql + at, st->len - at, "--", 2) != NULL;
}

static unsigned long count_lines(const char *text, size_t len)
{
        unsigned long n = 0;

        for (const char *p = text, *end = text + len; (p = memchr(p, '\n', (size_t) (end - p)));
             p++)
                n++;
        return n;
}

/* The user's own lines: a place for the first, and for each that does not follow the one before it. */
static int add_node_places(ScriptText *t, size_t out, const SqlStatement *st, Error *err)
{
        unsigned long line = node_value_line(st->node, st->at);
        size_t at = 0;
        int r = script_text_add_place(
                t,
                (struct ScriptPlace){ .out = out, .path = st->path, .line = line, .follows = true },
                err);

        while (r >= 0 && st->node->value_lines) {
                const char *nl = memchr(st->sql + at, '\n', st->len - at);
                unsigned long next;

                if (!nl)
                        break;
                at = (size_t) (nl + 1 - st->sql);
                next = node_value_line(st->node, st->at + at);
                if (next != ++line)
                        r = script_text_add_place(t,
                                                  (struct ScriptPlace){ .out = out + at,
                                                                        .path = st->path,
                                                                        .line = next,
                                                                        .follows = true },
                                                  err);
                line = next;
        }
        return r;
}

static int add_place(ScriptText *t, size_t out, const SqlStatement *st, Error *err)
{
        struct ScriptPlace place = { .out = out, .path = st->path, .line = st->line };

        if (st->node)
                return add_node_places(t, out, st, err);
        if (st->source) {
                place.line = 1 + count_lines(st->source, st->at);
                place.follows = true;
        }
        return script_text_add_place(t, place, err);
}

static int join(ScriptText *ret, const SqlList *list, const Migration *m, Error *err)
{
        _cleanup_text_ Text out = TEXT_INIT(STATEMENTS_MAX);
        int r = 0;

        for (size_t i = 0; r >= 0 && i < list->n; i++) {
                SqlStatement st = list->items[i];

                st.path = script_text_keep_path(ret, st.path);
                r = st.path ? add_place(ret, out.len, &st, err) : error_oom(err, "a script");
                text_append(&out, st.sql, st.len);
                text_add(&out, ends_in_comment(&st) ? "\n;\n" : ";\n");
        }
        if (r < 0)
                return r;
        ret->size = out.len;
        ret->replaced = out.len > 0 ? text_take(&out) : strdup("");
        if (!ret->replaced) {
                (void) error_set(err, ERROR_TOO_LARGE, "changeset %s is too long", m->id);
                return error_at(err, m->path, m->line, 0);
        }
        ret->data = ret->replaced;
        return 0;
}

int liquibase_open_script(ScriptText *ret, const Changelog *c, const Migration *m,
                          const FormatContext *ctx, Error *err)
{
        const LiquibaseLog *log = liquibase_log(c);
        const ChangeSet *s = liquibase_set(m);
        const SqlContext x = { .model = log->model,
                               .default_schema = ctx->schema,
                               .server_version = ctx->server_version,
                               .tables = log->tables,
                               .quoting = s->quoting };
        _cleanup_arena_ Arena arena = ARENA_INIT(STATEMENTS_MAX);
        SqlList list = { .arena = &arena };
        ScriptText text = { .data = NULL };
        bool undo = m->kind == MIGRATION_UNDO;
        int r = 0;

        if (!liquibase_marks_invalid(log->model, s))
                r = undo ? changeset_rollback_sql(&list, s, &x, err)
                         : changeset_sql(&list, s, &x, err);

        if (r >= 0)
                r = join(&text, &list, m, err);
        if (r < 0) {
                script_text_done(&text);
                if (!*err->path)
                        (void) error_at(err, m->path, m->line, 0);
                return error_prefix(err, "changeset %s", m->id);
        }
        *ret = text;
        return 0;
}
