#include "pg/availability.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/backoff.h"
#include "pg/gate.h"

#define HELD_BEFORE_WAKING USEC_PER_SEC /* an attempt unanswered for this long: it is being woken */
#define PAUSE_AFTER_HELD (200 * USEC_PER_MSEC) /* the waiting has been done already */
#define HELD (2 * USEC_PER_SEC)                /* what failed sooner failed fast */
/* A resume takes some 15 s, 30 s after a deep sleep: until then it is worth looking every second. */
#define RESUME_WINDOW (40 * USEC_PER_SEC)
#define RESUME_CAP (200 * USEC_PER_MSEC)
#define BACKOFF_FIRST (50 * USEC_PER_MSEC)
#define BACKOFF_CAP (5 * USEC_PER_SEC)
#define FULL_CAP (10 * USEC_PER_SEC) /* each attempt costs a full server a process */
#define SECRET_POLL USEC_PER_SEC
#define TIMER_ACCURACY (10 * USEC_PER_MSEC)

const char *availability_state_name(AvailabilityState s)
{
        static const char *const names[_AVAILABILITY_STATE_MAX] = {
                [AVAILABILITY_UNKNOWN] = "unknown",     [AVAILABILITY_ASLEEP] = "asleep",
                [AVAILABILITY_RESOLVING] = "resolving", [AVAILABILITY_CONNECTING] = "connecting",
                [AVAILABILITY_WAKING] = "waking",       [AVAILABILITY_READY] = "ready",
                [AVAILABILITY_BLOCKED] = "blocked",
        };

        return names[s];
}

/* One wake, from the wish to the session. */
typedef struct Wake {
        Availability *a;
        const WakeRequest *request;
        uint64_t began, deadline;
        Backoff backoff;
        bool patient;   /* it did not answer at once: state "waking" */
        uint64_t login; /* of the attempt in flight */
} Wake;

static void changed(const Availability *a)
{
        if (a->changed)
                a->changed(a->userdata, a);
}

static void enter(Availability *a, AvailabilityState state)
{
        if (a->state != state) {
                a->state = state;
                a->since_wall = clock_wall();
        }
        changed(a);
}

/* ---- logins that were refused ---- */

/* FNV-1a with a key of this process: enough to know a login again, no help in finding a password. */
static uint64_t login_hash(const char *who, const char *password)
{
        static uint64_t key;
        uint64_t h;

        while (key == 0)
                arc4random_buf(&key, sizeof key);
        h = key;
        for (const char *p = who; *p; p++)
                h = (h ^ (unsigned char) *p) * 0x100000001b3ULL;
        h = (h ^ 0xff) * 0x100000001b3ULL;
        for (const char *p = password; *p; p++)
                h = (h ^ (unsigned char) *p) * 0x100000001b3ULL;
        return h ? h : 1;
}

static bool login_refused(const Availability *a, uint64_t login)
{
        return a->refused_login == login && clock_monotonic() < a->refused_until;
}

void availability_forget_refusal(Availability *a)
{
        a->refused_login = 0;
}

/* ---- states that others see while an attempt is under way ---- */

static void on_phase(void *userdata, const char *phase)
{
        Wake *w = userdata;
        AvailabilityState state =
                strcmp(phase, "resolving") == 0 ? AVAILABILITY_RESOLVING : AVAILABILITY_CONNECTING;

        if (!w->patient && w->a->state != state)
                enter(w->a, state);
}

static void be_patient(Wake *w)
{
        w->patient = true;
        if (w->a->state != AVAILABILITY_WAKING)
                enter(w->a, AVAILABILITY_WAKING);
}

static int on_held(sd_event_source *source, uint64_t usec, void *userdata)
{
        (void) source;
        (void) usec;
        be_patient(userdata);
        return 0;
}

static void note_failure(Availability *a, OutcomeClass class, const Error *e)
{
        a->last_error = *e;
        a->last_class = class;
        a->last_error_wall = clock_wall();
}

/* ---- attempts ---- */

static int read_secret(const Wake *w, Secret **ret, Error *err)
{
        *ret = NULL;
        if (!*w->request->password_file)
                return 0;
        return secret_read_file(ret, w->request->password_file, err);
}

