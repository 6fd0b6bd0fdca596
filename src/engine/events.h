#pragma once
/* What happens, as numbered events: a ring in memory that SSE streams and the command line read. Numbers grow across
 * restarts (the store hands out blocks), so Last-Event-ID either resumes without a gap or learns that it cannot. */
#include <stdint.h>

#include <jansson.h>

#include "loop/fiber.h"

typedef struct EventLog EventLog;

typedef struct Event {
        uint64_t id;
        char run[32]; /* "" when it belongs to none */
        char type
                [32]; /* "run.state", "step.state", "availability", "statement", "notice", "lock" */
        char *data;   /* one line of JSON */
} Event;

int event_log_new(EventLog **ret, unsigned capacity, uint64_t first_id, Error *err);
EventLog *event_log_free(EventLog *l);
DEFINE_CLEANUP(EventLog *, event_log_free)
void event_log_publish(EventLog *l, const char *type, const char *run, const json_t *data);
uint64_t event_log_next_id(const EventLog *l);
/* The first event with an id >= id; NULL when there is none yet. *lost: events between id and it are gone. */
const Event *event_log_get(const EventLog *l, uint64_t id, bool *lost);
/* cb is called from the loop's current turn after each publish. */
typedef struct EventListener {
        ListNode node;
        void (*cb)(void *userdata);
        void *userdata;
} EventListener;
void event_log_listen(EventLog *l, EventListener *e);
void event_listener_remove(
        EventListener *e); /* fine when not listening (node initialised or zeroed) */
