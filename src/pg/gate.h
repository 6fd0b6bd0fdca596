#pragma once
/* What a fresh connection has to pass before a migration may use it. */
#include "pg/availability.h"

/* One round trip: makes the session's settings and refuses readers, poolers that break session locks, and what is no
 * PostgreSQL of 11 or later. Returns 0; -ERROR_CANCELLED or -ERROR_DEADLINE to unwind; or negative with *attempt filled
 * for the table of outcomes, or with *unusable true when waiting cannot cure it. */
int gate_pass(PgSession *s, const WakeRequest *w, uint64_t deadline, PgAttempt *attempt,
              bool *unusable, Error *err);
/* The session's settings once more, after DISCARD ALL; role "": none. */
void gate_sql_settings(Text *sql, const PgSession *s, uint64_t statement_timeout, const char *role);
