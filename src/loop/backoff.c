#include "loop/backoff.h"

#include <stdlib.h>

uint64_t backoff_next(Backoff *b)
{
        uint64_t delay = b->cap;

        if (b->step < 32 && b->first << b->step < b->cap) {
                delay = b->first << b->step;
                b->step++;
        }
        return delay / 2 + arc4random_uniform((uint32_t) (delay / 2 + 1));
}

void backoff_reset(Backoff *b)
{
        b->step = 0;
}
