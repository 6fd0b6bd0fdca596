#include "api/connection.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/request.h"
#include "api/server_private.h"

/* After libmicrohttpd's sources: when the hang-up is dispatched, everything that came before it has been read, so a
 * request that is not complete will never be. */
#define HANGUP_PRIORITY (SD_EVENT_PRIORITY_NORMAL + 10)

Connection *connection_new(ApiServer *s, int fd, bool over_unix)
{
        Connection *c = calloc(1, sizeof *c);

        if (!c)
                return NULL;
        *c = (Connection){ .server = s, .fd = fd, .over_unix = over_unix };
        deadline_init(&c->deadline);
        list_init(&c->node);
        list_append(&s->pending, &c->node);
        s->n_connections++;
        s->metrics.connections++;
        return c;
}

static int on_hangup(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        Connection *c = userdata;

        (void) fd, (void) events;
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (c->request && request_is_waiting(c->request)) {
                c->gone = true;
                c->server->metrics.dropped++;
                request_abandon(c->request);
        } else if (!c->request || !request_is_complete(c->request)) {
                connection_shutdown(c);
        } /* else: a client that only closed its sending side gets its answer */
        return 0;
}

void connection_started(Connection *c, struct MHD_Connection *mhd)
{
        ApiServer *s = c->server;

        c->mhd = mhd;
        list_remove(&c->node);
        list_append(&s->connections, &c->node);
        connection_enter(c, PHASE_HEADER);
        if (sd_event_add_io(s->event, &c->hangup, c->fd, EPOLLRDHUP, on_hangup, c) < 0) {
                connection_shutdown(c);
                return;
        }
        (void) sd_event_source_set_priority(c->hangup, HANGUP_PRIORITY);
}

Connection *connection_free(Connection *c)
{
        ApiServer *s = c->server;

        sd_event_source_disable_unref(c->hangup);
        deadline_clear(&c->deadline);
        list_remove(&c->node);
        if (c->request)
                request_detach(c->request);
        free(c);
        s->n_connections--;
        server_update_accepting(s);
        if (!s->n_connections)
                condition_signal(&s->drained);
        return NULL;
}

void connection_expired(Deadline *d)
{
        Connection *c = list_entry(d, Connection, deadline);

        c->server->metrics.timeouts++;
        connection_shutdown(c);
}

void connection_enter(Connection *c, Phase phase)
{
        deadline_set(&c->server->deadlines[phase], &c->deadline);
}

void connection_leave_phase(Connection *c)
{
        deadline_clear(&c->deadline);
}

void connection_next(Connection *c)
{
        c->request = NULL;
        c->gone = false;
        if (c->server->stopping) {
                connection_shutdown(c);
                return;
        }
        connection_enter(c, PHASE_IDLE);
        /* A hang-up that came during the request is reported once more. */
        if (c->hangup)
                (void) sd_event_source_set_enabled(c->hangup, SD_EVENT_ON);
}

void connection_suspend(Connection *c)
{
        if (c->suspended)
                return;
        c->suspended = true;
        MHD_suspend_connection(c->mhd);
}

void connection_resume(Connection *c)
{
        if (!c->suspended)
                return;
        c->suspended = false;
        MHD_resume_connection(c->mhd);
        pump_kick(&c->server->pump);
}

void connection_shutdown(Connection *c)
{
        (void) shutdown(c->fd, SHUT_RDWR);
}

void connection_stop(Connection *c, bool at_once)
{
        bool waiting = c->request && request_is_waiting(c->request);

        if (waiting)
                request_end_wait(c->request);
        if (at_once || (!waiting && !c->request))
                connection_shutdown(c);
}
