#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "engine/apply.h"
#include "engine/evidence.h"
#include "engine/journal.h"
#include "pg/session_object.h"

#define SQL_MAX ((size_t) 1 << 20)

/* One migration that goes statement by statement. */
typedef struct Journalled {
        Conversation *c;
        size_t step;
        const char *id; /* of the migration: the journal's key */
        Script script;
        Journal journal;
        uint64_t done;        /* statements that were done when it was taken up */
        bool doubt;           /* statement `done` was started by somebody and not seen to end */
        uint64_t index;       /* the statement that is going, from 0 */
        char *before;         /* evidence from before that start */
        uint32_t prefix;      /* checksum of the statements before it */
        uint32_t next_prefix; /* and with it */
        bool in_transaction;  /* of the script's own */
        uint64_t started;     /* monotonic */
} Journalled;

static const char *prefix_text(uint32_t prefix, char buf[16])
{
        (void) snprintf(buf, 16, "%08x", prefix);
        return buf;
}

static uint32_t prefix_next(uint32_t prefix, const Script *s, const Statement *st)
{
        return (uint32_t) crc32(prefix, (const Bytef *) s->text.data + st->start,
                                (uInt) (st->end - st->start));
}

static int attention(Journalled *j, const char *what, Error *err)
{
        (void) error_set(err, ERROR_ATTENTION,
                         "migration %s was interrupted at statement %" PRIu64 ": %s", j->id,
                         j->index + 1, what);
        (void) error_at(err, j->script.path, 0, 0);
        return error_hint(
                err,
                "look at the database, then say which: \"pgmigrated repair --resolve done\" (the "
                "statement took effect) or \"pgmigrated repair --resolve rerun\" (it did not)");
}

/* ---- the journal's statements ---- */

/* The script may have become somebody else, who has no rights on our tables. LOCAL: only for what follows in the transaction. */
static void add_ourselves(const Journalled *j, Text *sql)
{
        const char *role = j->c->db->settings->role;

        if (j->script.changes_user)
                text_add(sql, "SET LOCAL SESSION AUTHORIZATION DEFAULT;\n");
        if (!j->script.changes_session)
                return;
        text_add(sql, "SET LOCAL ROLE ");
        if (*role)
                text_add_sql_identifier(sql, role);
        else
                text_add(sql, "NONE");
        text_add(sql, ";\n");
}

static void add_advance(const Journalled *j, Text *sql, uint64_t done, uint32_t prefix)
{
        char text[16];

        add_ourselves(j, sql);
        journal_sql_advance(sql, j->c, j->id, done, prefix_text(prefix, text));
}

/* ---- taking up where the journal says ---- */

static int load(Journalled *j, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        const JournalRow *row;
        int r = journal_load(&j->journal, j->c, err);

        if (r < 0)
                return r;
        row = journal_find(&j->journal, j->id);
        if (!row || row->done == 0)
                j->c->journalled = j->id;
        if (!row) {
                journal_sql_create(&sql, j->c, j->id);
                return apply_sql(j->c, &sql, err);
        }
        j->done = row->done;
        j->doubt = row->started;
        j->before = strdup(row->before);
        return j->before ? 0 : error_oom(err, "the journal");
}

static int changed(Journalled *j, Error *err)
{
        (void) error_set(err, ERROR_ATTENTION,
                         "%s changed in its first %" PRIu64
                         " statements, which an interrupted run has already applied",
                         j->script.path, j->done);
        (void) error_at(err, j->script.path, 0, 0);
        return error_hint(err, "restore those statements (what follows them may change), or run "
                               "\"pgmigrated repair "
                               "--resolve rerun\" to apply the whole file from its start");
}

/* The statements that are done must be those of the file as it is now. */
static int check_prefix(Journalled *j, uint32_t prefix, Error *err)
{
        const JournalRow *row = journal_find(&j->journal, j->id);
        char text[16];

        if (!row || j->done == 0 || strcmp(row->prefix, JOURNAL_PREFIX_ANY) == 0 ||
            strcmp(row->prefix, prefix_text(prefix, text)) == 0)
                return 0;
        return changed(j, err);
}

/* ---- single statements ---- */

static void count_row(void *userdata, const BatchSegment *seg, const PGresult *res)
{
        Journalled *j = userdata;
        RunStep *s = &j->c->run->steps[j->step];

        if (seg->script)
                s->rows += batch_rows(res);
}

