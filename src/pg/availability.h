#pragma once
/* Waiting until a database can be used: the waking loop, the table that classes every outcome, and what is known about
 * a database from memory. Holds no connection: when nobody needs the database, it may sleep. */
#include "loop/fiber.h"
#include "pg/session.h"

typedef enum OutcomeClass {
        OUTCOME_WAITING, /* try again: starting, refused, held, closed, too many connections */
        OUTCOME_GRACE, /* waiting for grace_timeout, then configuration: no pg_hba entry, no such host */
        OUTCOME_CREDENTIALS,   /* wrong password: never again with the same secret */
        OUTCOME_CONFIGURATION, /* waiting cannot cure it */
        _OUTCOME_CLASS_MAX,
} OutcomeClass;
const char *outcome_class_name(
        OutcomeClass
                c); /* as in /status: "unavailable" for the first two, "credentials", "configuration" */
/* Pure: the table (facts/postgresql.md 2.2). */
OutcomeClass availability_classify(const PgAttempt *a);

typedef enum AvailabilityState {
        AVAILABILITY_UNKNOWN,
        AVAILABILITY_ASLEEP,
        AVAILABILITY_RESOLVING,
        AVAILABILITY_CONNECTING,
        AVAILABILITY_WAKING,
        AVAILABILITY_READY,
        AVAILABILITY_BLOCKED,
        _AVAILABILITY_STATE_MAX,
} AvailabilityState;
const char *availability_state_name(AvailabilityState s);

typedef struct Availability {
        AvailabilityState state;
        uint64_t since_wall, attempts, waking_since; /* waking_since: monotonic, 0 when not */
        uint64_t last_ready_wall, last_wake_usec;
        uint64_t last_error_wall;
        OutcomeClass last_class;
        Error last_error; /* code ERROR_NONE: none */
        uint64_t logins_refused;
        uint64_t wakes; /* times it became ready */
        uint64_t total_attempts;
        unsigned connections; /* open now: 0 when idle */
        /* The login that was refused last, as a keyed hash of who and with what, and until when (monotonic) it is not
         * tried again, by later wakes neither. 0: none. */
        uint64_t refused_login, refused_until;
        /* Called after every change; may be NULL. */
        void (*changed)(void *userdata, const struct Availability *a);
        void *userdata;
} Availability;

typedef struct WakeRequest {
        const PgTarget *target;
        const char
                *password_file; /* "" = the target's own password; read afresh for every attempt */
        const char *application_name;
        const char *role; /* "" = none */
        bool allow_pooler;
        uint64_t connect_timeout, wake_timeout, grace_timeout; /* usec */
        uint64_t statement_timeout;                            /* 0 = none */
} WakeRequest;

/* How long a login that was refused is remembered: knocking again with the same password wakes a sleeping database, costs, and
 * may lock the account; but somebody may have set the password right in the server. */
#define AVAILABILITY_REFUSAL_MEMORY (300 * USEC_PER_SEC)

/* Connects, however long that takes within wake_timeout, one attempt in flight at most: held attempts for connect_timeout, fast
 * failures again after 50 ms doubling to 200 ms (5 s once a resume would be over) with jitter. A refused password is tried again only when password_file changed (looked at
 * every second). Then the gate: settings (keepalives, timeouts, client_connection_check_interval, ..., search_path untouched), writer and not reader, no
 * pooler that breaks session locks, UTF-8 client encoding, server version known and >= 11. All in one round trip.
 * -ERROR_UNAVAILABLE (deadline; err says what was last seen), _CREDENTIALS, _BLOCKED, or the fiber's own. */
int availability_wake(Availability *a, const WakeRequest *request, PgSession **ret, Error *err);
/* The session that availability_wake gave has been freed: back to asleep. */
void availability_rest(Availability *a);
/* Somebody changed something (a reload): a login that was refused may be tried again at once. */
void availability_forget_refusal(Availability *a);
