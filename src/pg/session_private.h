#pragma once
/* The inside of a PgSession, for session.c, connect.c, query.c and cancel.c. */
#include "pg/session.h"

struct PgSession {
        PGconn *conn; /* NULL once we closed it */
        int version, backend_pid;
        char *database, *user, *schema; /* NULL until the gate is passed */
        uint64_t round_trips;
        PgNoticeFn on_notice;
        void *userdata;
        /* The first thing the server said about the session's end, as a result or as a notice: what comes after
         * it (a second error without a code, end of file) says less. */
        char farewell_sqlstate[6], farewell[512];
        bool dismissed; /* a FATAL came while nothing ran: the end of file is on its way */
};

/* Takes over a connected conn. */
int pg_session_new(PgSession **ret, PGconn *conn, Error *err);
/* Closes at once; what runs in the server is left to its client_connection_check_interval. */
void pg_session_close(PgSession *s);
int pg_session_set_place(PgSession *s, PgPlace place, Error *err);
/* Keeps the first farewell. */
void pg_session_note_farewell(PgSession *s, const char *sqlstate, const char *message);
