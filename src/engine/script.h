#pragma once
/* A script ready to be run: its text, and what the scanner found out about it before anything was sent. */
#include "format/format.h"
#include "pg/scanner.h"

typedef struct Script {
        ScriptText text;
        const char *path; /* for errors; borrowed from the migration */
        uint64_t statements;
        bool transactional;    /* goes in one transaction with its history row */
        bool own_transactions; /* has BEGIN/COMMIT of its own */
        bool has_long;         /* a statement that may run long, or COPY */
        bool changes_user;     /* SET SESSION AUTHORIZATION: what comes with changes_session */
        bool changes_session; /* SET, RESET, DISCARD, set_config: what follows must not inherit it */
} Script;

/* Reads and scans the script; refuses with file, line and column what cannot be run: unterminated quotes, transaction control in a script
 * that must be transactional, statements of both kinds where that is not allowed, a transaction left open. */
int script_open(Script *ret, const Changelog *c, const Migration *m, const FormatContext *ctx,
                Error *err);
void script_done(Script *s);
#define _cleanup_script_ _cleanup_(script_done)

/* Whether the statement leaves something in the session: SET, RESET, DISCARD, set_config(). */
bool script_changes_session(const Script *s, const Statement *st);
/* DISCARD ALL: all that was set for the session is gone. */
bool script_discards_session(const Script *s, const Statement *st);
/* Whether it says so in its text that it may release the migration lock: DISCARD ALL, pg_advisory_unlock...(). What a function does
 * that was created elsewhere is not seen. */
bool script_may_unlock(const Script *s, const Statement *st);
/* Completes err with the place in the file that byte `at` of the script's text came from. Returns -err->code. */
int script_error_at(const Script *s, size_t at, Error *err);