/* One string: what we put before, the statement, what we put after. */
static int send_one(Journalled *j, const Statement *st, const char *before, const char *after,
                    Error *err)
{
        _cleanup_batch_ Batch b;
        Text text = { .s = (char *) (uintptr_t) before, .len = strlen(before) };
        int r;

        batch_init(&b);
        b.statement_timeout = j->c->db->settings->statement_timeout;
        r = batch_add_own_text(&b, j->step, &text, err);
        if (r < 0)
                return r;
        batch_add(&b, j->step, &j->script, st);
        if (st->kind == STATEMENT_COPY_IN) { /* its data ends the string */
                r = batch_send(&b, j->c->session, count_row, j, NULL, err);
                batch_clear(&b);
        }
        text = (Text){ .s = (char *) (uintptr_t) after, .len = strlen(after) };
        if (r >= 0)
                r = batch_add_own_text(&b, j->step, &text, err);
        return r < 0 ? r : batch_send(&b, j->c->session, count_row, j, NULL, err);
}

static int advance(Journalled *j, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);

        add_advance(j, &sql, j->index + 1, j->next_prefix);
        return apply_sql(j->c, &sql, err);
}

/* A statement that can run in a transaction takes the journal's advance with it: never in doubt. */
static int run_with_advance(Journalled *j, const Statement *st, Error *err)
{
        _cleanup_text_ Text before = TEXT_INIT(SQL_MAX), after = TEXT_INIT(SQL_MAX);

        text_add(&before, "BEGIN;\n");
        if (st->kind == STATEMENT_LONG || st->kind == STATEMENT_COPY_IN)
                text_add(&before, "SET LOCAL lock_timeout = 0;\n");
        add_advance(j, &after, j->index + 1, j->next_prefix);
        text_add(&after, "COMMIT;\n");
        return send_one(j, st, text_str(&before), text_str(&after), err);
}

/* An orphaned build must be left to end by itself: cancelled, it would leave an invalid index (facts 4.3). */
static int loosen_session(Journalled *j, bool loose, Error *err)
{
        char sql[160];

        (void) snprintf(sql, sizeof sql, "SET lock_timeout = '%" PRIu64 "ms';%s",
                        loose ? 0 : j->c->db->settings->lock_timeout / USEC_PER_MSEC,
                        pg_session_version(j->c->session) < 140000 ? ""
                        : loose ? " SET client_connection_check_interval = 0"
                                : " SET client_connection_check_interval = '5s'");
        return pg_execute(j->c->session, sql, clock_after(OWN_STATEMENT_TIMEOUT), err);
}

static int start(Journalled *j, const char *before, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);

        add_ourselves(j, &sql);
        journal_sql_start(&sql, j->c, j->id, before);
        return apply_sql(j->c, &sql, err);
}

/* After the server said no, or the statement was cancelled: something broken may be left. What is not certain stays in doubt, for
 * the next run to look at. Whoever the statement waited for would be waited for again: not for long. */
static int clean_after_failure(Journalled *j, const Statement *st, const char *before, Error *err)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
        _cleanup_free_ char *now = NULL;
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        Verdict v = VERDICT_UNDECIDED;
        Error failure;
        int r;

        if (pg_session_lost(j->c->session))
                return 0;
        r = loosen_session(j, false, &failure);
        if (r >= 0)
                r = evidence_look(&now, j->c->session, j->script.text.data, st, &failure);
        if (r >= 0)
                v = evidence_judge(st->kind, before, now);
        if (r >= 0 && (v == VERDICT_FINALIZE || (v == VERDICT_DONE && err->code != ERROR_SQL)))
                return 0;
        if (r >= 0 && v == VERDICT_CLEAN)
                r = evidence_clean(j->c->session, j->script.text.data, st, before, now, &failure);
        if (r >= 0) {
                add_advance(j, &sql, j->index, j->prefix);
                r = apply_sql(j->c, &sql, &failure);
        }
        if (r < 0)
                (void) error_hint(err,
                                  "cleaning up failed too (%s); the next run looks at it again",
                                  failure.text);
        return 0;
}

