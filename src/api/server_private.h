#pragma once
/* What the files of this floor share about the server. */
#include "api/connection.h"
#include "api/listener.h"
#include "api/metrics.h"
#include "api/pump.h"
#include "api/server.h"

#define SERVER_MAX_LISTENERS 8

struct ApiServer {
        sd_event *event;
        const ServiceSettings *settings;
        Dispatcher *dispatcher;
        const LoopStats *loop;
        struct MHD_Daemon *daemon;
        Pump pump;
        Listener listeners[SERVER_MAX_LISTENERS];
        sd_event_source *accept[SERVER_MAX_LISTENERS];
        size_t n_listeners;
        char host[LISTENER_HOST_MAX]; /* of the option listen */
        bool accept_paused;           /* out of descriptors */
        sd_event_source *accept_timer, *drain_timer, *heartbeat_timer;
        ListNode connections,
                pending; /* Connection.node: known to libmicrohttpd, and handed to it just now */
        unsigned n_connections; /* both */
        ListNode streams;       /* EventStream.node */
        unsigned n_waiting;     /* event streams and requests in fibers */
        DeadlineList deadlines[_PHASE_MAX];
        ApiMetrics metrics;
        ApiState state;
        bool stopping, dying;
        uint64_t started_wall, started;
        Condition drained;
};

/* A connection is gone or may come: accepts as long as there is room. */
void server_update_accepting(ApiServer *s);
/* A place among those who wait; ERROR_BUSY when there are http_max_streams already. */
int server_wait_begin(ApiServer *s, Error *err);
void server_wait_end(ApiServer *s);
