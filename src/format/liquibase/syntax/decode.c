/* Text of files in UTF-8, whatever they are written in. */
#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/syntax/node.h"
#include "format/script_text.h"
#include "util/utf8.h"

/* By its mark; NULL: it has none. */
static const char *marked_encoding(const char *data, size_t size, size_t *mark)
{
        static const struct {
                const char *bytes;
                size_t len;
                const char *encoding;
        } marks[] = { { "\xef\xbb\xbf", 3, "UTF-8" },
                      { "\xff\xfe\0\0", 4, "UTF-32LE" },
                      { "\0\0\xfe\xff", 4, "UTF-32BE" },
                      { "\xff\xfe", 2, "UTF-16LE" },
                      { "\xfe\xff", 2, "UTF-16BE" } };

        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
                if (size >= marks[i].len && memcmp(data, marks[i].bytes, marks[i].len) == 0) {
                        *mark = marks[i].len;
                        return marks[i].encoding;
                }
        *mark = 0;
        return NULL;
}

/* Whether a declaration contradicts a mark: UTF-16 leaves the order of bytes to the mark, and what is no Unicode at all is a
 * declaration for files without one. */
static bool contradicts(const char *declared, const char *marked)
{
        return strncasecmp(declared, "UTF", 3) == 0 && strcasecmp(declared, marked) != 0 &&
               !(strcasecmp(declared, "UTF8") == 0 && strcmp(marked, "UTF-8") == 0) &&
               !(strlen(declared) == strlen("UTF-16") &&
                 strncasecmp(declared, marked, strlen(declared)) == 0);
}

/* The mark and what is declared have to agree, as Java has it; without a mark UTF-16 is big-endian. */
static int settle(const char **encoding, const char *marked, const char *declared, const char *path,
                  Error *err)
{
        *encoding = declared && *declared ? declared : "UTF-8";
        if (!marked) {
                if (strcasecmp(*encoding, "UTF-16") == 0)
                        *encoding = "UTF-16BE";
                return 0;
        }
        if (declared && contradicts(declared, marked)) {
                (void) error_set(
                        err, ERROR_CHANGELOG,
                        "the file is declared as %s, but its byte order mark is that of %s",
                        declared, marked);
                (void) error_at(err, path, 1, 1);
                return error_hint(err, "remove encoding, or correct it");
        }
        *encoding = marked;
        return 0;
}

static int check_utf8(const char *data, size_t size, const char *path, Error *err)
{
        const char *nul = memchr(data, '\0', size);
        size_t valid = utf8_valid_prefix(data, size), at = nul ? (size_t) (nul - data) : size;
        unsigned long line, column;

        if (valid == size && !nul)
                return 0;
        (void) error_set(err, ERROR_CHANGELOG, "the file %s",
                         at < valid || valid == size ? "holds a NUL byte" : "is not valid UTF-8");
        script_position(data, at < valid ? at : valid, &line, &column);
        (void) error_at(err, path, line, column);
        return error_hint(err, "save it as UTF-8");
}

static int convert(char **ret, size_t *ret_size, Arena *a, const char *data, size_t size,
                   const char *encoding, const char *path, Error *err)
{
        iconv_t cd = iconv_open("UTF-8", encoding);
        size_t room = size * 3 + 4, in_left = size, out_left = room, r;
        char *out, *in = (char *) (uintptr_t) data, *p;

        if (cd == (iconv_t) -1) {
                (void) error_set(err, ERROR_CHANGELOG, "no encoding is called %s", encoding);
                return error_at(err, path, 0, 0);
        }
        out = p = arena_alloc(a, room + 1);
        r = out ? iconv(cd, &in, &in_left, &p, &out_left) : 0;
        (void) iconv_close(cd);
        if (!out)
                return error_oom(err, "a file");
        if (r == (size_t) -1) {
                (void) error_set(err, ERROR_CHANGELOG, "the file is not valid %s at byte %zu",
                                 encoding, size - in_left + 1);
                (void) error_at(err, path, 0, 0);
                return error_hint(err, "save it as UTF-8");
        }
        *ret = out;
        *ret_size = room - out_left;
        return 0;
}

static bool follows(const unsigned char *p, size_t left, size_t i)
{
        return i < left && (p[i] & 0xc0) == 0x80;
}

/* How many of the bytes at p, which begin no character, Java takes for one mistake. */
static size_t malformed_length(const unsigned char *p, size_t left)
{
        if (p[0] < 0xe0 || p[0] > 0xf4 || !follows(p, left, 1) || (p[0] == 0xe0 && p[1] < 0xa0) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 1;
        return follows(p, left, 2) ? 3 : 2;
}

static int replace_malformed(const char **ret, size_t *ret_size, Arena *a, const char *data,
                             size_t size, Error *err)
{
        static const char replacement[3] = { '\xef', '\xbf', '\xbd' };
        size_t valid = utf8_valid_prefix(data, size), n = 0;
        char *out;

        *ret = data;
        *ret_size = size;
        if (valid == size)
                return 0;
        out = arena_array(a, size + 1, 3);
        if (!out)
                return error_oom(err, "a file");
        while (size > 0) {
                memcpy(out + n, data, valid);
                n += valid;
                data += valid;
                size -= valid;
                if (size > 0) {
                        size_t skip = malformed_length((const unsigned char *) data, size);

                        for (size_t i = 0; i < sizeof replacement; i++)
                                out[n++] = replacement[i];
                        data += skip;
                        size -= skip;
                }
                valid = utf8_valid_prefix(data, size);
        }
        *ret = out;
        *ret_size = n;
        return 0;
}

static int decode(const char **ret, size_t *ret_size, Arena *a, const char *data, size_t size,
                  const char *encoding, const char *path, Error *err)
{
        const char *used;
        char *converted = NULL;
        size_t mark;
        const char *marked = marked_encoding(data, size, &mark);
        int r;

        if (size > NODE_MAX_FILE) {
                (void) error_set(err, ERROR_CHANGELOG, "the file is bigger than %zu MiB",
                                 NODE_MAX_FILE >> 20);
                return error_at(err, path, 0, 0);
        }
        r = settle(&used, marked, encoding, path, err);
        if (r < 0)
                return r;
        *ret = data + mark;
        *ret_size = size - mark;
        if (strcasecmp(used, "UTF-8") != 0 && strcasecmp(used, "UTF8") != 0) {
                r = convert(&converted, ret_size, a, *ret, *ret_size, used, path, err);
                if (r < 0)
                        return r;
                *ret = converted;
        }
        return 0;
}

int decode_text(const char **ret, size_t *ret_size, Arena *a, const char *data, size_t size,
                const char *encoding, const char *path, Error *err)
{
        int r = decode(ret, ret_size, a, data, size, encoding, path, err);

        return r < 0 ? r : check_utf8(*ret, *ret_size, path, err);
}

int decode_any_text(const char **ret, size_t *ret_size, Arena *a, const char *data, size_t size,
                    const char *encoding, const char *path, Error *err)
{
        int r = decode(ret, ret_size, a, data, size, encoding, path, err);

        if (r >= 0)
                r = replace_malformed(ret, ret_size, a, *ret, *ret_size, err);
        return r < 0 ? r : check_utf8(*ret, *ret_size, path, err);
}