static int check_result(Journalled *j, const Statement *st, const char *before, Error *err)
{
        _cleanup_free_ char *now = NULL;
        int r = evidence_look(&now, j->c->session, j->script.text.data, st, err);

        if (r < 0)
                return r;
        if (st->kind != STATEMENT_NONTX_CREATE_INDEX || !evidence_has_broken(now, before))
                return 0;
        (void) error_set(err, ERROR_SQL, "the index was left invalid");
        return script_error_at(&j->script, st->first, err);
}

/* An invalid index of the same name makes IF NOT EXISTS skip the build and call it a success. */
static int clear_the_way(Journalled *j, const Statement *st, char **before, Error *err)
{
        int r;

        if (st->kind != STATEMENT_NONTX_CREATE_INDEX || !st->if_exists ||
            st->object_start == st->object_end || !evidence_has_broken(*before, ""))
                return 0;
        run_warn(j->c->run, "an invalid index stood in the way of CREATE INDEX CONCURRENTLY IF NOT "
                            "EXISTS; it was dropped");
        r = evidence_clean(j->c->session, j->script.text.data, st, "", *before, err);
        if (r < 0)
                return r;
        free(*before);
        *before = NULL;
        return evidence_look(before, j->c->session, j->script.text.data, st, err);
}

/* A statement that cannot run in a transaction: journal, do, look. */
static int run_outside(Journalled *j, const Statement *st, Error *err)
{
        _cleanup_free_ char *before = NULL;
        Error ignored;
        int r = evidence_look(&before, j->c->session, j->script.text.data, st, err);

        if (r >= 0)
                r = clear_the_way(j, st, &before, err);
        if (r >= 0)
                r = start(j, before, err);
        if (r >= 0)
                r = loosen_session(j, true, err);
        if (r < 0)
                return r;
        r = send_one(j, st, "", "", err);
        if (r >= 0)
                r = check_result(j, st, before, err);
        if (r < 0) {
                (void) clean_after_failure(j, st, before, err);
        } else {
                r = advance(j, err);
        }
        if (!pg_session_lost(j->c->session)) {
                _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
                (void) loosen_session(j, false, &ignored);
        }
        return r;
}

/* DO or CALL that ends transactions itself: it can be neither inside a transaction nor looked at. */
static int run_undecidable(Journalled *j, const Statement *st, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        Error ignored;
        int r = start(j, "", err);

        if (r >= 0)
                r = send_one(j, st, "", "", err);
        if (r >= 0)
                return advance(j, err);
        /* The server's own "no" leaves no doubt: what the call committed before is the script's. */
        if (r == -(int) ERROR_SQL && !pg_session_lost(j->c->session)) {
                add_advance(j, &sql, j->index, j->prefix);
                (void) pg_rollback(j->c->session, &ignored);
                (void) apply_sql(j->c, &sql, &ignored);
        }
        return r;
}

/* The script's own transactions: the journal advances with their COMMIT. */
static int run_in_own_transaction(Journalled *j, const Statement *st, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        int r;

        if (st->kind == STATEMENT_TX_COMMIT || st->kind == STATEMENT_TX_PREPARE) {
                add_advance(j, &sql, j->index + 1, j->next_prefix);
                r = send_one(j, st, text_str(&sql), "", err);
        } else {
                r = send_one(j, st, "", "", err);
        }
        if (r >= 0)
                j->in_transaction = pg_session_in_transaction(j->c->session);
        return r;
}

/* ---- in doubt ---- */

static int resolve_doubt(Journalled *j, const Statement *st, bool *done, Error *err)
{
        _cleanup_free_ char *now = NULL;
        int r = evidence_look(&now, j->c->session, j->script.text.data, st, err);
        Verdict v;

        if (r < 0)
                return r;
        v = statement_is_nontx(st, pg_session_version(j->c->session))
                    ? evidence_judge(st->kind, j->before, now)
                    : VERDICT_UNDECIDED;
        *done = v == VERDICT_DONE || v == VERDICT_FINALIZE;
        switch (v) {
        case VERDICT_UNDECIDED:
                return attention(j, "whether it took effect cannot be found out", err);
        case VERDICT_CLEAN:
        case VERDICT_FINALIZE:
                run_warn(j->c->run, "an interrupted statement left an unfinished object; it was "
                                    "taken up again");
                r = evidence_clean(j->c->session, j->script.text.data, st, j->before, now, err);
                break;
        default:
                break;
        }
        j->doubt = false;
        return r < 0 || !*done ? r : advance(j, err);
}

