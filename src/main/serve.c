/* pgmigrated serve: puts store, dispatcher and API on one loop, and sees to their start, reload and end. */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "api/server.h"
#include "loop/notify.h"
#include "main/commands.h"
#include "main/report.h"
#include "util/log.h"

#define STOP_LOOK (1 * USEC_PER_SEC)      /* how often a stop looks how far it is */
#define STOP_ROLLBACK (30 * USEC_PER_SEC) /* how long a cancelled migration may take to roll back */
#define STOP_ANSWERS (5 * USEC_PER_SEC)   /* how long answers may take to be sent */

/* A configuration that something may still borrow. */
typedef struct Generation {
        struct Generation *older;
        Config config;
} Generation;

typedef struct Service {
        const CommandLine *line;
        Generation *config; /* the newest; the oldest, which the API borrows, stays to the end */
        sd_event *event;
        LoopStats stats;
        Store *store;
        Dispatcher *dispatcher;
        ApiServer *api;
        EventListener listener;
        uint64_t next_event;
        Fiber *stopper; /* NULL: nobody has asked it to stop */
        bool done;
} Service;

static Generation *generation_free(Generation *g)
{
        while (g) {
                Generation *older = g->older;

                config_done(&g->config);
                free(g);
                g = older;
        }
        return NULL;
}

static int generation_load(Generation **ret, const CommandLine *l, Error *err)
{
        Generation *g = calloc(1, sizeof *g);
        int r = g ? command_load_config(&g->config, l, err) : error_oom(err, "the configuration");

        if (r < 0)
                free(g);
        else
                *ret = g;
        return r;
}

static void service_done(Service *s)
{
        event_listener_remove(&s->listener);
        s->api = s->api ? api_server_free(s->api) : NULL;
        s->dispatcher = s->dispatcher ? dispatcher_free(s->dispatcher) : NULL;
        s->store = s->store ? store_close(s->store) : NULL;
        sd_event_unref(s->event);
        s->config = generation_free(s->config);
}

static const Config *config(const Service *s)
{
        return &s->config->config;
}

static void configure_log(const ServiceSettings *s)
{
        static const struct {
                const char *name;
                int level;
        } levels[] = { { "error", LOG_ERR },
                       { "warning", LOG_WARNING },
                       { "info", LOG_INFO },
                       { "debug", LOG_DEBUG } };
        LogFormat format = strcmp(s->log_format, "json") == 0   ? LOG_FORMAT_JSON
                           : strcmp(s->log_format, "text") == 0 ? LOG_FORMAT_TEXT
                                                                : LOG_FORMAT_AUTO;

        for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
                if (strcmp(levels[i].name, s->log_level) == 0)
                        log_configure(levels[i].level, format);
}

/* ---- what the service manager shows ---- */

static void show_idle(const Service *s)
{
        size_t n = config(s)->n_databases;

        notify_status("Idle, %zu database%s", n, n == 1 ? "" : "s");
}

static void show_event(const Event *e)
{
        json_t *data = json_loads(e->data, 0, NULL);

        if (strcmp(e->type, "run.state") == 0)
                notify_status("%s: %s", report_string(data, "database"),
                              report_string(data, "state"));
        else if (strcmp(e->type, "step.state") == 0 &&
                 strcmp(report_string(data, "state"), "applying") == 0)
                notify_status("applying %s %s", report_string(data, "id"),
                              report_string(data, "description"));
        else if (strcmp(e->type, "lock") == 0 && json_is_true(json_object_get(data, "waiting")))
                notify_status("%s: waiting for the migration lock",
                              report_string(data, "database"));
        json_decref(data);
}

static void on_events(void *userdata)
{
        Service *s = userdata;
        EventLog *log = dispatcher_events(s->dispatcher);
        const Event *e;
        bool lost;

        while ((e = event_log_get(log, s->next_event, &lost))) {
                s->next_event = e->id + 1;
                show_event(e);
        }
}

/* ---- stop ---- */

static void wait_until_idle(Service *s, uint64_t deadline)
{
        Error ignored;

        while (!dispatcher_idle(s->dispatcher) && clock_monotonic() < deadline) {
                uint64_t look = clock_after(STOP_LOOK);

                notify_extend_timeout(10 * STOP_LOOK);
                (void) fiber_wait(dispatcher_idle_condition(s->dispatcher),
                                  look < deadline ? look : deadline, &ignored);
                if (fiber_cancelled())
                        return;
        }
}

/* A second signal cancels this fiber: what it waits for then ends at once, and the rest is shielded. */
static int stop_main(void *userdata, Error *err)
{
        Service *s = userdata;
        bool cancelled;

        notify_stopping();
        notify_status("Stopping");
        api_server_set_state(s->api, API_STOPPING);
        dispatcher_stop(s->dispatcher);
        wait_until_idle(s, clock_after(config(s)->service.shutdown_grace));
        cancelled = fiber_cancelled();
        {
                _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();

                if (!dispatcher_idle(s->dispatcher)) {
                        log_warning("running migrations were cancelled to stop",
                                    LOG_S("REASON",
                                          cancelled ? "second signal" : "shutdown_grace is over"));
                        notify_status("Stopping, cancelling migrations");
                        dispatcher_cancel_running(s->dispatcher);
                        for (uint64_t end = clock_after(STOP_ROLLBACK);
                             !dispatcher_idle(s->dispatcher) && clock_monotonic() < end;) {
                                notify_extend_timeout(10 * STOP_LOOK);
                                (void) fiber_wait(dispatcher_idle_condition(s->dispatcher),
                                                  clock_after(STOP_LOOK), err);
                        }
                }
                api_server_stop(s->api);
                for (uint64_t end = clock_after(STOP_ANSWERS);
                     !api_server_drained(s->api) && clock_monotonic() < end;)
                        (void) fiber_wait(api_server_drained_condition(s->api), end, err);
        }
        return 0;
}

