#pragma once
/* What the service manager is told (sd_notify). Without one, nothing happens. */
#include <stdint.h>

#include "util/error.h"

void notify_ready(void);
void notify_reloading(void); /* to be followed by notify_ready() */
void notify_stopping(void);
/* One line for people, in systemctl status. Said again only when it changes. */
void notify_status(const char *fmt, ...) __attribute__((__format__(__printf__, 1, 2)));
/* The stop takes longer: wait at least this many usec from now. */
void notify_extend_timeout(uint64_t usec);