/* ---- what went with the session ---- */

static int missing(Journalled *j, const Statement *maker, const SessionObject *o, Error *err)
{
        (void) error_set(err, ERROR_ATTENTION,
                         "migration %s was interrupted before statement %" PRIu64
                         ", and \"%.*s\", which the rest of it names, was gone with the session",
                         j->id, j->index + 1, (int) (o->end - o->start),
                         j->script.text.data + o->start);
        (void) script_error_at(&j->script, maker->first, err);
        return error_hint(err, "take back what it did and say \"pgmigrated repair --resolve "
                               "rerun\" to apply it from its start; or, if the rest can do "
                               "without, \"pgmigrated repair --resolve done\" to go on");
}

/* On another connection, what follows must not need what earlier statements left in the session: it may even mean something else
 * then, as the name of a temporary table may be that of another table. Settings are made again. */
static int check_session(Journalled *j, const Statement *next, Error *err)
{
        const JournalRow *row = journal_find(&j->journal, j->id);
        const char *text = j->script.text.data;
        SessionObject o;
        Scanner scanner;
        Statement st;
        int r = 1;

        if (j->c->journalled == j->id)
                return 0;
        scanner_init(&scanner, text, j->script.text.size, j->script.path);
        while (strcmp(row->prefix, JOURNAL_PREFIX_ANY) != 0 && scanner.at < next->start && r > 0) {
                r = scanner_next(&scanner, &st, err);
                if (r > 0 && st.start < next->start && session_object_made(&o, text, &st) &&
                    session_object_used(&o, text, next->first, j->script.text.size))
                        return missing(j, &st, &o, err);
        }
        j->c->journalled = j->id;
        return r < 0 ? r : 0;
}

static int run_statement(Journalled *j, const Statement *st, Error *err)
{
        bool done = false;
        int r = 0;

        if (j->doubt)
                r = resolve_doubt(j, st, &done, err);
        if (r >= 0 && !done)
                r = check_session(j, st, err);
        if (r < 0 || done)
                return r;
        if (j->in_transaction ||
            (st->kind >= STATEMENT_TX_BEGIN && st->kind <= STATEMENT_TX_PREPARE))
                return run_in_own_transaction(j, st, err);
        if (statement_is_nontx(st, pg_session_version(j->c->session)))
                return run_outside(j, st, err);
        r = run_with_advance(j, st, err);
        if (r < 0 && err->code == ERROR_SQL && strcmp(err->sqlstate, "2D000") == 0) {
                r = pg_rollback(j->c->session, err);
                if (r >= 0)
                        r = run_undecidable(j, st, err);
        }
        return r;
}

/* What the statements that are done have left in the session went with the connection: it is said again. Transaction control
 * too, so that what was set in a transaction that was rolled back is not set, and one that was chained is open again. */
static int restore_session(Journalled *j, const Statement *st, Error *err)
{
        bool control = st->kind >= STATEMENT_TX_BEGIN && st->kind <= STATEMENT_TX_PREPARE;
        int r;

        if (!control && !script_changes_session(&j->script, st))
                return 0;
        if (st->kind == STATEMENT_TX_PREPARE)
                r = pg_execute(j->c->session, "COMMIT", clock_after(OWN_STATEMENT_TIMEOUT), err);
        else if (st->kind == STATEMENT_LONG && !j->in_transaction)
                /* SELECT set_config(...): whatever else it does must not be done twice. */
                r = send_one(j, st, "BEGIN READ ONLY;\n", "COMMIT;\n", err);
        else
                r = send_one(j, st, "", "", err);
        if (r == -(int) ERROR_SQL && strcmp(err->sqlstate, "25006") == 0)
                return attention(j, "it sets something for the session and writes", err);
        j->in_transaction = pg_session_in_transaction(j->c->session);
        return r;
}

/* ---- the migration ---- */

