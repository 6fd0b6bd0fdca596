#pragma once
/* The HTTP control API: libmicrohttpd on the daemon's event loop, on loopback and a Unix socket. */
#include <stdbool.h>

#include "api/loop_stats.h"
#include "engine/dispatcher.h"
#include "engine/settings.h"
#include "loop/fiber.h"

typedef struct ApiServer ApiServer;

typedef enum ApiState {
        API_RUNNING,
        API_RELOADING,
        API_STOPPING
} ApiState; /* "state" of GET /status */

/* Listens at once, on what systemd passed, else on settings->listen and settings->socket. settings, dispatcher and loop are
 * borrowed until api_server_free; loop (the stall gauge, see loop_stats_run) may be NULL. */
int api_server_new(ApiServer **ret, sd_event *event, const ServiceSettings *settings,
                   Dispatcher *dispatcher, const LoopStats *loop, Error *err);
/* New limits. Where it listens stays as it is until the next start. */
void api_server_reload(ApiServer *s, const ServiceSettings *settings);
void api_server_set_state(ApiServer *s, ApiState state);
unsigned api_server_port(const ApiServer *s); /* of the first TCP listener, 0 without one */
void api_server_metrics(const ApiServer *s, Text *out);

/* Takes no more connections, ends event streams, answers those who wait with what is known now, lets answers finish, and after
 * some seconds cuts what is left. Let the loop turn until api_server_drained(), then free. */
void api_server_stop(ApiServer *s);
bool api_server_drained(const ApiServer *s); /* nobody is connected */
Condition *api_server_drained_condition(ApiServer *s);

/* Cuts every connection. No request may be waiting in a fiber any more: drain first. */
ApiServer *api_server_free(ApiServer *s);
DEFINE_CLEANUP(ApiServer *, api_server_free)
