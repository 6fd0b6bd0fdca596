#include "engine/row_lock.h"

#include <stdio.h>
#include <string.h>

#include "engine/apply.h"

#define SQL_MAX ((size_t) 64 * 1024)

static void show(Conversation *c, const FormatHolder *holder)
{
        LockHolder shown = { .pid = 0 };

        (void) snprintf(shown.application_name, sizeof shown.application_name, "%s %.50s",
                        c->changelog->format->name, holder->who);
        (void) snprintf(shown.since, sizeof shown.since, "%.39s", holder->since);
        conversation_show_holder(c, &shown);
}

static int give_up(Conversation *c, const FormatHolder *holder, Error *err)
{
        (void) error_set(err, ERROR_LOCKED, "%s: the lock of %s is held by %s since %s",
                         c->db->name, c->changelog->format->name, holder->who, holder->since);
        return error_hint(err,
                          holder->abandoned
                                  ? "no such tool is connected to the database, so its process has "
                                    "died: release the lock with \"pgmigrated unlock\""
                                  : "wait for it to end; if it has died, release its lock with "
                                    "\"pgmigrated unlock\"");
}

static int poll(Conversation *c, Error *err)
{
        const Format *f = c->changelog->format;
        Backoff backoff = { .first = 500 * USEC_PER_MSEC, .cap = 5 * USEC_PER_SEC };
        uint64_t deadline = clock_after(c->db->settings->migration_lock_timeout);
        FormatHolder holder = { .who = "" };
        bool told = false;
        int r;

        while ((r = f->lock_row(&c->context, c->session, &holder, err)) == 0) {
                if (clock_monotonic() >= deadline)
                        return give_up(c, &holder, err);
                show(c, &holder);
                if (holder.abandoned && !told)
                        run_warn(c->run,
                                 "the tool's lock seems to be left by a process that has died; "
                                 "\"pgmigrated unlock\" releases it");
                told = told || holder.abandoned;
                r = fiber_sleep(backoff_next(&backoff), err);
                if (r < 0)
                        return r;
        }
        return r;
}

int row_lock_take(Conversation *c, AssessPurpose purpose, Error *err)
{
        int r;

        if (!c->changelog->format->lock_row || !c->history->exists || c->row_locked)
                return 0;
        r = poll(c, err);
        if (c->db->lock_waiting) {
                c->db->lock_waiting = false;
                c->db->lock_holder = (LockHolder){ .pid = 0 };
                database_lock_changed(c->db);
        }
        if (r < 0)
                return r;
        c->row_locked = true;
        return conversation_assess(c, purpose, err);
}

static int release(Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        int r = c->changelog->format->sql_unlock(&sql, &c->context, err);

        return r < 0 ? r : apply_sql(c, &sql, err);
}

void row_lock_release(Conversation *c)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
        Error failure;

        if (!c->row_locked || pg_session_lost(c->session))
                return;
        if (release(c, &failure) < 0)
                run_warn(c->run, failure.text);
        c->row_locked = false;
}

int row_lock_break(Conversation *c, Text *notes, Error *err)
{
        const Format *f = c->changelog->format;
        FormatHolder holder = { .who = "" };
        int r;

        if (!f->lock_row) {
                (void) error_set(err, ERROR_REFUSED, "%s keeps no lock in a table", f->name);
                return error_hint(err, "its lock ends with the session that holds it");
        }
        if (!c->history->exists)
                return 0;
        r = f->lock_row(&c->context, c->session, &holder, err);
        if (r == 0)
                text_printf(notes, "released the lock of %s, held since %s\n", holder.who,
                            holder.since);
        return r < 0 ? r : release(c, err);
}