static int run_statements(Journalled *j, Error *err)
{
        RunStep *s = &j->c->run->steps[j->step];
        Scanner scanner;
        Statement st;
        uint64_t n = 0;
        int r;

        scanner_init(&scanner, j->script.text.data, j->script.text.size, j->script.path);
        while ((r = scanner_next(&scanner, &st, err)) > 0) {
                bool unlocks = script_may_unlock(&j->script, &st);

                j->index = n++;
                j->next_prefix = prefix_next(j->prefix, &j->script, &st);
                j->c->lock_doubtful = j->c->lock_doubtful || unlocks;
                if (n <= j->done) {
                        r = restore_session(j, &st, err);
                        if (r >= 0 && n == j->done)
                                r = check_prefix(j, j->next_prefix, err);
                } else {
                        s->statement = j->index;
                        condition_signal(&j->c->run->changed);
                        r = run_statement(j, &st, err);
                        j->c->db->statements++;
                }
                if (r >= 0 && unlocks)
                        r = apply_mend_session(j->c, &j->script, &st, err);
                if (r < 0)
                        return r;
                j->prefix = j->next_prefix;
                s->statement = n;
        }
        return r >= 0 && n < j->done ? changed(j, err) : r;
}

/* Whether the journal holds nothing but what is done with now. */
static bool is_last(const Journalled *j)
{
        return j->journal.n_rows == 0 ||
               (j->journal.n_rows == 1 && journal_find(&j->journal, j->id));
}

static int finish(Journalled *j, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        uint64_t ms = (clock_monotonic() - j->started) / USEC_PER_MSEC;
        int r;

        apply_restore_sql(j->c, &sql);
        r = apply_history_sql(j->c, j->step, (int64_t) ms, &sql, err);
        if (r < 0)
                return r;
        journal_sql_finish(&sql, j->c, j->id, is_last(j));
        r = apply_sql(j->c, &sql, err);
        if (r < 0)
                return error_prefix(err, "recording the migration in the history");
        j->c->session_prepared = false;
        j->c->next_rank++;
        run_step_enter(j->c->run, j->step, STEP_APPLIED);
        return 0;
}

static int run_whole(Journalled *j, Error *err)
{
        Conversation *c = j->c;
        const PlanStep *p = &c->plan->steps[j->step];
        int r = apply_hooks(c, p->undo_row ? HOOK_BEFORE_EACH_UNDO : HOOK_BEFORE_EACH_MIGRATE, err);

        if (r >= 0)
                r = run_statements(j, err);
        if (r >= 0)
                r = apply_hooks(c, p->undo_row ? HOOK_AFTER_EACH_UNDO : HOOK_AFTER_EACH_MIGRATE,
                                err);
        return r;
}

/* What is there of it already is not asked about again: its own first statements may have changed the answer. */
static int decide(Journalled *j, Decision *ret, Error *err)
{
        *ret = DECISION_RUN;
        return j->done > 0 || j->doubt ? 0 : apply_decide(j->c, j->step, ret, err);
}

static int skip(Journalled *j, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);

        journal_sql_finish(&sql, j->c, j->id, is_last(j));
        run_step_enter(j->c->run, j->step, STEP_SKIPPED);
        return apply_sql(j->c, &sql, err);
}

/* Who tries again, or asks the history how it ended, is not whom the script has become. */
static void abandon(const Journalled *j)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        Error ignored;
        int r = pg_rollback(j->c->session, &ignored);

        (void) shield;
        if (r < 0 || !j->script.changes_session)
                return;
        apply_restore_sql(j->c, &sql);
        (void) apply_sql(j->c, &sql, &ignored);
        j->c->session_prepared = false;
}

int apply_journalled(Conversation *c, size_t step, Error *err)
{
        const PlanStep *p = &c->plan->steps[step];
        Journalled j = {
                .c = c, .step = step, .id = p->migration->id, .started = clock_monotonic()
        };
        Decision decision = DECISION_RUN;
        int r;

        run_step_enter(c->run, step, STEP_APPLYING);
        r = load(&j, err);
        if (r >= 0)
                r = decide(&j, &decision, err);
        if (r >= 0)
                r = script_open(&j.script, c->changelog, p->migration, &c->context, err);
        if (r >= 0 && decision == DECISION_RUN)
                r = run_whole(&j, err);
        if (r < 0 && !pg_session_lost(c->session))
                abandon(&j);
        if (r >= 0)
                r = decision == DECISION_SKIP ? skip(&j, err) : finish(&j, err);
        script_done(&j.script);
        journal_done(&j.journal);
        free(j.before);
        return r;
}
