#pragma once
/* Memory that lives and dies together: what a parser builds is given back in one go. Has a ceiling, so that hostile input
 * ends in an error rather than in a machine without memory. Nothing is freed one by one. */
#include <stdarg.h>
#include <stddef.h>

#include "util/cleanup.h"

typedef struct Arena {
        struct ArenaBlock *block; /* the newest */
        size_t total;             /* bytes taken from the system */
        size_t ceiling;
} Arena;

#define ARENA_INIT(max) ((Arena){ .ceiling = (max) })
void arena_done(Arena *a);
#define _cleanup_arena_ _cleanup_(arena_done)

/* Zeroed and aligned for any type. NULL: the ceiling is reached or memory is short. */
void *arena_alloc(Arena *a, size_t size);
/* n elements of size bytes; NULL also when the product overflows. */
void *arena_array(Arena *a, size_t n, size_t size);
/* Room for one more element behind n of them; doubles at every power of two, so that no array has to carry its capacity. NULL as above:
 * the old array stays. */
void *arena_room(Arena *a, void *array, size_t n, size_t size);
/* Copies, terminated; NULL for NULL and when out of memory. */
char *arena_strdup(Arena *a, const char *s);
char *arena_strndup(Arena *a, const char *s, size_t len);
char *arena_printf(Arena *a, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
