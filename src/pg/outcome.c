/* What every way in which an attempt can end means. facts/postgresql.md 2.2; every row was seen. */
#include <string.h>

#include "pg/availability.h"

const char *outcome_class_name(OutcomeClass c)
{
        static const char *const names[_OUTCOME_CLASS_MAX] = {
                [OUTCOME_WAITING] = "unavailable",
                [OUTCOME_GRACE] = "unavailable",
                [OUTCOME_CREDENTIALS] = "credentials",
                [OUTCOME_CONFIGURATION] = "configuration",
        };

        return names[c];
}

typedef struct Rule {
        const char *sqlstate; /* its beginning; "-": there is none */
        const char *text;     /* part of the message; "": any */
        OutcomeClass class;
} Rule;

/* The first row that fits counts. */
/* clang-format off */
static const Rule rules[] = {
        /* Said by the server. */
        { "28P01", "",                                     OUTCOME_CREDENTIALS },
        { "28000", "no pg_hba.conf entry",                 OUTCOME_GRACE }, /* Aurora says so while it resumes */
        { "28000", "pg_hba.conf rejects",                  OUTCOME_GRACE },
        { "28000", "PAM authentication failed",            OUTCOME_CREDENTIALS }, /* RDS IAM */
        { "28000", "LDAP authentication failed",           OUTCOME_CREDENTIALS },
        { "28000", "RADIUS authentication failed",         OUTCOME_CREDENTIALS },
        { "28000", "does not exist",                       OUTCOME_CONFIGURATION },
        { "28000", "not permitted to log in",              OUTCOME_CONFIGURATION },
        { "28000", "authentication failed",                OUTCOME_CONFIGURATION }, /* peer, ident, certificate */
        { "28",    "",                                     OUTCOME_GRACE },
        { "57P03", "is not accepting connections",         OUTCOME_GRACE }, /* hot_standby = off */
        { "57P04", "",                                     OUTCOME_CONFIGURATION },
        { "08P01", "query_wait_timeout",                   OUTCOME_WAITING }, /* PgBouncer has one code for all */
        { "08P01", "server login",                         OUTCOME_WAITING },
        { "08P01", "cannot connect",                       OUTCOME_WAITING },
        { "08P01", "shutting down",                        OUTCOME_WAITING },
        { "08P01", "no more connections allowed",          OUTCOME_WAITING },
        { "08P01", "authentication failed",                OUTCOME_CREDENTIALS },
        { "08P01", "auth failed",                          OUTCOME_CREDENTIALS },
        { "08P01", "",                                     OUTCOME_CONFIGURATION },
        { "25006", "",                                     OUTCOME_GRACE }, /* a reader; the name may move on */
        { "3D000", "",                                     OUTCOME_CONFIGURATION },
        { "42",    "",                                     OUTCOME_CONFIGURATION },
        { "55000", "",                                     OUTCOME_CONFIGURATION }, /* datallowconn = false */
        { "22",    "",                                     OUTCOME_CONFIGURATION },
        { "0A000", "",                                     OUTCOME_CONFIGURATION },
        { "08",    "",                                     OUTCOME_WAITING },
        { "25P",   "",                                     OUTCOME_WAITING },
        { "40",    "",                                     OUTCOME_WAITING },
        { "53",    "",                                     OUTCOME_WAITING },
        { "55",    "",                                     OUTCOME_WAITING },
        { "57",    "",                                     OUTCOME_WAITING },
        { "58",    "",                                     OUTCOME_WAITING },
        { "XX",    "",                                     OUTCOME_WAITING },
        { "F0",    "",                                     OUTCOME_WAITING },
        { "99",    "",                                     OUTCOME_WAITING },
        /* Said by libpq or the kernel. */
        { "-", "session is read-only",                     OUTCOME_GRACE },
        { "-", "server is in hot standby mode",            OUTCOME_GRACE },
        { "-", "expected authentication request",          OUTCOME_CONFIGURATION }, /* not a PostgreSQL */
        { "-", "received invalid response",                OUTCOME_CONFIGURATION },
        { "-", "server does not support SSL",              OUTCOME_GRACE },
        { "-", "certificate",                              OUTCOME_CONFIGURATION },
        { "-", "does not match host name",                 OUTCOME_CONFIGURATION },
        { "-", "private key file",                         OUTCOME_CONFIGURATION },
        { "-", "channel binding",                          OUTCOME_CONFIGURATION },
        { "-", "authentication method",                    OUTCOME_CONFIGURATION },
        { "-", "invalid",                                  OUTCOME_CONFIGURATION }, /* a parameter's value */
        { "-", "Permission denied",                        OUTCOME_GRACE }, /* a firewall's "prohibited" */
        { "-", "",                                         OUTCOME_WAITING },
};
/* clang-format on */

static bool fits(const Rule *r, const Error *e)
{
        if (*r->sqlstate == '-' ? *e->sqlstate != '\0'
                                : strncmp(e->sqlstate, r->sqlstate, strlen(r->sqlstate)) != 0)
                return false;
        return strstr(e->text, r->text) != NULL;
}

OutcomeClass availability_classify(const PgAttempt *a)
{
        if (a->resolving)
                return a->nonexistent_host ? OUTCOME_GRACE : OUTCOME_WAITING;
        if (a->needs_password)
                return OUTCOME_CREDENTIALS;
        if (a->timed_out)
                return OUTCOME_WAITING;
        if (a->reader)
                return OUTCOME_GRACE;
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
                if (fits(&rules[i], &a->error))
                        return rules[i].class;
        return OUTCOME_GRACE; /* a code that nobody has met yet: not for ever */
}