static uint64_t attempt_deadline(const Wake *w)
{
        uint64_t limit = clock_after(w->request->connect_timeout);

        return limit < w->deadline ? limit : w->deadline;
}

/* Connects and passes the gate. Negative: *class says what it means, unless it is to unwind. */
static int attempt(Wake *w, const Secret *secret, PgSession **ret, bool *timed_out,
                   OutcomeClass *class, Error *err)
{
        _cleanup_(pg_session_freep) PgSession *s = NULL;
        _cleanup_(sd_event_source_disable_unrefp) sd_event_source *held = NULL;
        uint64_t deadline = attempt_deadline(w);
        PgAttempt outcome = { .resolving = false };
        bool unusable = false;
        int r;

        w->a->attempts++;
        w->a->total_attempts++;
        if (w->patient)
                enter(w->a, AVAILABILITY_WAKING);
        else
                (void) sd_event_add_time_relative(fiber_event(), &held, CLOCK_MONOTONIC,
                                                  HELD_BEFORE_WAKING, TIMER_ACCURACY, on_held, w);
        r = pg_connect(&s, w->request->target, secret, w->request->application_name, deadline,
                       on_phase, w, &outcome, err);
        if (r == 0)
                r = gate_pass(s, w->request, deadline, &outcome, &unusable, err);
        *timed_out = outcome.timed_out;
        if (r < 0 && r != -(int) ERROR_CANCELLED && r != -(int) ERROR_DEADLINE)
                *class = unusable ? OUTCOME_CONFIGURATION : availability_classify(&outcome);
        if (r == 0)
                *ret = TAKE_PTR(s);
        return r;
}

static int ready(Wake *w)
{
        Availability *a = w->a;

        a->connections++;
        a->wakes++;
        a->last_ready_wall = clock_wall();
        a->last_wake_usec = clock_monotonic() - w->began;
        a->waking_since = 0;
        enter(a, AVAILABILITY_READY);
        return 0;
}

/* ---- ends ---- */

static int end(Wake *w, ErrorCode code, AvailabilityState state, const char *said, Error *err)
{
        const Error *last = &w->a->last_error;

        (void) error_set(err, code, "%s %s: %s", pg_target_describe(w->request->target), said,
                         last->code == ERROR_NONE ? "it has not been asked" : last->text);
        (void) snprintf(err->sqlstate, sizeof err->sqlstate, "%s", last->sqlstate);
        (void) error_hint(err, "%s", last->hint);
        w->a->waking_since = 0;
        enter(w->a, state);
        return -(int) code;
}

static int give_up_waiting(Wake *w, Error *err)
{
        char said[96];

        if (w->a->state == AVAILABILITY_BLOCKED && w->a->last_class == OUTCOME_CREDENTIALS)
                return end(w, ERROR_CREDENTIALS, AVAILABILITY_BLOCKED,
                           "refuses the password and no other was found", err);
        (void) snprintf(said, sizeof said, "was not available within %.3g s (%llu attempts)",
                        (double) w->request->wake_timeout / (double) USEC_PER_SEC,
                        (unsigned long long) w->a->attempts);
        return end(w, ERROR_UNAVAILABLE, AVAILABILITY_ASLEEP, said, err);
}

static int unwind(Wake *w, int r)
{
        w->a->waking_since = 0;
        enter(w->a, AVAILABILITY_ASLEEP);
        return r;
}

/* Sleeps, or ends the wake when there is no time left for another attempt after it. */
static int pause_for(Wake *w, uint64_t usec, Error *err)
{
        uint64_t now = clock_monotonic();
        int r;

        if (now >= w->deadline)
                return give_up_waiting(w, err);
        r = fiber_sleep(usec < w->deadline - now ? usec : w->deadline - now, err);
        if (r < 0)
                return unwind(w, r);
        return clock_monotonic() >= w->deadline ? give_up_waiting(w, err) : 0;
}

/* ---- what to do next ---- */

