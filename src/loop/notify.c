#include "loop/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "util/clock.h"

void notify_ready(void)
{
        (void) sd_notify(0, "READY=1");
}

void notify_reloading(void)
{
        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic());
}

void notify_stopping(void)
{
        (void) sd_notify(0, "STOPPING=1");
}

void notify_status(const char *fmt, ...)
{
        static char last[256];
        char text[sizeof last];
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(text, sizeof text, fmt, ap);
        va_end(ap);
        for (char *p = text; (p = strchr(p, '\n'));)
                *p = ' ';
        if (strcmp(text, last) == 0)
                return;
        memcpy(last, text, sizeof last);
        (void) sd_notifyf(0, "STATUS=%s", text);
}

void notify_extend_timeout(uint64_t usec)
{
        (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
}
