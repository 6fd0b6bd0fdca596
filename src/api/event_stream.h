#pragma once
/* Server-Sent Events out of the engine's event log. */
#include "api/request.h"
#include "engine/events.h"

struct EventStream {
        ListNode node; /* in ApiServer.streams */
        EventListener listener;
        ApiServer *server;
        Connection *connection;
        char run[32];  /* only this run's events, and the end with them; "": all, for ever */
        uint64_t next; /* id of the next event to send */
        bool greeted;
        bool quiet_gap; /* the client did not ask for what is lost */
        bool heartbeat_due;
        Text out; /* formatted and not sent yet, from sent on */
        size_t sent;
};

/* A place among those who wait is taken, and given back by event_stream_free. */
int event_stream_new(EventStream **ret, Request *req, const char *run, Error *err);
void event_stream_free(EventStream *s); /* NULL is fine */
/* libmicrohttpd's content reader. */
ssize_t event_stream_read(void *userdata, uint64_t position, char *buf, size_t max);
/* To every stream, so that dead clients and proxies are noticed. */
int event_stream_heartbeat(sd_event_source *timer, uint64_t usec, void *userdata);
