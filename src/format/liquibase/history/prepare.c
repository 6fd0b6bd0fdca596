/* What is asked of the database right before a changeset's turn: whether it runs, and what its SQL depends on. */
#include <string.h>

#include "format/liquibase/history/program.h"
#include "format/liquibase/liquibase.h"
#include "format/liquibase/sql/sql_content.h"
#include "pg/session.h"
#include "util/clock.h"

#define QUESTION_TIMEOUT (60 * USEC_PER_SEC)

/* ---- preconditions ---- */

static int halt(const Preconditions *p, const char *what, const char *message, const Migration *m,
                Error *err)
{
        /* Of a changeset it is that one's failure, after others have been applied. */
        (void) error_set(err, m ? ERROR_SQL : ERROR_REFUSED, "%s: %s", what, message);
        (void) error_at(err, m ? m->path : p->file->physical, p->node->line, 0);
        return error_hint(
                err, "make them hold, or set onFail=\"MARK_RAN\" (never again), \"CONTINUE\" (next "
                     "time) or \"WARN\" (run it anyway) on preConditions");
}

static int act(Decision *ret, Text *why, const Preconditions *p, ConditionAction action,
               const char *message, const Migration *m, Error *err)
{
        switch (action) {
        case CONDITION_HALT:
                return halt(p, m ? "preconditions failed" : "preconditions of the changelog failed",
                            message, m, err);
        case CONDITION_CONTINUE:
                *ret = DECISION_SKIP;
                break;
        case CONDITION_MARK_RAN:
                *ret = DECISION_MARK;
                break;
        case CONDITION_WARN:
                *ret = DECISION_RUN;
                break;
        }
        if (action != CONDITION_MARK_RAN || p->fail_message)
                text_printf(why, "%s: %s%s", m ? m->id : p->file->path, message,
                            action == CONDITION_CONTINUE ? "; left for the next run" : "");
        return 0;
}

/* "tableExists tableName="t" does not hold", as far as it is short. */
static void describe(Text *out, const Node *condition)
{
        text_add(out, condition->name);
        for (const Node *n = condition->children; n; n = n->next)
                if (n->value && strlen(n->value) < 100)
                        text_printf(out, " %s=\"%s\"", n->name, n->value);
        if (condition->value && strlen(condition->value) < 100)
                text_printf(out, " (%s)", condition->value);
        text_add(out, " does not hold");
}

static int check(Decision *ret, Text *why, const Model *model, const Preconditions *p,
                 const Migration *m, const FormatContext *ctx, PgSession *s, Error *err)
{
        _cleanup_text_ Text message = TEXT_INIT(sizeof err->text);
        Error failure = { .code = ERROR_NONE };
        const Node *failed;
        int r = condition_holds(model, p->file, p->node, ctx, s, &failed, &failure);

        if (r > 0)
                return 0;
        if (r == 0) {
                describe(&message, failed);
                if (p->fail_message)
                        text_printf(&message, ": %s", p->fail_message);
                return act(ret, why, p, p->on_fail, text_str(&message), m, err);
        }
        if (failure.code != ERROR_SQL && failure.code != ERROR_CHANGELOG) {
                *err = failure; /* the connection, a cancellation: no answer of the condition */
                return r;
        }
        return act(ret, why, p, p->on_error, p->error_message ? p->error_message : failure.text, m,
                   err);
}

int liquibase_demand(const Changelog *c, const FormatContext *ctx, PgSession *s, Error *err)
{
        const Model *model = liquibase_log(c)->model;
        int r = 0;

        for (const Preconditions *p = model->preconditions; r >= 0 && p; p = p->next) {
                _cleanup_text_ Text why = TEXT_INIT(4096);
                Decision decision = DECISION_RUN;

                r = check(&decision, &why, model, p, NULL, ctx, s, err);
                if (r >= 0 &&
                    decision !=
                            DECISION_RUN) /* of a whole changelog there is only WARN (facts 1.8) */
                        r = halt(p, "preconditions of the changelog failed", "they do not hold",
                                 NULL, err);
        }
        return r;
}

/* ---- the columns of tables that data is loaded into ---- */

static int add_columns(LiquibaseLog *log, const char *table, const PGresult *res, Error *err)
{
        size_t n = (size_t) PQntuples(res);
        SqlTableColumns *t = arena_alloc(&log->learnt, sizeof *t);
        const char **names = arena_array(&log->learnt, n + 1, sizeof *names);
        const char **types = arena_array(&log->learnt, n + 1, sizeof *types);

        if (!t || !names || !types)
                return error_oom(err, "the columns of a table");
        for (size_t i = 0; i < n; i++) {
                names[i] = arena_strdup(&log->learnt, pg_text(res, (int) i, 0));
                types[i] = arena_strdup(&log->learnt, pg_text(res, (int) i, 1));
                if (!names[i] || !types[i])
                        return error_oom(err, "the columns of a table");
        }
        *t = (SqlTableColumns){ .table = arena_strdup(&log->learnt, table),
                                .names = names,
                                .types = types,
                                .n = n,
                                .next = log->tables };
        if (!t->table)
                return error_oom(err, "the columns of a table");
        log->tables = t;
        return 0;
}

static int learn_table(LiquibaseLog *log, const Change *change, const FormatContext *ctx,
                       PgSession *s, Error *err)
{
        const SqlContext x = { .model = log->model,
                               .default_schema = ctx->schema,
                               .server_version = ctx->server_version,
                               .quoting = change->set->quoting };
        const char *name = object_text(&change->fields, "tableName");
        _cleanup_text_ Text sql = TEXT_INIT(16384), table = TEXT_INIT(4096);
        _cleanup_result_ PGresult *res = NULL;
        int r;

        if (!name)
                return 0;
        sql_qualified(&table, &x, object_text(&change->fields, "schemaName"), name);
        text_add(&sql, "SELECT a.attname, t.typname FROM pg_catalog.pg_attribute a JOIN "
                       "pg_catalog.pg_type t "
                       "ON t.oid = a.atttypid WHERE a.attrelid = to_regclass(");
        text_add_sql_literal(&sql, text_str(&table));
        text_add(&sql, ") AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum");
        r = pg_fetch(s, &res, text_str(&sql), clock_after(QUESTION_TIMEOUT), err);
        if (r < 0 || PQntuples(res) == 0)
                return r;
        return add_columns(log, text_str(&table), res, err);
}

int liquibase_prepare(Decision *ret, Text *why, const Changelog *c, const Migration *m,
                      const FormatContext *ctx, PgSession *s, Error *err)
{
        LiquibaseLog *log = liquibase_log(c);
        const ChangeSet *set = liquibase_set(m);
        int r = 0;

        if (liquibase_marks_invalid(log->model, set)) {
                *ret = DECISION_MARK;
                text_printf(why, "%s is not valid and was recorded without being run", m->id);
                return 0;
        }
        if (set->preconditions)
                r = check(ret, why, log->model, set->preconditions, m, ctx, s, err);
        for (size_t i = 0; r >= 0 && *ret == DECISION_RUN && i < set->n_changes; i++)
                if (change_reads_columns(&set->changes[i]))
                        r = learn_table(log, &set->changes[i], ctx, s, err);
        for (size_t i = 0; r >= 0 && *ret == DECISION_RUN && i < set->n_changes; i++)
                if (set->changes[i].type->runs_program)
                        r = program_run(&set->changes[i], err);
        return r < 0 ? error_prefix(err, "changeset %s", m->id) : 0;
}
