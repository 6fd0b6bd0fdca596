#include "api/event_stream.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/server_private.h"
#include "api/timer.h"
#include "util/parse.h"

#define HEARTBEAT (15 * USEC_PER_SEC)
#define CHUNK_SIZE ((size_t) 16 << 10) /* formatted at once */
#define EVENT_MAX ((size_t) 1 << 20)
#define RETRY_MS 3000

static void on_event(void *userdata)
{
        EventStream *s = userdata;

        connection_resume(s->connection);
}

/* Where to begin: after what the client has seen, else now; a run's stream at the oldest event there is. */
static int set_start(EventStream *s, const Request *req, Error *err)
{
        const char *parameter = request_parameter(req, "last_event_id");
        const char *last =
                req->head.last_event_id.count ? req->head.last_event_id.value : parameter;
        uint64_t newest = event_log_next_id(dispatcher_events(s->server->dispatcher)), seen;

        s->quiet_gap = !last || !*last;
        if (s->quiet_gap) {
                s->next = s->run[0] ? 0 : newest;
                return 0;
        }
        if (parse_uint(&seen, last, err) < 0 || seen == UINT64_MAX)
                return error_set(err, ERROR_BAD_REQUEST, "the last event id is not a number");
        s->next = seen + 1;
        return 0;
}

int event_stream_new(EventStream **ret, Request *req, const char *run, Error *err)
{
        EventStream *s;
        int r = server_wait_begin(req->server, err);

        if (r < 0)
                return r;
        s = calloc(1, sizeof *s);
        if (!s) {
                server_wait_end(req->server);
                return error_oom(err, "an event stream");
        }
        *s = (EventStream){ .server = req->server,
                            .connection = req->connection,
                            .out = TEXT_INIT(EVENT_MAX) };
        list_init(&s->listener.node);
        list_init(&s->node);
        list_append(&s->server->streams, &s->node);
        strncpy(s->run, run, sizeof s->run - 1);
        r = set_start(s, req, err);
        if (r < 0) {
                event_stream_free(s);
                return r;
        }
        s->listener.cb = on_event;
        s->listener.userdata = s;
        event_log_listen(dispatcher_events(s->server->dispatcher), &s->listener);
        timer_arm_lazily(s->server->heartbeat_timer, clock_after(HEARTBEAT));
        *ret = s;
        return 0;
}

void event_stream_free(EventStream *s)
{
        if (!s)
                return;
        event_listener_remove(&s->listener);
        list_remove(&s->node);
        server_wait_end(s->server);
        text_done(&s->out);
        free(s);
}

/* from .. to - 1 are gone. */
static void add_gap(EventStream *s, uint64_t from, uint64_t to)
{
        text_printf(&s->out, "event: gap\ndata: {\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}\n\n",
                    from, to - 1);
}

static void add_event(EventStream *s, const Event *e)
{
        if (s->run[0] && strcmp(s->run, e->run))
                return;
        text_printf(&s->out, "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n", e->id, e->type, e->data);
}

static void fill(EventStream *s)
{
        EventLog *log = dispatcher_events(s->server->dispatcher);
        const Event *e = NULL;
        bool lost = false;

        while (s->out.len < CHUNK_SIZE && !s->out.bad && (e = event_log_get(log, s->next, &lost))) {
                if (lost && !s->quiet_gap)
                        add_gap(s, s->next, e->id);
                s->quiet_gap = false;
                add_event(s, e);
                if (s->out.bad) { /* an event that is too big, or no memory: say that it is missing */
                        text_clear(&s->out);
                        add_gap(s, e->id, e->id + 1);
                }
                s->next = e->id + 1;
        }
        /* The client has seen an id that we never gave: another daemon's, or of a state directory that was lost. */
        if (!e && s->next > event_log_next_id(log)) {
                uint64_t next = event_log_next_id(log);

                text_printf(&s->out, "event: gap\ndata: {\"from\":%" PRIu64 ",\"to\":null}\n\n",
                            next);
                s->next = next;
        }
}

static bool run_is_over(const EventStream *s)
{
        Run *run = s->run[0] ? dispatcher_find_run(s->server->dispatcher, s->run) : NULL;

        return s->run[0] && (!run || run_finished(run));
}

static void prepare(EventStream *s)
{
        text_clear(&s->out);
        s->sent = 0;
        if (!s->greeted) {
                text_printf(&s->out, "retry: %d\n\n", RETRY_MS);
                s->greeted = true;
        }
        fill(s);
        if (!s->out.len && s->heartbeat_due)
                text_add(&s->out, ":\n\n");
        s->heartbeat_due = false;
}

ssize_t event_stream_read(void *userdata, uint64_t position, char *buf, size_t max)
{
        EventStream *s = userdata;
        size_t n;

        (void) position;
        if (s->connection->gone) {
                /* Ending with an error leaves the connection lingering in libmicrohttpd 0.9.75; sending into the socket that
                 * was shut down does not. */
                buf[0] = ':';
                return 1;
        }
        if (s->sent == s->out.len)
                prepare(s);
        n = s->out.len - s->sent;
        if (!n) {
                if (s->server->stopping || run_is_over(s))
                        return MHD_CONTENT_READER_END_OF_STREAM;
                connection_suspend(s->connection);
                return 0;
        }
        if (n > max)
                n = max;
        memcpy(buf, s->out.s + s->sent, n);
        s->sent += n;
        return (ssize_t) n;
}

int event_stream_heartbeat(sd_event_source *timer, uint64_t usec, void *userdata)
{
        ApiServer *server = userdata;

        (void) usec;
        if (list_empty(&server->streams))
                return 0;
        for (ListNode *n = server->streams.next; n != &server->streams; n = n->next) {
                EventStream *s = list_entry(n, EventStream, node);

                s->heartbeat_due = true;
                connection_resume(s->connection);
        }
        timer_arm(timer, clock_after(HEARTBEAT));
        return 0;
}
