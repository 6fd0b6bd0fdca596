#include "format/liquibase/change/packed.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

static int refuse(const char *path, const char *what, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "%s %s", path, what);
        return error_at(err, path, 0, 0);
}

static bool is_packed(const char *path)
{
        size_t len = strlen(path);

        return len > 3 && strcasecmp(path + len - 3, ".gz") == 0;
}

static void inflate_done(z_stream *z)
{
        (void) inflateEnd(z);
}

static int unpack(Text *t, const FileView *view, const char *path, Error *err)
{
        _cleanup_(inflate_done) z_stream z = { .next_in = (Bytef *) (uintptr_t) view->data };
        char buf[16384];
        int r = Z_OK;

        if (view->size > PACKED_MAX)
                return refuse(path, "is too big", err);
        z.avail_in = (uInt) view->size;
        if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
                return error_oom(err, "unpacking a file");
        while (r == Z_OK && !t->bad) {
                z.next_out = (Bytef *) buf;
                z.avail_out = sizeof buf;
                r = inflate(&z, Z_NO_FLUSH);
                text_append(t, buf, sizeof buf - z.avail_out);
        }
        if (t->bad)
                return refuse(path, "is too big once it is unpacked", err);
        return r == Z_STREAM_END ? 0 : refuse(path, "is no gzip file", err);
}

int packed_read(const char **ret, size_t *ret_size, Text *t, const FileView *view, const char *path,
                Error *err)
{
        int r = is_packed(path) ? unpack(t, view, path, err) : 0;

        *ret = is_packed(path) ? text_str(t) : view->data;
        *ret_size = is_packed(path) ? t->len : view->size;
        return r;
}
