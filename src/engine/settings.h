#pragma once
/* What the operator can set, as plain data. The option table of floor 7 fills these and is the only place that
 * parses, limits, documents and defaults them. Durations are usec; strings are owned and never NULL. */
#include <stdbool.h>
#include <stdint.h>

#include "format/format.h"
#include "util/secret.h"

/* What becomes of a run that finds the schema changed outside of migrations. */
typedef enum DriftMode { DRIFT_OFF, DRIFT_WARN, DRIFT_REFUSE } DriftMode;

typedef struct DatabaseSettings {
        char *name;
        Secret *url; /* postgresql:// URL or keyword=value string; may hold a password */
        char *password_file; /* "" or a file whose first line is the password; read afresh for every attempt */
        char *format; /* "auto" */
        FormatOptions changelog;
        bool migrate_on_start;
        bool allow_pooler; /* go on although a pooler stands between (it must pin sessions) */
        char *role;        /* SET ROLE after connecting, "" = none */
        uint64_t connect_timeout; /* one attempt, while the server may hold it: 60 s */
        uint64_t wake_timeout;    /* all attempts of one run: 5 min */
        uint64_t
                grace_timeout; /* how long "grace" outcomes (no pg_hba entry, no such host) count as waking: 120 s */
        uint64_t migration_lock_timeout; /* wait for the advisory lock: 15 min */
        uint64_t lock_timeout;           /* lock_timeout for DDL in a transaction: 5 s */
        uint64_t
                lock_retries; /* attempts of a migration that met a lock, deadlock or serialization failure: 10 */
        uint64_t statement_timeout; /* 0 = none */
        uint64_t run_timeout;       /* whole run, 0 = none */
        DriftMode drift;
        bool deferred_flush; /* synchronous_commit=off for all but the last */
} DatabaseSettings;

typedef struct ServiceSettings {
        char *listen; /* host:port, "" = none; loopback only */
        char *socket; /* Unix socket path, "" = none */
        char *state_directory;
        uint64_t max_parallel;
        bool resume; /* queue interrupted runs again at start */
        uint64_t
                shutdown_grace; /* how long a running migration may go on after SIGTERM before it is cancelled: 60 s */
        uint64_t keep_runs;
        char *log_level, *log_format;
        uint64_t http_max_connections, http_max_connections_per_address, http_max_body;
        uint64_t http_header_timeout, http_body_timeout, http_idle_timeout;
        uint64_t http_max_streams; /* event streams and long-polls at once */
} ServiceSettings;

void database_settings_done(DatabaseSettings *s);
void service_settings_done(ServiceSettings *s);
