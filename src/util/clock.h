#pragma once
/* Time. Inside: absolute CLOCK_MONOTONIC microseconds. What outlives the process: wall-clock
 * microseconds since 1970, printed as RFC 3339 UTC with milliseconds. */
#include <stddef.h>
#include <stdint.h>

#define USEC_PER_MSEC ((uint64_t) 1000)
#define USEC_PER_SEC ((uint64_t) 1000000)
#define USEC_INFINITY UINT64_MAX

uint64_t clock_monotonic(void);      /* usec */
uint64_t clock_wall(void);           /* usec since 1970 */
uint64_t clock_thread_cpu(void);     /* usec of CPU of this thread: the stall gauge */
uint64_t clock_after(uint64_t usec); /* now + usec, absolute monotonic; INFINITY stays */
#define CLOCK_TEXT_MAX 32
/* "2026-11-25T03:15:00.123Z" into buf (CLOCK_TEXT_MAX bytes); returns buf. */
char *clock_format(uint64_t wall_usec, char *buf);
