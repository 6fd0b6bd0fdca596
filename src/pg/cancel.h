#pragma once
/* Cancels what a session is running, without blocking the loop. */
#include "pg/session.h"

/* Asks the server, over a connection of its own, to cancel the running statement, and waits until it has taken the request
 * (the statement's end comes to the session as usual, SQLSTATE 57014 or its result). -ERROR_TIMEOUT at the deadline,
 * -ERROR_UNAVAILABLE when the server cannot be reached. For use inside a shield. */
int pg_cancel(PgSession *s, uint64_t deadline, Error *err);
