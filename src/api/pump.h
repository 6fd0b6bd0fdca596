#pragma once
/* libmicrohttpd on the loop: runs the daemon when its epoll set, its timeout or somebody who resumed a connection
 * asks for it. The daemon has no thread and no listening socket of its own. */
#include <microhttpd.h>
#include <systemd/sd-event.h>

#include "util/error.h"

typedef struct Pump {
        struct MHD_Daemon *daemon; /* borrowed */
        sd_event_source *io, *timer, *defer;
} Pump;

int pump_start(Pump *p, sd_event *event, struct MHD_Daemon *daemon, Error *err);
/* Runs the daemon in this turn of the loop. Needed after MHD_resume_connection() and MHD_add_connection(), which only
 * set a flag when polling is external. */
void pump_kick(Pump *p);
void pump_done(Pump *p); /* fine when not started or already done */
