#include <string.h>
#include <zlib.h>

#include "format/flyway/flyway.h"
#include "loop/fiber.h"

/* Bytes between two breaths: well below a millisecond. */
#define BREATH ((size_t) 64 * 1024)

/* Flyway reads lines and feeds each of them to the CRC without its end, so CR and LF never count. */
int32_t flyway_checksum(const char *data, size_t size)
{
        const char *end = data + size, *p = data, *breath = data + (size < BREATH ? size : BREATH);
        Error ignored;
        uLong crc = crc32(0, NULL, 0);

        if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
                p += 3;
        while (p < end) {
                const char *stop = p;

                while (stop < end && *stop != '\n' && *stop != '\r')
                        stop++;
                crc = crc32_z(crc, (const Bytef *) p, (z_size_t) (stop - p));
                p = stop < end ? stop + 1 : end;
                if (p >= breath && p < end) {
                        breath = (size_t) (end - p) < BREATH ? end : p + BREATH;
                        (void) fiber_breathe(&ignored);
                }
        }
        return (int32_t) (uint32_t) crc;
}
