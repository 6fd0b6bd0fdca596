#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t) 64 * 1024)

typedef struct ArenaBlock {
        struct ArenaBlock *older;
        size_t used, size;
        alignas(max_align_t) char bytes[];
} ArenaBlock;

void arena_done(Arena *a)
{
        while (a->block) {
                ArenaBlock *b = a->block;

                a->block = b->older;
                free(b);
        }
        a->total = 0;
}

static ArenaBlock *add_block(Arena *a, size_t size)
{
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        ArenaBlock *b;

        if (room > a->ceiling || a->total > a->ceiling - room)
                return NULL;
        b = calloc(1, sizeof *b + room);
        if (!b)
                return NULL;
        b->size = room;
        b->older = a->block;
        a->total += room;
        a->block = b;
        return b;
}

void *arena_alloc(Arena *a, size_t size)
{
        const size_t align = alignof(max_align_t);
        ArenaBlock *b = a->block;
        void *p;

        if (size > SIZE_MAX - align)
                return NULL;
        size = (size + align - 1) / align * align;
        if (!b || b->size - b->used < size)
                b = add_block(a, size);
        if (!b)
                return NULL;
        p = b->bytes + b->used;
        b->used += size;
        return p;
}

void *arena_array(Arena *a, size_t n, size_t size)
{
        size_t bytes;

        return __builtin_mul_overflow(n, size, &bytes) ? NULL : arena_alloc(a, bytes);
}

void *arena_room(Arena *a, void *array, size_t n, size_t size)
{
        void *room;

        if (n & (n - 1))
                return array;
        room = arena_array(a, n ? 2 * n : 1, size);
        if (room && n > 0)
                memcpy(room, array, n * size);
        return room;
}

char *arena_strndup(Arena *a, const char *s, size_t len)
{
        char *copy = s && len < SIZE_MAX ? arena_alloc(a, len + 1) : NULL;

        if (copy)
                memcpy(copy, s, len);
        return copy;
}

char *arena_strdup(Arena *a, const char *s)
{
        return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_printf(Arena *a, const char *fmt, ...)
{
        char *s = NULL, *copy;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&s, fmt, ap);
        va_end(ap);
        if (n < 0)
                return NULL;
        copy = arena_strndup(a, s, (size_t) n);
        free(s);
        return copy;
}
