#pragma once
/* Files of data that may be packed by gzip: their name tells. */
#include "util/error.h"
#include "util/file.h"
#include "util/text.h"

/* Bytes of a file of data, unpacked. */
#define PACKED_MAX ((size_t) 256 << 20)

/* What the file holds, unpacked into t (TEXT_INIT(PACKED_MAX)) when it is packed: *ret lives as long as t and view do. */
int packed_read(const char **ret, size_t *ret_size, Text *t, const FileView *view, const char *path,
                Error *err);
