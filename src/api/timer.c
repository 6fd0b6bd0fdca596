#include "api/timer.h"

#include <string.h>
#include <time.h>

#include "util/clock.h"

int timer_new(sd_event_source **ret, sd_event *event, sd_event_time_handler_t fn, void *userdata,
              Error *err)
{
        int r = sd_event_add_time(event, ret, CLOCK_MONOTONIC, USEC_INFINITY, USEC_PER_MSEC, fn,
                                  userdata);

        if (r < 0)
                return error_set(err, ERROR_INTERNAL, "a timer of the HTTP server: %s",
                                 strerror(-r));
        timer_off(*ret);
        return 0;
}

void timer_arm(sd_event_source *timer, uint64_t when)
{
        (void) sd_event_source_set_time(timer, when);
        (void) sd_event_source_set_enabled(timer, SD_EVENT_ONESHOT);
}

void timer_arm_lazily(sd_event_source *timer, uint64_t when)
{
        uint64_t due;
        int enabled;

        if (sd_event_source_get_enabled(timer, &enabled) >= 0 && enabled != SD_EVENT_OFF &&
            sd_event_source_get_time(timer, &due) >= 0 && due <= when)
                return;
        timer_arm(timer, when);
}

void timer_off(sd_event_source *timer)
{
        (void) sd_event_source_set_enabled(timer, SD_EVENT_OFF);
}
