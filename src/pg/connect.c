#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "loop/resolver.h"
#include "pg/session_private.h"
#include "pg/sqlstate.h"
#include "pg/target.h"

/* While others are left to try, how long an address may leave a TCP connect unanswered. */
#define ADDRESS_PATIENCE (5 * USEC_PER_SEC)
/* Look-ups have a limit of their own: a name server that is silent must not eat a long attempt. */
#define RESOLVE_PATIENCE (10 * USEC_PER_SEC)

typedef struct Connect {
        const PgTarget *target;
        const char *password, *application_name;
        uint64_t deadline;
        void (*on_phase)(void *userdata, const char *phase);
        void *userdata;
        PgAttempt *attempt;
        size_t left; /* candidates after the one that is tried */
} Connect;

DEFINE_CLEANUP(PGconn *, PQfinish)

static void tell(const Connect *c, const char *phase)
{
        if (c->on_phase)
                c->on_phase(c->userdata, phase);
}

static int failed(PgAttempt *attempt, PGconn *conn)
{
        Error *e = &attempt->error;

        *e = (Error){ .code = ERROR_UNAVAILABLE };
        (void) sqlstate_from_connect_message(e->sqlstate, e->text, sizeof e->text,
                                             PQerrorMessage(conn));
        /* libpq's own words for target_session_attrs=read-write; there is no code. */
        attempt->reader = strstr(e->text, "session is read-only") != NULL;
        attempt->needs_password = PQconnectionNeedsPassword(conn);
        return -(int) ERROR_UNAVAILABLE;
}

/* A fair share of the time that is left, less while the network has not answered at all. */
static uint64_t patience(const Connect *c, uint64_t began, ConnStatusType phase)
{
        uint64_t until = c->deadline;

        if (c->left == 0)
                return until;
        if (until != USEC_INFINITY)
                until = began + (until > began ? until - began : 0) / (c->left + 1);
        if (phase == CONNECTION_STARTED && until > began + ADDRESS_PATIENCE)
                until = began + ADDRESS_PATIENCE;
        return until;
}

static const struct {
        ConnStatusType phase;
        const char *waiting_for;
} phases[] = {
        { CONNECTION_STARTED, "to accept the connection" },
        { CONNECTION_MADE, "to take the startup packet" },
        { CONNECTION_SSL_STARTUP, "to begin TLS" },
        { CONNECTION_AWAITING_RESPONSE, "to answer the startup packet" },
        { CONNECTION_AUTH_OK, "to start the session" },
};

static int timed_out(Connect *c, const PGconn *conn, uint64_t began)
{
        const char *host = PQhost(conn), *waiting_for = "to answer";

        for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
                if (phases[i].phase == c->attempt->phase)
                        waiting_for = phases[i].waiting_for;
        c->attempt->timed_out = true;
        return error_set(&c->attempt->error, ERROR_UNAVAILABLE,
                         "waited %.1f s in vain for the server at \"%s\", port %s, %s",
                         (double) (clock_monotonic() - began) / (double) USEC_PER_SEC,
                         host ? host : "local", PQport(conn), waiting_for);
}

/* 1: connected. 0: this address failed, c->attempt says how. Negative: unwind. */
static int poll_address(Connect *c, PGconn *conn, Error *err)
{
        uint64_t began = clock_monotonic();
        PostgresPollingStatusType next = PGRES_POLLING_WRITING;
        bool authenticating = false;

        while (next != PGRES_POLLING_OK) {
                ConnStatusType phase = PQstatus(conn);
                int r;

                if (phase != CONNECTION_BAD)
                        c->attempt->phase = phase;
                if (phase == CONNECTION_AWAITING_RESPONSE && !authenticating) {
                        authenticating = true;
                        tell(c, "authenticating");
                }
                r = fiber_wait_fd(PQsocket(conn),
                                  next == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT,
                                  patience(c, began, phase), err);
                if (r == -(int) ERROR_TIMEOUT) {
                        (void) timed_out(c, conn, began);
                        return 0;
                }
                if (r < 0)
                        return r;
                next = PQconnectPoll(conn);
                if (next == PGRES_POLLING_FAILED) {
                        (void) failed(c->attempt, conn);
                        return 0;
                }
        }
        return 1;
}

