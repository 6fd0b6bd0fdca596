/* The real HTTP server over the fake engine, for clients that misbehave: tests/tools/http_chaos.py starts it.
 * usage: api_serve SOCKET [name=milliseconds-or-count ...]; prints its port, serves until SIGTERM, drains, and prints
 * what is left as one line of JSON. */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/server.h"
#include "fake_dispatcher.h"
#include "util/parse.h"

static char listen_address[] = "127.0.0.1:0";
static char nothing[] = "";

static ServiceSettings settings = {
        .listen = listen_address,
        .socket = nothing,
        .http_max_connections = 64,
        .http_max_connections_per_address = 60,
        .http_max_body = 65536,
        .http_header_timeout = 2 * USEC_PER_SEC,
        .http_body_timeout = 2 * USEC_PER_SEC,
        .http_idle_timeout = 5 * USEC_PER_SEC,
        .http_max_streams = 32,
};

static const struct {
        const char *name;
        uint64_t *value, unit;
} knobs[] = {
        { "header", &settings.http_header_timeout, USEC_PER_MSEC },
        { "body", &settings.http_body_timeout, USEC_PER_MSEC },
        { "idle", &settings.http_idle_timeout, USEC_PER_MSEC },
        { "connections", &settings.http_max_connections, 1 },
        { "per_address", &settings.http_max_connections_per_address, 1 },
        { "streams", &settings.http_max_streams, 1 },
};

static void set_knob(const char *argument)
{
        const char *equals = strchr(argument, '=');
        Error err;

        for (size_t i = 0; equals && i < sizeof knobs / sizeof knobs[0]; i++)
                if (strlen(knobs[i].name) == (size_t) (equals - argument) &&
                    !strncmp(argument, knobs[i].name, strlen(knobs[i].name)) &&
                    parse_uint(knobs[i].value, equals + 1, &err) >= 0) {
                        *knobs[i].value *= knobs[i].unit;
                        return;
                }
        fprintf(stderr, "api_serve: what is \"%s\"?\n", argument);
        exit(64);
}

static unsigned count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        unsigned n = 0;

        while (d && readdir(d))
                n++;
        (void) closedir(d);
        return n;
}

static int on_term(sd_event_source *s, const struct signalfd_siginfo *info, void *userdata)
{
        (void) s, (void) info;
        *(bool *) userdata = true;
        return 0;
}

static void serve(sd_event *event, Dispatcher *d, ApiServer *server, LoopStats *stats,
                  const bool *stop)
{
        while (!*stop && loop_stats_run(stats, event, UINT64_MAX) >= 0)
                ;
        api_server_stop(server);
        while (!api_server_drained(server) && loop_stats_run(stats, event, UINT64_MAX) >= 0)
                ;
        dispatcher_cancel_running(d);
        while (!dispatcher_idle(d) && loop_stats_run(stats, event, UINT64_MAX) >= 0)
                ;
}

static void release(sd_event *event, Dispatcher *d, ApiServer *server)
{
        if (server)
                api_server_free(server);
        if (d)
                dispatcher_free(d);
        sd_event_unref(event);
}

int main(int argc, char **argv)
{
        sd_event *event = NULL;
        Dispatcher *d = NULL;
        ApiServer *server = NULL;
        LoopStats stats = { 0 };
        sigset_t mask;
        bool stop = false;
        unsigned before, after;
        Error err;

        for (int i = 2; i < argc; i++)
                set_knob(argv[i]);
        settings.socket = argc > 1 ? argv[1] : nothing;
        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &mask, NULL);
        before = count_fds();
        if (sd_event_new(&event) < 0 ||
            sd_event_add_signal(event, NULL, SIGTERM, on_term, &stop) < 0 ||
            fake_dispatcher_new(&d, event, &err) < 0 ||
            fake_dispatcher_babble(d, 20 * USEC_PER_MSEC, &err) < 0 ||
            api_server_new(&server, event, &settings, d, &stats, &err) < 0) {
                fprintf(stderr, "api_serve: %s\n", err.text);
                release(event, d, server);
                return 1;
        }
        printf("%u\n", api_server_port(server));
        (void) fflush(stdout);
        serve(event, d, server, &stats, &stop);
        release(event, d, server);
        after = count_fds();
        printf("{\"fds\":%d,\"fibers\":%u,\"dispatches\":%" PRIu64 ",\"stalls\":%" PRIu64
               ",\"max_usec\":%" PRIu64 "}\n",
               (int) after - (int) before, fiber_count(), stats.dispatches, stats.stalls,
               stats.max_usec);
        return 0;
}
