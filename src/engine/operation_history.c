/* What is done to the history itself: it is made, taken over, repaired, tagged, unlocked. */
#include <inttypes.h>
#include <string.h>

#include "engine/apply.h"
#include "engine/findings.h"
#include "engine/journal.h"
#include "engine/operation_private.h"
#include "engine/row_lock.h"

#define REPAIR_MAX ((size_t) 16 << 20)

int operation_create_history(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(REPAIR_MAX);
        int r;

        r = apply_hooks(c, HOOK_BEFORE_CREATE_SCHEMA, err);
        if (r >= 0)
                r = c->changelog->format->sql_create(&sql, &c->context, c->history,
                                                     c->assessment->needs_baseline, err);
        if (r >= 0)
                r = apply_sql(c, &sql, err);
        if (r < 0) {
                if (strcmp(err->sqlstate, "42501") == 0 && !*err->hint)
                        (void) error_hint(err, "GRANT CREATE ON SCHEMA to the user, set role to "
                                               "the schema's owner, "
                                               "or set default_schema");
                return error_prefix(err, "creating the history table in schema %s",
                                    c->context.schema);
        }
        r = apply_hooks(c, HOOK_CREATE_SCHEMA, err);
        return r < 0 ? r : conversation_assess(c, ASSESS_MIGRATE, err);
}

int operation_baseline(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(REPAIR_MAX);
        int r = row_lock_take(c, ASSESS_INFO, err);

        if (r >= 0)
                r = c->changelog->format->sql_baseline(&sql, &c->context, c->changelog, c->history,
                                                       err);
        if (r > 0) {
                run_enter(c->run, RUN_APPLYING);
                r = apply_sql(c, &sql, err);
                c->run->result =
                        c->changelog->format->compare_versions
                                ? json_pack("{s:s}", "baseline", c->options.baseline_version)
                                : findings_notes("what was pending is taken as applied\n");
        }
        return r < 0 ? r : conversation_assess(c, ASSESS_INFO, err);
}

/* An operator's word on what nobody could find out. */
static int resolve_journal(Conversation *c, Text *sql, Text *notes, Error *err)
{
        const char *how = c->run->operation.resolve;
        bool done = strcmp(how, "done") == 0;
        _cleanup_journal_ Journal j = { .exists = false };
        int r = journal_load(&j, c, err);

        if (r < 0)
                return r;
        if (!done && strcmp(how, "rerun") != 0)
                return error_set(err, ERROR_USAGE,
                                 "--resolve takes \"done\" or \"rerun\", not \"%s\"", how);
        if (j.n_rows == 0)
                return error_set(err, ERROR_REFUSED,
                                 "nothing needs attention: the journal is empty");
        for (size_t i = 0; i < j.n_rows; i++) {
                const JournalRow *row = &j.rows[i];

                if (row->started && done)
                        journal_sql_resolve_done(sql, c, row);
                else if (row->started)
                        journal_sql_advance(sql, c, row->migration, row->done, row->prefix);
                else
                        journal_sql_advance(sql, c, row->migration, done ? row->done : 0,
                                            done ? JOURNAL_PREFIX_ANY : "0");
                if (row->started)
                        text_printf(notes, "%s: statement %" PRIu64 " is taken as %s\n",
                                    row->migration, row->done + 1, done ? "done" : "not done");
                else
                        text_printf(notes,
                                    done ? "%s: it goes on after statement %" PRIu64 "\n"
                                         : "%s: it is applied from its start, of which %" PRIu64
                                           " statements were done\n",
                                    row->migration, row->done);
        }
        return 1;
}

int operation_repair(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(REPAIR_MAX), notes = TEXT_INIT(REPAIR_MAX);
        int r = c->run->operation.dry_run ? 0 : row_lock_take(c, ASSESS_INFO, err);

        if (r < 0)
                return r;
        if (c->run->operation.resolve)
                r = resolve_journal(c, &sql, &notes, err);
        else
                r = c->changelog->format->sql_repair(&sql, &notes, &c->context, c->changelog,
                                                     c->history, err);
        if (r > 0 && !c->run->operation.dry_run) {
                run_enter(c->run, RUN_APPLYING);
                r = apply_sql(c, &sql, err);
        }
        if (r < 0)
                return r;
        c->run->result = findings_notes(text_str(&notes));
        return conversation_assess(c, ASSESS_INFO, err);
}

int operation_tag(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(REPAIR_MAX), note = TEXT_INIT(1024);
        const Format *f = c->changelog->format;
        int r;

        if (!f->sql_tag) {
                (void) error_set(err, ERROR_REFUSED, "%s has no tags", f->name);
                return error_hint(err, "its versions say where the database is");
        }
        r = c->history->exists ? row_lock_take(c, ASSESS_INFO, err)
                               : operation_create_history(c, err);
        if (r >= 0)
                r = f->sql_tag(&sql, &c->context, c->history, c->run->operation.version, err);
        if (r < 0)
                return r;
        run_enter(c->run, RUN_APPLYING);
        text_printf(&note, "tagged %s\n", c->run->operation.version);
        c->run->result = findings_notes(text_str(&note));
        return apply_sql(c, &sql, err);
}

int operation_unlock(Conversation *c, Error *err)
{
        _cleanup_text_ Text notes = TEXT_INIT(4096);
        int r = row_lock_break(c, &notes, err);

        if (r >= 0)
                c->run->result = findings_notes(text_str(&notes));
        return r;
}
