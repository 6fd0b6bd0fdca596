#include <string.h>
#include <zlib.h>

#include "format/flyway/flyway.h"
#include "loop/fiber.h"

/* Lines are gathered in pieces of this size: zlib is several times slower with a line at a time. */
#define PIECE ((size_t) 4096)
/* Pieces between two breaths: well below a millisecond. */
#define BREATH 16

/* The bytes from p to stop without CR and LF; gives their number. Lines are long enough for memchr(), and CR is rare. */
static uInt gather(unsigned char *piece, const char *p, const char *stop)
{
        uInt n = 0, kept = 0;

        while (p < stop) {
                const char *newline = memchr(p, '\n', (size_t) (stop - p));
                size_t len = (size_t) ((newline ? newline : stop) - p);

                memcpy(piece + n, p, len);
                n += (uInt) len;
                p = newline ? newline + 1 : stop;
        }
        if (!memchr(piece, '\r', n))
                return n;
        for (uInt i = 0; i < n; i++) {
                piece[kept] = piece[i];
                kept += piece[i] != '\r';
        }
        return kept;
}

/* Flyway reads lines and feeds each of them to the CRC without its end, so CR and LF never count. */
int32_t flyway_checksum(const char *data, size_t size)
{
        const char *end = data + size, *p = data;
        uLong crc = crc32(0, NULL, 0);
        unsigned char piece[PIECE];
        unsigned pieces = 0;
        Error ignored;

        if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
                p += 3;
        while (p < end) {
                const char *stop = (size_t) (end - p) < PIECE ? end : p + PIECE;

                crc = crc32(crc, piece, gather(piece, p, stop));
                p = stop;
                if (++pieces % BREATH == 0)
                        (void) fiber_breathe(&ignored);
        }
        return (int32_t) (uint32_t) crc;
}
