#pragma once
/* What happens, as numbered events: a ring in memory that SSE streams and the command line read. Numbers
 * grow across restarts (the store hands out blocks), so Last-Event-ID either resumes without a gap or
 * learns that it cannot. */
#include <stdint.h>

#include <jansson.h>

#include "loop/fiber.h"

typedef struct EventLog EventLog;

#define EVENT_DATA_MAX ((size_t) 16 * 1024)

typedef struct Event {
        uint64_t id;
        char run[32]; /* "" when it belongs to none */
        char type
                [32]; /* "run.state", "step.state", "availability", "statement", "notice", "lock" */
        char *data;   /* one line of JSON, at most EVENT_DATA_MAX bytes; never NULL */
} Event;

/* Keeps the last capacity events (at least one). */
int event_log_new(EventLog **ret, unsigned capacity, uint64_t first_id, Error *err);
/* Listeners that are still there are removed. Not from within a listener. */
EventLog *event_log_free(EventLog *l);
DEFINE_CLEANUP(EventLog *, event_log_free)

/* Always adds an event. Data that would be larger than EVENT_DATA_MAX has its strings cut, and says
 * "truncated": true; what is too large even then, or meets a lack of memory, is {"truncated":true}
 * alone. run may be NULL, data too ({}). Listeners may publish. */
void event_log_publish(EventLog *l, const char *type, const char *run, const json_t *data);
uint64_t event_log_next_id(const EventLog *l);
/* The first event with an id >= id; NULL when there is none yet. *lost: events between id and it are
 * gone. Borrowed, until the next publish. */
const Event *event_log_get(const EventLog *l, uint64_t id, bool *lost);

/* cb is called from the loop's current turn after each publish. It may remove any listener, also itself,
 * and add some, which then hear of the next event first. */
typedef struct EventListener {
        ListNode node;
        void (*cb)(void *userdata);
        void *userdata;
} EventListener;
void event_log_listen(EventLog *l, EventListener *e);
/* Fine when not listening (node initialised or zeroed). */
void event_listener_remove(EventListener *e);