static void stop_done(void *userdata, int r, const Error *err)
{
        Service *s = userdata;

        (void) r;
        (void) err;
        s->done = true;
}

static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
        Service *s = userdata;
        Error err;

        (void) source;
        log_info("signal to stop received", LOG_N("SIGNAL", si->ssi_signo));
        if (s->stopper)
                fiber_cancel(s->stopper);
        else if (fiber_spawn(&s->stopper, s->event, "stop", stop_main, s, stop_done, &err) < 0) {
                log_error("orderly stop is not possible", LOG_ERR_FIELDS(&err));
                s->done = true;
        }
        return 0;
}

/* ---- reload ---- */

/* Runs that are going finish with the settings they began with, and so do questions. */
static void drop_old_generations(Service *s)
{
        Generation *g = s->config;

        if (!dispatcher_settled(s->dispatcher))
                return;
        while (g->older && g->older->older) {
                Generation *gone = g->older;

                g->older = gone->older;
                gone->older = NULL;
                (void) generation_free(gone);
        }
}

static int reload(Service *s, Error *err)
{
        Generation *g;
        const char *option;
        int r = generation_load(&g, s->line, err);

        if (r < 0)
                return r;
        r = dispatcher_reload(s->dispatcher, &g->config.service, g->config.databases,
                              g->config.n_databases, err);
        if (r < 0) {
                (void) generation_free(g);
                return r;
        }
        if (service_settings_need_restart(&config(s)->service, &g->config.service, &option))
                log_warning("a changed option needs a restart to take effect",
                            LOG_S("OPTION", option));
        g->older = s->config;
        s->config = g;
        configure_log(&g->config.service);
        api_server_reload(s->api, &g->config.service);
        return 0;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
        Service *s = userdata;
        Error err;

        (void) source;
        (void) si;
        if (s->stopper)
                return 0;
        notify_reloading();
        api_server_set_state(s->api, API_RELOADING);
        if (reload(s, &err) < 0)
                log_error("configuration was not reloaded, the old one stays",
                          LOG_ERR_FIELDS(&err));
        else
                log_info("configuration was reloaded", LOG_N("DATABASES", config(s)->n_databases));
        drop_old_generations(s);
        api_server_set_state(s->api, API_RUNNING);
        notify_ready();
        return 0;
}

/* ---- start ---- */

static int start_loop(Service *s, Error *err)
{
        static const struct {
                int number;
                sd_event_signal_handler_t handler;
        } signals[] = { { SIGTERM, on_terminate },
                        { SIGINT, on_terminate },
                        { SIGHUP, on_reload } };
        sigset_t set;
        int r = sd_event_default(&s->event);

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
                (void) sigaddset(&set, signals[i].number);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        for (size_t i = 0; r >= 0 && i < sizeof signals / sizeof *signals; i++)
                r = sd_event_add_signal(s->event, NULL, signals[i].number, signals[i].handler, s);
        if (r >= 0)
                r = sd_event_set_watchdog(s->event, 1);
        return r < 0 ? error_set(err, ERROR_INTERNAL, "event loop: %s", strerror(-r)) : 0;
}

static int start(Service *s, Error *err)
{
        const Config *c;
        int r = generation_load(&s->config, s->line, err);

        if (r < 0)
                return r;
        c = config(s);
        configure_log(&c->service);
        if (!*c->service.state_directory) {
                (void) error_set(err, ERROR_CONFIG,
                                 "there is no place for the state: none of STATE_DIRECTORY, "
                                 "XDG_STATE_HOME and HOME is set");
                return error_hint(err, "set state_directory");
        }
        r = start_loop(s, err);
        if (r >= 0)
                r = store_open(&s->store, c->service.state_directory, err);
        if (r >= 0)
                r = dispatcher_new(&s->dispatcher, s->event, &c->service, c->databases,
                                   c->n_databases, s->store, err);
        if (r >= 0)
                r = api_server_new(&s->api, s->event, &c->service, s->dispatcher, &s->stats, err);
        if (r < 0)
                return r;
        s->next_event = event_log_next_id(dispatcher_events(s->dispatcher));
        s->listener = (EventListener){ .cb = on_events, .userdata = s };
        event_log_listen(dispatcher_events(s->dispatcher), &s->listener);
        api_server_set_state(s->api, API_RUNNING);
        r = dispatcher_start(s->dispatcher, err);
        if (r < 0)
                return r;
        log_info("service started", LOG_S("VERSION", PACKAGE_VERSION),
                 LOG_N("DATABASES", c->n_databases), LOG_S("CONFIG", c->file),
                 LOG_S("STATE_DIRECTORY", c->service.state_directory));
        show_idle(s);
        notify_ready();
        return 0;
}

int serve_command(const CommandLine *l, Error *err)
{
        _cleanup_(service_done) Service s = { .line = l };
        int r;

        (void) umask(0077);
        r = start(&s, err);
        while (r >= 0 && !s.done) {
                r = loop_stats_run(&s.stats, s.event, UINT64_MAX);
                if (r < 0)
                        return error_set(err, ERROR_INTERNAL, "event loop: %s", strerror(-r));
        }
        if (r < 0)
                return r;
        log_info("service stopped", LOG_N("STALLS", s.stats.stalls));
        return 0;
}
