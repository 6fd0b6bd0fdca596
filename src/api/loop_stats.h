#pragma once
/* The stall gauge: how long the loop's single steps keep the processor, and with it everybody else. */
#include <stdint.h>
#include <systemd/sd-event.h>

#include "util/text.h"

#define LOOP_STALL_USEC 5000

typedef struct LoopStats {
        uint64_t dispatches,
                stalls; /* stalls: dispatches that took more than LOOP_STALL_USEC of CPU */
        uint64_t max_usec;
} LoopStats;

/* One turn, as sd_event_run(): > 0 something was dispatched, 0 nothing came within timeout usec (UINT64_MAX: wait for ever),
 * < 0 a negative errno; -ESTALE once the loop has finished. */
int loop_stats_run(LoopStats *s, sd_event *event, uint64_t timeout);
void loop_stats_metrics(const LoopStats *s, Text *out);
