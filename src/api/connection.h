#pragma once
/* One client's connection, from accept to close: its deadlines, and noticing that the client went away while
 * libmicrohttpd does not look (it never looks at suspended connections, and misses some ends of file). */
#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "api/deadline_list.h"

typedef struct ApiServer ApiServer;
typedef struct Request Request;

/* What the client is given an absolute time for. libmicrohttpd's own time-out is for inactivity only: one byte now and then
 * defeats it. */
typedef enum Phase {
        PHASE_HEADER, /* from accept, or the request line, to the end of the headers */
        PHASE_BODY,
        PHASE_SEND, /* taking our answer */
        PHASE_IDLE, /* from an answer to the next request line */
        _PHASE_MAX,
} Phase;

typedef struct Connection {
        ListNode node;
        ApiServer *server;
        struct MHD_Connection *mhd;
        Request *request; /* from the request line to the end of the answer; borrowed */
        int fd;           /* libmicrohttpd's */
        bool over_unix;
        bool suspended, gone; /* gone: the client will not read an answer */
        Deadline deadline;
        sd_event_source *hangup;
} Connection;

Connection *connection_new(ApiServer *s, int fd, bool over_unix); /* pending; NULL without memory */
void connection_started(Connection *c, struct MHD_Connection *mhd);
Connection *connection_free(Connection *c);
void connection_expired(Deadline *d); /* of every phase */
void connection_enter(Connection *c, Phase phase);
void connection_leave_phase(Connection *c);
/* The request is answered: the connection waits for the next one, or ends. */
void connection_next(Connection *c);
void connection_suspend(Connection *c);
void connection_resume(Connection *c);   /* fine when not suspended */
void connection_shutdown(Connection *c); /* libmicrohttpd then closes it */
/* The server stops: ends what would go on for ever. */
void connection_stop(Connection *c, bool at_once);
