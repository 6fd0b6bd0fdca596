#pragma once
/* Strict readers of numbers, sizes, durations and booleans. On failure nothing is stored; the error
 * (ERROR_CONFIG, a caller that reads something else changes the code) says what was expected but not for
 * which option: callers prefix that. */
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

/* Decimal digits only. */
int parse_uint(uint64_t *ret, const char *s, Error *err);
/* Bytes: 512, 64KiB, 1MiB, 2GiB, 64kB, 1MB (kB is 1000). */
int parse_size(uint64_t *ret, const char *s, Error *err);
/* To usec: 250ms, 10s, 5min, 2h, 1d; 0; "infinity" (USEC_INFINITY). */
int parse_duration(uint64_t *ret, const char *s, Error *err);
/* yes/no, true/false, on/off, 1/0, in any case. */
int parse_bool(bool *ret, const char *s, Error *err);
