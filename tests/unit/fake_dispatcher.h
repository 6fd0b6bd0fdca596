#pragma once
/* An engine without databases, behind engine/dispatcher.h and engine/events.h. Databases: "app", "billing". What a run
 * does is its target's: "fail", "refuse", "unavailable" end so, "hang" goes on until it is cancelled, "now" is over at
 * once, anything else succeeds after 50 ms. */
#include "engine/dispatcher.h"

#define FAKE_MAX_RUNS 512
int fake_dispatcher_new(Dispatcher **ret, sd_event *event, Error *err);
/* Publishes an event every interval usec. */
int fake_dispatcher_babble(Dispatcher *d, uint64_t interval, Error *err);