static int try_address(PgSession **ret, Connect *c, const PgEndpoint *e, const char *address,
                       Error *err)
{
        _cleanup_(PQfinishp) PGconn *conn = NULL;
        PgParameters parameters;
        int r;

        tell(c, "connecting");
        *c->attempt = (PgAttempt){ .phase = CONNECTION_STARTED };
        pg_target_parameters(c->target, &parameters, e, address, c->password, c->application_name);
        conn = PQconnectStartParams(parameters.keywords, parameters.values, 0);
        explicit_bzero(&parameters, sizeof parameters);
        if (!conn)
                return error_oom(err, "a database connection");
        /* Before the first poll: the only way to see the SQLSTATE of a refused attempt. */
        (void) PQsetErrorVerbosity(conn, PQERRORS_VERBOSE);
        if (PQstatus(conn) == CONNECTION_BAD) {
                (void) failed(c->attempt, conn);
                c->attempt->local_failure = true;
                return 0;
        }
        r = poll_address(c, conn, err);
        if (r <= 0)
                return r;
        r = pg_session_new(ret, conn, err);
        conn = NULL;
        return r < 0 ? r : 1;
}

/* Whether the next candidate may do better. A server that answered and said no is not asked to say it twice,
 * for a wrong password counts each time. */
static bool worth_another(const PgAttempt *a)
{
        return !*a->error.sqlstate || a->reader || strncmp(a->error.sqlstate, "57P", 3) == 0 ||
               strncmp(a->error.sqlstate, "53", 2) == 0;
}

/* 1 connected, 0 failed but others may do, negative: over (unwinding or a plain no). */
static int try_endpoint(PgSession **ret, Connect *c, const PgEndpoint *e, Error *err)
{
        ResolvedAddresses addresses = { .count = 1, .text = { "" } };
        size_t left = c->left;
        int r = 0;

        if (pg_endpoint_needs_resolving(e)) {
                uint64_t limit = clock_after(RESOLVE_PATIENCE);

                tell(c, "resolving");
                *c->attempt = (PgAttempt){ .resolving = true };
                r = resolver_lookup(&addresses, &c->attempt->nonexistent_host, e->host,
                                    limit < c->deadline ? limit : c->deadline, err);
                if (r == -(int) ERROR_UNAVAILABLE || r == -(int) ERROR_TIMEOUT) {
                        c->attempt->error = *err;
                        c->attempt->timed_out = r == -(int) ERROR_TIMEOUT;
                        return 0;
                }
                if (r < 0)
                        return r;
        }
        for (unsigned i = 0; i < addresses.count && r == 0; i++) {
                c->left = left + addresses.count - i - 1;
                r = try_address(ret, c, e, addresses.text[i], err);
                if (r == 0 && !worth_another(c->attempt)) {
                        *err = c->attempt->error;
                        return -(int) err->code;
                }
        }
        c->left = left;
        return r;
}

int pg_connect(PgSession **ret, const PgTarget *t, const Secret *password,
               const char *application_name, uint64_t deadline,
               void (*on_phase)(void *userdata, const char *phase), void *userdata,
               PgAttempt *attempt, Error *err)
{
        Connect c = { .target = t,
                      .password = password ? secret_reveal(password) : NULL,
                      .application_name = application_name,
                      .deadline = deadline,
                      .on_phase = on_phase,
                      .userdata = userdata,
                      .attempt = attempt };
        const PgEndpoint *endpoints = NULL;
        size_t n = pg_target_endpoints(t, &endpoints);
        PgAttempt telling = { .resolving = true };

        for (size_t i = 0; i < n; i++) {
                int r;

                c.left = n - i - 1;
                r = try_endpoint(ret, &c, &endpoints[i], err);
                if (r < 0)
                        attempt->error = *err;
                if (r != 0)
                        return r < 0 ? r : 0;
                /* Of several failures the last one is told, unless an earlier one came further. */
                if (i == 0 || !attempt->resolving || telling.resolving)
                        telling = *attempt;
        }
        *attempt = telling;
        *err = attempt->error;
        return -(int) err->code;
}
