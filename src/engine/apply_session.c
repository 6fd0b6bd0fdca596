/* What goes around the scripts of a run: settings of the session, rows of the history, questions to the format. */
#include <stdio.h>
#include <string.h>

#include "engine/apply.h"

#define SQL_MAX ((size_t) 1 << 20)

int apply_prepare_session(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        int r;

        text_printf(&sql, "SET lock_timeout = '%" PRIu64 "ms';\n",
                    c->db->settings->lock_timeout / USEC_PER_MSEC);
        if (strcmp(c->context.schema, c->current_schema) != 0) {
                text_add(&sql, "SELECT pg_catalog.set_config('search_path', concat_ws(', ', "
                               "pg_catalog.quote_ident(");
                text_add_sql_literal(&sql, c->context.schema);
                text_add(&sql, "), nullif(reset_val, '')), false) FROM pg_catalog.pg_settings "
                               "WHERE name = 'search_path';\n");
        }
        if (sql.bad)
                return error_oom(err, "session settings");
        r = pg_execute(c->session, sql.s, clock_after(OWN_STATEMENT_TIMEOUT), err);
        c->session_prepared = r >= 0;
        return r;
}

void apply_restore_sql(const Conversation *c, Text *sql)
{
        const DatabaseSettings *s = c->db->settings;

        text_printf(sql,
                    "RESET SESSION AUTHORIZATION;\nRESET search_path;\n"
                    "SET standard_conforming_strings = on;\n"
                    "SET statement_timeout = '%" PRIu64 "ms';\n",
                    s->statement_timeout / USEC_PER_MSEC);
        text_add(sql, s->role[0] ? "SET ROLE " : "RESET ROLE");
        if (s->role[0])
                text_add_sql_identifier(sql, s->role);
        text_add(sql, ";\n");
}

int apply_history_sql(Conversation *c, size_t step, int64_t ms, Text *sql, Error *err)
{
        const PlanStep *p = &c->plan->steps[step];
        const Format *f = c->changelog->format;
        int64_t rank = c->next_rank;

        /* Steps before it that are in the same string come first. */
        for (size_t i = 0; i < step; i++)
                rank += c->run->steps[i].state == STEP_PENDING ||
                        c->run->steps[i].state == STEP_APPLYING;
        if (p->undo_row)
                return f->sql_undone(sql, &c->context, p->undo_row, p->migration, rank, ms, err);
        return f->sql_applied(sql, &c->context,
                              &(Applied){ .migration = p->migration,
                                          .previous = p->previous,
                                          .marked = p->marked,
                                          .rank = rank,
                                          .ms = ms },
                              err);
}

int apply_sql(Conversation *c, const Text *sql, Error *err)
{
        _cleanup_text_ Text all = TEXT_INIT((size_t) 64 << 20);
        Error ignored;
        int r;

        text_add(&all, "BEGIN;\n");
        text_append(&all, text_str(sql), sql->len);
        text_add(&all, "COMMIT;\n");
        if (all.bad || sql->bad)
                return error_oom(err, "statements for the history");
        r = pg_execute(c->session, all.s, clock_after(OWN_STATEMENT_TIMEOUT), err);
        if (r < 0 && !pg_session_lost(c->session))
                (void) pg_rollback(c->session, &ignored);
        return r;
}

int apply_decide(Conversation *c, size_t step, Decision *ret, Error *err)
{
        _cleanup_text_ Text why = TEXT_INIT(4096);
        PlanStep *p = &c->plan->steps[step];
        int r;

        *ret = DECISION_RUN;
        if (!p->migration->asks_first || p->undo_row)
                return 0;
        r = c->changelog->format->prepare(ret, &why, c->changelog, p->migration, &c->context,
                                          c->session, err);
        if (r < 0)
                return r;
        p->marked = *ret == DECISION_MARK;
        if (why.len > 0)
                run_warn(c->run, text_str(&why));
        return 0;
}
