#pragma once
/* Delays between attempts: first, doubling up to a cap, each times a random 0.5..1 so that many daemons
 * do not march in step. */
#include <stdint.h>

typedef struct Backoff {
        uint64_t first, cap; /* usec */
        unsigned step;
} Backoff;

uint64_t backoff_next(Backoff *b); /* usec to sleep now */
void backoff_reset(Backoff *b);
