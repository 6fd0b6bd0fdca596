#pragma once
/* Name resolution off the loop. */
#include <stdbool.h>

#include "loop/fiber.h"

#define RESOLVER_MAX_ADDRESSES 16
typedef struct ResolvedAddresses {
        char text[RESOLVER_MAX_ADDRESSES][64]; /* numeric, with %scope where there is one */
        unsigned count;
} ResolvedAddresses;

/* ERROR_UNAVAILABLE when the name cannot be looked up now (*nonexistent false) or does not exist
 * (*nonexistent true); ERROR_TIMEOUT when no answer came in time. */
int resolver_lookup(ResolvedAddresses *ret, bool *nonexistent, const char *host, uint64_t deadline,
                    Error *err);
