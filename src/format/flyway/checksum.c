#include <string.h>
#include <zlib.h>

#include "format/flyway/flyway.h"

/* Flyway reads lines and feeds each of them to the CRC without its end, so CR and LF never count. */
int32_t flyway_checksum(const char *data, size_t size)
{
        const char *end = data + size, *p = data;
        uLong crc = crc32(0, NULL, 0);

        if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
                p += 3;
        while (p < end) {
                const char *stop = p;

                while (stop < end && *stop != '\n' && *stop != '\r')
                        stop++;
                crc = crc32_z(crc, (const Bytef *) p, (z_size_t) (stop - p));
                p = stop < end ? stop + 1 : end;
        }
        return (int32_t) (uint32_t) crc;
}
