#pragma once
/* What goes on, for people: on a terminal one live line that shows the phase and its time, and a line that stays for each
 * step; in a pipe only lines that stay. Fed with events, of this process or read from the service. */
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "util/error.h"

typedef struct Progress Progress;

/* out is borrowed. terminal: draw the live line, columns wide. now is monotonic usec here and below. */
int progress_new(Progress **ret, FILE *out, bool terminal, unsigned columns, Error *err);
Progress *progress_free(Progress *p); /* takes the live line away */
void progress_event(Progress *p, const char *type, const json_t *data, uint64_t now);
void progress_tick(Progress *p, uint64_t now); /* draws the time that has passed */
unsigned progress_columns(void); /* of the terminal that standard error is; 80 where it is none */
static inline void progress_freep(Progress **p)
{
        if (*p)
                (void) progress_free(*p);
}
