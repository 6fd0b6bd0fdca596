#pragma once
/* Deadlines that all lie the same time ahead when they are set: a list in order of arrival and one timer, whatever
 * their number. */
#include <stdint.h>
#include <systemd/sd-event.h>

#include "util/error.h"
#include "util/list.h"

typedef struct Deadline {
        ListNode node; /* initialise with deadline_init() */
        uint64_t when; /* absolute usec */
} Deadline;

typedef struct DeadlineList {
        ListNode entries;
        uint64_t timeout; /* usec; a change applies to what is added from then on */
        sd_event_source *timer;
        void (*expired)(Deadline *d); /* has been removed already */
} DeadlineList;

int deadline_list_init(DeadlineList *l, sd_event *event, uint64_t timeout,
                       void (*expired)(Deadline *d), Error *err);
void deadline_list_done(DeadlineList *l); /* fine when zeroed */
void deadline_init(Deadline *d);
void deadline_set(DeadlineList *l, Deadline *d); /* in whatever list it was before */
void deadline_clear(Deadline *d);
