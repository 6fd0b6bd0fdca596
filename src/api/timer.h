#pragma once
/* One-shot timers on CLOCK_MONOTONIC that are made once, switched off, and armed many times: arming allocates
 * nothing and so cannot fail half-way through a request. */
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "util/error.h"

/* A timer that is off. The caller drops it with sd_event_source_disable_unref(). */
int timer_new(sd_event_source **ret, sd_event *event, sd_event_time_handler_t fn, void *userdata,
              Error *err);
void timer_arm(sd_event_source *timer, uint64_t when); /* absolute usec */
/* Leaves a timer alone that is due no later: it then fires early and its callback looks again, which is cheaper
 * than a timerfd_settime() for every request. */
void timer_arm_lazily(sd_event_source *timer, uint64_t when);
void timer_off(sd_event_source *timer);
