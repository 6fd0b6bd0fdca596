#include "api/loop_stats.h"

#include <inttypes.h>

#include "util/clock.h"

int loop_stats_run(LoopStats *s, sd_event *event, uint64_t timeout)
{
        uint64_t begun, took;
        int r = sd_event_prepare(event);

        if (r == 0)
                r = sd_event_wait(event, timeout);
        if (r <= 0)
                return r;
        begun = clock_thread_cpu();
        r = sd_event_dispatch(event);
        took = clock_thread_cpu() - begun;
        s->dispatches++;
        if (took > LOOP_STALL_USEC)
                s->stalls++;
        if (took > s->max_usec)
                s->max_usec = took;
        return r < 0 ? r : 1;
}

void loop_stats_metrics(const LoopStats *s, Text *out)
{
        text_printf(out,
                    "# HELP pgmigrated_loop_dispatches_total Steps of the event loop.\n"
                    "# TYPE pgmigrated_loop_dispatches_total counter\n"
                    "pgmigrated_loop_dispatches_total %" PRIu64 "\n"
                    "# HELP pgmigrated_loop_stalls_total Steps that took more than 5 ms of CPU.\n"
                    "# TYPE pgmigrated_loop_stalls_total counter\n"
                    "pgmigrated_loop_stalls_total %" PRIu64 "\n"
                    "# HELP pgmigrated_loop_longest_seconds CPU time of the longest step so far.\n"
                    "# TYPE pgmigrated_loop_longest_seconds gauge\n"
                    "pgmigrated_loop_longest_seconds %" PRIu64 ".%06" PRIu64 "\n",
                    s->dispatches, s->stalls, (uint64_t) (s->max_usec / USEC_PER_SEC),
                    (uint64_t) (s->max_usec % USEC_PER_SEC));
}
