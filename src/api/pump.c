#include "api/pump.h"

#include <string.h>
#include <sys/epoll.h>

#include "api/timer.h"
#include "util/clock.h"

#define RUNS_PER_TURN 4 /* then the other sources get their turn */

static void run(Pump *p)
{
        for (int i = 0; i < RUNS_PER_TURN; i++) {
                MHD_UNSIGNED_LONG_LONG ms;

                (void) MHD_run(p->daemon);
                if (MHD_get_timeout(p->daemon, &ms) != MHD_YES) {
                        timer_off(p->timer);
                        return;
                }
                if (ms) {
                        timer_arm_lazily(p->timer, clock_after(ms * USEC_PER_MSEC));
                        return;
                }
        }
        pump_kick(p);
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *userdata)
{
        (void) s, (void) fd, (void) events;
        run(userdata);
        return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata)
{
        (void) s, (void) usec;
        run(userdata);
        return 0;
}

static int on_defer(sd_event_source *s, void *userdata)
{
        (void) s;
        run(userdata);
        return 0;
}

int pump_start(Pump *p, sd_event *event, struct MHD_Daemon *daemon, Error *err)
{
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
        int r;

        p->daemon = daemon;
        if (!info || info->epoll_fd < 0)
                return error_set(err, ERROR_INTERNAL, "libmicrohttpd has no epoll descriptor");
        r = timer_new(&p->timer, event, on_timer, p, err);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &p->io, info->epoll_fd, EPOLLIN, on_io, p);
        if (r >= 0)
                r = sd_event_add_defer(event, &p->defer, on_defer, p);
        if (r < 0)
                return error_set(err, ERROR_INTERNAL, "the HTTP server on the event loop: %s",
                                 strerror(-r));
        /* Behind the others: sd-event (252) gives a deferred source its place in the queue when it is made, so at the same
         * priority one that is always ready would keep fibers from running. */
        (void) sd_event_source_set_priority(p->defer, SD_EVENT_PRIORITY_NORMAL + 5);
        (void) sd_event_source_set_enabled(p->defer, SD_EVENT_OFF);
        return 0;
}

void pump_kick(Pump *p)
{
        (void) sd_event_source_set_enabled(p->defer, SD_EVENT_ONESHOT);
}

void pump_done(Pump *p)
{
        p->io = sd_event_source_disable_unref(p->io);
        p->timer = sd_event_source_disable_unref(p->timer);
        p->defer = sd_event_source_disable_unref(p->defer);
}
