#include "engine/events.h"

#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"

/* JSON escapes control characters, so compact output is one line whatever the strings contain. */
#define JSON_LINE (JSON_COMPACT | JSON_ENCODE_ANY)

struct EventLog {
        unsigned capacity, used;
        uint64_t next_id;
        ListNode listeners;
        Event ring[]; /* the event with number id is at id % capacity */
};

/* Stands in for what cannot be kept; never freed. */
static char truncated[] = "{\"truncated\":true}";

int event_log_new(EventLog **ret, unsigned capacity, uint64_t first_id, Error *err)
{
        unsigned n = capacity ? capacity : 1;
        EventLog *l = calloc(1, sizeof *l + n * sizeof l->ring[0]);

        if (!l)
                return error_oom(err, "the log of events");
        l->capacity = n;
        l->next_id = first_id;
        list_init(&l->listeners);
        *ret = l;
        return 0;
}

static void event_done(Event *e)
{
        if (e->data != truncated)
                free(e->data);
        *e = (Event){ 0 };
}

EventLog *event_log_free(EventLog *l)
{
        if (!l)
                return NULL;
        while (!list_empty(&l->listeners))
                list_remove(l->listeners.next);
        for (unsigned i = 0; i < l->capacity; i++)
                event_done(&l->ring[i]);
        free(l);
        return NULL;
}

static void cut_strings(json_t *value, size_t limit)
{
        const char *key;
        json_t *child;
        size_t i;

        json_object_foreach(value, key, child) cut_strings(child, limit);
        json_array_foreach(value, i, child) cut_strings(child, limit);
        if (json_is_string(value) && json_string_length(value) > limit)
                (void) json_string_setn(value, json_string_value(value),
                                        utf8_valid_prefix(json_string_value(value), limit));
}

static char *dump_line(const json_t *data)
{
        size_t len = json_dumpb(data, NULL, 0, JSON_LINE); /* 0: cannot be written */

        return len > 0 && len <= EVENT_DATA_MAX ? json_dumps(data, JSON_LINE) : NULL;
}

static char *make_data(const json_t *data)
{
        static const size_t limits[] = { 4096, 1024, 256, 64 };
        json_t *copy;
        char *line = data ? dump_line(data) : strdup("{}");

        if (line)
                return line;
        copy = data ? json_deep_copy(data) : NULL;
        if (json_is_object(copy))
                (void) json_object_set_new(copy, "truncated", json_true());
        for (size_t i = 0; copy && !line && i < sizeof limits / sizeof *limits; i++) {
                cut_strings(copy, limits[i]);
                line = dump_line(copy);
        }
        json_decref(copy);
        return line ? line : truncated;
}

/* Every listener that there is now, once. Those that wait for their turn are in a list of their own, from
 * which they may vanish, and are back with the others by the time they are called. */
static void tell_listeners(EventLog *l)
{
        ListNode waiting;

        if (list_empty(&l->listeners))
                return;
        waiting = l->listeners;
        waiting.next->prev = waiting.prev->next = &waiting;
        list_init(&l->listeners);
        while (!list_empty(&waiting)) {
                EventListener *e = list_entry(waiting.next, EventListener, node);

                list_remove(&e->node);
                list_append(&l->listeners, &e->node);
                e->cb(e->userdata);
        }
}

void event_log_publish(EventLog *l, const char *type, const char *run, const json_t *data)
{
        Event *e = &l->ring[l->next_id % l->capacity];
        char *line = make_data(data);

        event_done(e);
        e->id = l->next_id++;
        e->data = line;
        utf8_sanitize(e->type, sizeof e->type, type);
        utf8_sanitize(e->run, sizeof e->run, run ? run : "");
        if (l->used < l->capacity)
                l->used++;
        tell_listeners(l);
}

uint64_t event_log_next_id(const EventLog *l)
{
        return l->next_id;
}

const Event *event_log_get(const EventLog *l, uint64_t id, bool *lost)
{
        uint64_t oldest = l->next_id - l->used;

        *lost = false;
        if (l->used == 0 || id >= l->next_id)
                return NULL;
        *lost = id < oldest;
        return &l->ring[(*lost ? oldest : id) % l->capacity];
}

void event_log_listen(EventLog *l, EventListener *e)
{
        event_listener_remove(e);
        list_append(&l->listeners, &e->node);
}

void event_listener_remove(EventListener *e)
{
        if (e->node.next)
                list_remove(&e->node);
}
