#include "api/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "api/event_stream.h"
#include "api/server_private.h"
#include "api/timer.h"
#include "util/log.h"

#define ACCEPTS_PER_TURN 16
#define ACCEPT_PAUSE (250 * USEC_PER_MSEC) /* when descriptors have run out */
#define SEND_TIMEOUT (120 * USEC_PER_SEC)  /* an answer of at most some hundred kB */
#define INACTIVITY_SECONDS \
        150U /* libmicrohttpd's own, behind all of ours; without one it keeps dead connections */
#define DRAIN_TIMEOUT (5 * USEC_PER_SEC)
#define CONNECTION_MEMORY \
        ((size_t) 32 << 10) /* head of a request and of its answer; a longer one gets 431 */

/* ---- accepting ---- */

void server_update_accepting(ApiServer *s)
{
        bool on = !s->accept_paused && !s->stopping &&
                  s->n_connections < s->settings->http_max_connections;

        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->accept[i])
                        (void) sd_event_source_set_enabled(s->accept[i],
                                                           on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_accept_again(sd_event_source *timer, uint64_t usec, void *userdata)
{
        ApiServer *s = userdata;

        (void) timer, (void) usec;
        s->accept_paused = false;
        server_update_accepting(s);
        return 0;
}

static void pause_accepting(ApiServer *s, int error)
{
        log_warning("Cannot accept connections for now", LOG_S("REASON", strerror(error)));
        s->accept_paused = true;
        server_update_accepting(s);
        timer_arm(s->accept_timer, clock_after(ACCEPT_PAUSE));
}

static Connection *pending_by_fd(ApiServer *s, int fd)
{
        for (ListNode *n = s->pending.next; n != &s->pending; n = n->next) {
                Connection *c = list_entry(n, Connection, node);

                if (c->fd == fd)
                        return c;
        }
        return NULL;
}

/* false: no more for now. */
static bool accept_one(ApiServer *s, int listener)
{
        const int one = 1;
        union {
                struct sockaddr any;
                struct sockaddr_storage storage;
        } peer = { 0 };
        socklen_t size = sizeof peer;
        Connection *c;
        int fd = accept4(listener, &peer.any, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0) {
                if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                        pause_accepting(s, errno);
                return false;
        }
        if (peer.any.sa_family == AF_UNIX)
                size = sizeof(
                        sa_family_t); /* libmicrohttpd 0.9.75 reads beyond its buffer for a peer with a long path */
        else
                (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c = connection_new(s, fd, peer.any.sa_family == AF_UNIX);
        if (!c) {
                (void) close(fd);
                return false;
        }
        if (MHD_add_connection(s->daemon, fd, &peer.any, size) != MHD_YES) {
                c = pending_by_fd(
                        s, fd); /* closed; forgotten already if it had been announced before */
                if (c)
                        connection_free(c);
        }
        pump_kick(&s->pump);
        return true;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
        ApiServer *s = userdata;

        (void) source, (void) events;
        for (int i = 0;
             i < ACCEPTS_PER_TURN && s->n_connections < s->settings->http_max_connections; i++)
                if (!accept_one(s, fd))
                        break;
        server_update_accepting(s);
        return 0;
}

/* ---- libmicrohttpd's callbacks ---- */

static Connection *connection_of(struct MHD_Connection *mhd)
{
        const union MHD_ConnectionInfo *info =
                MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

        return info ? info->socket_context : NULL;
}

static void on_notify(void *userdata, struct MHD_Connection *mhd, void **context,
                      enum MHD_ConnectionNotificationCode code)
{
        ApiServer *s = userdata;

        if (code == MHD_CONNECTION_NOTIFY_STARTED) {
                const union MHD_ConnectionInfo *info =
                        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
                Connection *c = info ? pending_by_fd(s, info->connect_fd) : NULL;

                *context = c;
                if (c)
                        connection_started(c, mhd);
        } else if (*context) {
                *context = connection_free(*context);
        }
}

/* The request line has been read. */
static void *on_request_line(void *userdata, const char *raw, struct MHD_Connection *mhd)
{
        ApiServer *s = userdata;
        Connection *c = connection_of(mhd);
        Request *req = c && !c->request ? request_new(s, c, raw) : NULL;

        if (req) {
                c->request = req;
                connection_enter(c, PHASE_HEADER);
        }
        return req;
}

static enum MHD_Result on_access(void *userdata, struct MHD_Connection *mhd, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_size, void **context)
{
        (void) userdata, (void) mhd, (void) url, (void) version;
        return *context ? request_receive(*context, method, upload, upload_size) : MHD_NO;
}

static void on_completed(void *userdata, struct MHD_Connection *mhd, void **context,
                         enum MHD_RequestTerminationCode code)
{
        Request *req = *context;

        (void) userdata, (void) mhd, (void) code;
        if (!req)
                return;
        *context = NULL;
        connection_next(req->connection);
        request_detach(req);
}

__attribute__((__format__(__printf__, 2, 0))) static void on_log(void *userdata, const char *fmt,
                                                                 va_list ap)
{
        char text[256];

        (void) userdata;
        (void) vsnprintf(text, sizeof text, fmt, ap);
        text[strcspn(text, "\n")] = '\0';
        log_debug("libmicrohttpd says", LOG_S("DETAIL", text));
}

static void on_panic(void *userdata, const char *file, unsigned line, const char *reason)
{
        (void) userdata;
        log_error("libmicrohttpd gave up", LOG_S("DETAIL", reason), LOG_S("FILE", file),
                  LOG_N("LINE", line));
        abort();
}

static int start_daemon(ApiServer *s, Error *err)
{
        MHD_set_panic_func(on_panic, NULL);
        s->daemon = MHD_start_daemon(
                MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
                        MHD_USE_ERROR_LOG,
                0, NULL, NULL, on_access, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
                MHD_OPTION_CONNECTION_LIMIT,
                (unsigned) s->settings->http_max_connections + ACCEPTS_PER_TURN,
                MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                (unsigned) s->settings->http_max_connections_per_address,
                MHD_OPTION_CONNECTION_TIMEOUT, INACTIVITY_SECONDS,
                MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
                1, MHD_OPTION_URI_LOG_CALLBACK, on_request_line, s, MHD_OPTION_NOTIFY_COMPLETED,
                on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, on_notify, s, MHD_OPTION_END);
        if (!s->daemon)
                return error_set(err, ERROR_INTERNAL, "libmicrohttpd does not start");
        return pump_start(&s->pump, s->event, s->daemon, err);
}

/* ---- life ---- */

static int open_listeners(ApiServer *s, Error *err)
{
        bool tcp = false, local = false;
        int n = listener_inherit(s->listeners, SERVER_MAX_LISTENERS - 2, err), r = 0;

        if (n < 0)
                return n;
        s->n_listeners = (size_t) n;
        for (size_t i = 0; i < s->n_listeners; i++) {
                tcp |= !s->listeners[i].unix_socket;
                local |= s->listeners[i].unix_socket;
        }
        if (!tcp && s->settings->listen[0]) {
                r = listener_open_tcp(&s->listeners[s->n_listeners], s->host, s->settings->listen,
                                      err);
                s->n_listeners += r >= 0;
        }
        if (r >= 0 && !local && s->settings->socket[0]) {
                r = listener_open_unix(&s->listeners[s->n_listeners], s->settings->socket, err);
                s->n_listeners += r >= 0;
        }
        for (size_t i = 0; i < s->n_listeners && r >= 0; i++) {
                r = sd_event_add_io(s->event, &s->accept[i], s->listeners[i].fd, EPOLLIN, on_accept,
                                    s);
                if (r < 0)
                        r = error_set(err, ERROR_INTERNAL,
                                      "a listening socket on the event loop: %s", strerror(-r));
        }
        return r;
}

static int on_drain_timeout(sd_event_source *timer, uint64_t usec, void *userdata)
{
        ApiServer *s = userdata;

        (void) timer, (void) usec;
        for (ListNode *n = s->connections.next; n != &s->connections; n = n->next)
                connection_stop(list_entry(n, Connection, node), true);
        return 0;
}

static void set_timeouts(ApiServer *s)
{
        s->deadlines[PHASE_HEADER].timeout = s->settings->http_header_timeout;
        s->deadlines[PHASE_BODY].timeout = s->settings->http_body_timeout;
        s->deadlines[PHASE_SEND].timeout = SEND_TIMEOUT;
        s->deadlines[PHASE_IDLE].timeout = s->settings->http_idle_timeout;
}

static int make_timers(ApiServer *s, Error *err)
{
        int r = timer_new(&s->accept_timer, s->event, on_accept_again, s, err);

        if (r >= 0)
                r = timer_new(&s->drain_timer, s->event, on_drain_timeout, s, err);
        if (r >= 0)
                r = timer_new(&s->heartbeat_timer, s->event, event_stream_heartbeat, s, err);
        for (size_t i = 0; i < _PHASE_MAX && r >= 0; i++)
                r = deadline_list_init(&s->deadlines[i], s->event, 0, connection_expired, err);
        set_timeouts(s);
        return r;
}

int api_server_new(ApiServer **ret, sd_event *event, const ServiceSettings *settings,
                   Dispatcher *dispatcher, const LoopStats *loop, Error *err)
{
        _cleanup_(api_server_freep) ApiServer *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return error_oom(err, "the HTTP server");
        s->event = sd_event_ref(event);
        s->settings = settings;
        s->dispatcher = dispatcher;
        s->loop = loop;
        s->started_wall = clock_wall();
        s->started = clock_monotonic();
        list_init(&s->connections);
        list_init(&s->pending);
        list_init(&s->streams);
        condition_init(&s->drained);
        r = make_timers(s, err);
        if (r >= 0)
                r = start_daemon(s, err);
        if (r >= 0)
                r = open_listeners(s, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

void api_server_reload(ApiServer *s, const ServiceSettings *settings)
{
        if (strcmp(s->settings->listen, settings->listen) ||
            strcmp(s->settings->socket, settings->socket))
                log_warning("Where the API listens changes with the next start only",
                            LOG_S("LISTEN", settings->listen), LOG_S("SOCKET", settings->socket));
        s->settings = settings;
        set_timeouts(s);
        server_update_accepting(s);
}

void api_server_set_state(ApiServer *s, ApiState state)
{
        s->state = state;
}

unsigned api_server_port(const ApiServer *s)
{
        for (size_t i = 0; i < s->n_listeners; i++)
                if (!s->listeners[i].unix_socket)
                        return listener_port(&s->listeners[i]);
        return 0;
}

int server_wait_begin(ApiServer *s, Error *err)
{
        if (s->stopping)
                return error_set(err, ERROR_BUSY, "the service is stopping");
        if (s->n_waiting >= s->settings->http_max_streams) {
                error_set_to(err, ERROR_BUSY, "%u clients are waiting already", s->n_waiting);
                return error_hint(err, "ask without waiting, or raise the option http_max_streams");
        }
        s->n_waiting++;
        return 0;
}

void server_wait_end(ApiServer *s)
{
        s->n_waiting--;
}

void api_server_metrics(const ApiServer *s, Text *out)
{
        metrics_write(&s->metrics, out);
        text_printf(out,
                    "# HELP pgmigrated_http_connections Connections open now.\n"
                    "# TYPE pgmigrated_http_connections gauge\n"
                    "pgmigrated_http_connections %u\n"
                    "# HELP pgmigrated_http_waiting Event streams and requests that wait now.\n"
                    "# TYPE pgmigrated_http_waiting gauge\n"
                    "pgmigrated_http_waiting %u\n",
                    s->n_connections, s->n_waiting);
        if (s->loop)
                loop_stats_metrics(s->loop, out);
}

static void close_listeners(ApiServer *s)
{
        for (size_t i = 0; i < s->n_listeners; i++) {
                s->accept[i] = sd_event_source_disable_unref(s->accept[i]);
                listener_close(&s->listeners[i]);
        }
        s->n_listeners = 0;
}

void api_server_stop(ApiServer *s)
{
        if (s->stopping)
                return;
        s->stopping = true;
        s->state = API_STOPPING;
        close_listeners(s);
        for (ListNode *n = s->connections.next; n != &s->connections; n = n->next)
                connection_stop(list_entry(n, Connection, node), false);
        timer_arm(s->drain_timer, clock_after(DRAIN_TIMEOUT));
        pump_kick(&s->pump);
        if (!s->n_connections)
                condition_signal(&s->drained);
}

bool api_server_drained(const ApiServer *s)
{
        return !s->n_connections && !s->n_waiting;
}

Condition *api_server_drained_condition(ApiServer *s)
{
        return &s->drained;
}

/* libmicrohttpd aborts when it is stopped with a suspended connection. */
static void cut_connections(ApiServer *s)
{
        for (ListNode *n = s->connections.next; n != &s->connections; n = n->next) {
                Connection *c = list_entry(n, Connection, node);

                c->gone = true;
                connection_shutdown(c);
                connection_resume(c);
        }
        (void) MHD_run(s->daemon);
        pump_done(&s->pump); /* before its epoll descriptor goes */
        MHD_stop_daemon(s->daemon);
}

ApiServer *api_server_free(ApiServer *s)
{
        if (!s)
                return NULL;
        s->stopping = s->dying = true;
        close_listeners(s);
        if (s->daemon)
                cut_connections(s);
        while (!list_empty(&s->pending))
                connection_free(list_entry(s->pending.next, Connection, node));
        for (size_t i = 0; i < _PHASE_MAX; i++)
                deadline_list_done(&s->deadlines[i]);
        sd_event_source_disable_unref(s->accept_timer);
        sd_event_source_disable_unref(s->drain_timer);
        sd_event_source_disable_unref(s->heartbeat_timer);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}
