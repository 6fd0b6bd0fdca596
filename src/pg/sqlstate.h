#pragma once
/* What a SQLSTATE means to a migrator, and how to find one in the text of a failed attempt to connect. */
#include <stdbool.h>
#include <stddef.h>

/* Roll back and do the whole migration again: a lock, a deadlock, a serialization failure. */
bool sqlstate_retryable(const char *sqlstate);
/* The server closes the session after saying it: shutdown, termination, a timeout of the session. */
bool sqlstate_ends_session(const char *sqlstate);
/* The server only reads: a standby, or the writer of yesterday. */
bool sqlstate_reader(const char *sqlstate);
/* The statement was cancelled; by us or by statement_timeout. */
bool sqlstate_cancelled(const char *sqlstate);

/* Looks for the first SQLSTATE in a PQerrorMessage() that was made with PQERRORS_VERBOSE: on a line of its own rank
 * (not DETAIL, HINT, ...), the first `:  28P01: `. Text that users control (a database name) comes later on a line.
 * True and ret: found. text (size bytes) gets the line it was on, without the code; else the first line. */
bool sqlstate_from_connect_message(char ret[6], char *text, size_t size, const char *message);
