#include "pg/advisory_lock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg/sql.inc"

#define POLL_FIRST (100 * USEC_PER_MSEC)
#define POLL_CAP (5 * USEC_PER_SEC)
/* For one question: these are short, but a busy server may be slow to answer. */
#define ANSWER_LIMIT (60 * USEC_PER_SEC)
#define MAX_KEYS 16U

/* Key 0 is ours, the others the format's. */
static void write_key(Text *sql, const LockRequest *r, size_t key)
{
        if (key == 0)
                text_printf(sql, "%d, %d", ADVISORY_LOCK_CLASS, (int) r->object);
        else
                text_printf(sql, "(%lld)::pg_catalog.int8", (long long) r->keys[key - 1]);
}

/* CASE goes in order and stops at the first key that is held by somebody else: its number is the answer, the keys before it
 * are given back in the same statement, so that nobody sees half of the locks taken for longer than that. */
static void write_take(Text *sql, const LockRequest *r)
{
        text_add(sql, "SELECT CASE");
        for (size_t key = 0; key <= r->n_keys; key++) {
                text_add(sql, " WHEN NOT pg_catalog.pg_try_advisory_lock(");
                write_key(sql, r, key);
                text_printf(sql, ") THEN %zu", key);
                for (size_t taken = key; taken-- > 0;) {
                        text_add(sql, " + 0 * pg_catalog.pg_advisory_unlock(");
                        write_key(sql, r, taken);
                        text_add(sql, ")::pg_catalog.int4");
                }
        }
        text_printf(sql, " ELSE %zu END", r->n_keys + 1);
}

/* Key number of the first that is held, n_keys + 1 when all are ours. */
static int try_lock(PgSession *s, const char *sql, size_t *ret, Error *err)
{
        _cleanup_result_ PGresult *res = NULL;
        int e = pg_fetch(s, &res, sql, clock_after(ANSWER_LIMIT), err);

        if (e == 0)
                *ret = (size_t) pg_int(res, 0, 0);
        return e;
}

static void copy_column(char *buf, size_t size, const PGresult *res, int column)
{
        const char *text = pg_text(res, 0, column);

        (void) snprintf(buf, size, "%s", text ? text : "");
}

static int find_holder(PgSession *s, const LockRequest *r, size_t key, LockHolder *ret, Error *err)
{
        _cleanup_result_ PGresult *res = NULL;
        uint64_t bits = key ? (uint64_t) r->keys[key - 1] : 0;
        char sql[sizeof SQL_LOCK_HOLDER + 64];
        int e;

        *ret = (LockHolder){ .pid = 0 };
        (void) snprintf(sql, sizeof sql, SQL_LOCK_HOLDER,
                        key ? (unsigned) (bits >> 32) : (unsigned) ADVISORY_LOCK_CLASS,
                        key ? (unsigned) bits : (unsigned) r->object, key ? 1U : 2U);
        e = pg_fetch(s, &res, sql, clock_after(ANSWER_LIMIT), err);
        if (e < 0)
                return e;
        ret->pid = (int) pg_int(res, 0, 0);
        copy_column(ret->application_name, sizeof ret->application_name, res, 1);
        copy_column(ret->user, sizeof ret->user, res, 2);
        copy_column(ret->address, sizeof ret->address, res, 3);
        copy_column(ret->since, sizeof ret->since, res, 4);
        return 0;
}

static int locked(const LockHolder *h, Error *err)
{
        if (h->pid == 0)
                return error_set(err, ERROR_LOCKED, "somebody else held the migration lock");
        (void) error_set(err, ERROR_LOCKED,
                         "the migration lock is held by \"%s\" (process %d, user %s%s%s%s%s)",
                         h->application_name, h->pid, h->user, *h->address ? ", from " : "",
                         h->address, *h->since ? ", connected since " : "", h->since);
        return error_hint(err,
                          "wait for it; if it hangs, end it with SELECT pg_terminate_backend(%d)",
                          h->pid);
}

/* x1.5 each time, the last with a random 0.75..1 so that many who wait do not march in step. */
static uint64_t next_delay(uint64_t *delay)
{
        uint64_t d = *delay;

        *delay = d + d / 2 < POLL_CAP ? d + d / 2 : POLL_CAP;
        return d - arc4random_uniform((uint32_t) (d / 4));
}

static int wait_for_lock(PgSession *s, const LockRequest *r, const char *sql, Error *err)
{
        LockHolder holder = { .pid = 0 };
        uint64_t delay = POLL_FIRST;
        int told = -1; /* pid that was told last */

        for (;;) {
                uint64_t now, pause = next_delay(&delay);
                size_t held = 0;
                int e = try_lock(s, sql, &held, err);

                if (e < 0 || held > r->n_keys)
                        return e;
                e = find_holder(s, r, held, &holder, err);
                if (e < 0)
                        return e;
                if (r->waiting && holder.pid != told && holder.pid != 0)
                        r->waiting(r->userdata, &holder);
                told = holder.pid;
                now = clock_monotonic();
                if (now >= r->deadline)
                        return locked(&holder, err);
                e = fiber_sleep(pause < r->deadline - now ? pause : r->deadline - now, err);
                if (e < 0)
                        return e;
        }
}

static int prepare(Text *sql, const LockRequest *r, Error *err)
{
        if (r->n_keys > MAX_KEYS)
                return error_set(err, ERROR_INTERNAL, "%zu lock keys, at most %u are possible",
                                 r->n_keys, MAX_KEYS);
        write_take(sql, r);
        return sql->bad ? error_oom(err, "a lock's statement") : 0;
}

int advisory_lock_take(PgSession *s, const LockRequest *r, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(32768);
        int e = prepare(&sql, r, err);

        if (e < 0)
                return e;
        if (pg_session_in_transaction(s))
                return error_set(err, ERROR_INTERNAL, "a lock was asked for inside a transaction");
        return wait_for_lock(s, r, text_str(&sql), err);
}

int advisory_lock_retake(PgSession *s, const LockRequest *r, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(32768);
        LockHolder holder = { .pid = 0 };
        size_t held = 0;
        int e = prepare(&sql, r, err);

        if (e >= 0)
                e = try_lock(s, text_str(&sql), &held, err);
        if (e < 0 || held > r->n_keys)
                return e;
        e = find_holder(s, r, held, &holder, err);
        return e < 0 ? e : locked(&holder, err);
}
