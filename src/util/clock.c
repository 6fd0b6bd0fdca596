#include "util/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
        struct timespec ts;

        (void) clock_gettime(id, &ts);
        return (uint64_t) ts.tv_sec * USEC_PER_SEC + (uint64_t) ts.tv_nsec / 1000U;
}

uint64_t clock_monotonic(void)
{
        return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall(void)
{
        return read_clock(CLOCK_REALTIME);
}

uint64_t clock_thread_cpu(void)
{
        return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t clock_after(uint64_t usec)
{
        uint64_t t;

        return __builtin_add_overflow(clock_monotonic(), usec, &t) ? USEC_INFINITY : t;
}

char *clock_format(uint64_t wall_usec, char *buf)
{
        time_t seconds = (time_t) (wall_usec / USEC_PER_SEC);
        struct tm tm;
        size_t n;

        (void) gmtime_r(&seconds, &tm);
        n = strftime(buf, CLOCK_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
        (void) snprintf(buf + n, CLOCK_TEXT_MAX - n, ".%03uZ",
                        (unsigned) (wall_usec / USEC_PER_MSEC % 1000U));
        return buf;
}
