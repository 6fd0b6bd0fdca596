#pragma once
/* The user's files. Errors name the path and what is wrong with it, in text, path and hint. A file that is
 * missing, unreadable or not a regular one is ERROR_CHANGELOG for views and walks and ERROR_CONFIG for
 * file_read_text(); what the machine is short of (descriptors, memory, a disk that works) is ERROR_IO or
 * ERROR_OOM. */
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"

/* Bytes of a file, mapped read-only where that is possible so that big migrations cost no heap.
 * Always followed by at least one NUL byte that is not counted in size. */
typedef struct FileView {
        const char *data;
        size_t size;
        void *map; /* what to unmap or free; private */
        size_t map_size;
} FileView;

/* Opens relative to dirfd (AT_FDCWD for none). Refuses what is not a regular file. shown is the name
 * for errors. A file that is truncated while mapped raises SIGBUS in whoever reads it, so files of up
 * to 1 MiB are copied and only bigger ones are mapped. */
int file_view_open(FileView *ret, int dirfd, const char *path, const char *shown, Error *err);
void file_view_done(FileView *v);
#define _cleanup_file_view_ _cleanup_(file_view_done)

/* A whole small file as a string of at most max bytes, without NUL bytes; the caller frees. */
int file_read_text(char **ret, const char *path, size_t max, Error *err);

/* Calls fn for every regular file below root, depth first, names in bytewise order, directories whose
 * name starts with a dot left out; symbolic links are followed, and more than 32 folders deep is an error,
 * which is how loops end. A link to nothing is an error unless its name starts with a dot. relative has
 * '/' separators and lives only during the call. Stops when fn returns a negative value, and returns it. */
typedef int (*FileVisitor)(const char *relative, void *userdata, Error *err);
int file_walk(const char *root, FileVisitor fn, void *userdata, Error *err);