static int on_credentials(Wake *w, Error *err)
{
        Availability *a = w->a;

        a->logins_refused++;
        a->refused_login = w->login;
        a->refused_until = clock_after(AVAILABILITY_REFUSAL_MEMORY);
        if (!*w->request->password_file) {
                if (!*a->last_error.hint)
                        (void) error_hint(&a->last_error,
                                          "set the right password, or name a password_file");
                return end(w, ERROR_CREDENTIALS, AVAILABILITY_BLOCKED, "refuses the login", err);
        }
        (void) error_hint(&a->last_error, "put the right password into %.200s",
                          w->request->password_file);
        enter(a, AVAILABILITY_BLOCKED);
        return pause_for(w, SECRET_POLL, err);
}

static uint64_t backoff_cap(const Wake *w, const Error *failure)
{
        if (strcmp(failure->sqlstate, "53300") == 0) /* too_many_connections: it is awake */
                return FULL_CAP;
        return clock_monotonic() - w->began < RESUME_WINDOW ? RESUME_CAP : BACKOFF_CAP;
}

static int on_failure(Wake *w, OutcomeClass class, uint64_t took, bool timed_out, Error *err)
{
        note_failure(w->a, class, err);
        if (class == OUTCOME_CREDENTIALS)
                return on_credentials(w, err);
        if (class == OUTCOME_CONFIGURATION ||
            (class == OUTCOME_GRACE && clock_monotonic() - w->began >= w->request->grace_timeout))
                return end(w, ERROR_BLOCKED, AVAILABILITY_BLOCKED, "cannot be used", err);
        w->patient = true;
        enter(w->a, AVAILABILITY_WAKING);
        if (timed_out || took >= HELD) {
                backoff_reset(&w->backoff);
                return pause_for(w, PAUSE_AFTER_HELD, err);
        }
        w->backoff.cap = backoff_cap(w, err);
        return pause_for(w, backoff_next(&w->backoff), err);
}

/* The password cannot be read, or is one that was refused: wait for the file, not for the database. */
static int on_no_password(Wake *w, Error *err)
{
        if (!*w->request->password_file)
                return end(w, ERROR_CREDENTIALS, AVAILABILITY_BLOCKED,
                           "refused this login some minutes ago and is not asked again yet", err);
        if (w->a->state != AVAILABILITY_BLOCKED)
                enter(w->a, AVAILABILITY_BLOCKED);
        return pause_for(w, SECRET_POLL, err);
}

/* 1: *ret; 0: once more; negative: over. */
static int wake_once(Wake *w, PgSession **ret, Error *err)
{
        _cleanup_(secret_freep) Secret *secret = NULL;
        OutcomeClass class = OUTCOME_WAITING;
        uint64_t began = clock_monotonic();
        bool timed_out = false;
        int r = read_secret(w, &secret, err);

        if (r < 0) {
                note_failure(w->a, OUTCOME_CREDENTIALS, err);
                return on_no_password(w, err);
        }
        /* Without a secret the target's own password is meant: the target says it well enough. */
        w->login = login_hash(pg_target_describe(w->request->target),
                              secret ? secret_reveal(secret) : "");
        if (login_refused(w->a, w->login))
                return on_no_password(w, err);
        r = attempt(w, secret, ret, &timed_out, &class, err);
        if (r == 0) {
                (void) ready(w);
                return 1;
        }
        if (r == -(int) ERROR_CANCELLED || r == -(int) ERROR_DEADLINE)
                return unwind(w, r);
        return on_failure(w, class, clock_monotonic() - began, timed_out, err);
}

int availability_wake(Availability *a, const WakeRequest *request, PgSession **ret, Error *err)
{
        Wake w = { .a = a,
                   .request = request,
                   .began = clock_monotonic(),
                   .deadline = clock_after(request->wake_timeout),
                   .backoff = { .first = BACKOFF_FIRST, .cap = RESUME_CAP } };
        int r;

        a->attempts = 0;
        a->waking_since = w.began;
        do
                r = wake_once(&w, ret, err);
        while (r == 0);
        return r < 0 ? r : 0;
}

void availability_rest(Availability *a)
{
        if (a->connections > 0)
                a->connections--;
        enter(a, AVAILABILITY_ASLEEP);
}
