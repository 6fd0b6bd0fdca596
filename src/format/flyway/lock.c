#include "format/flyway/flyway.h"

/* The bytes "Flyway". */
#define FLYWAY_LOCK_BASE INT64_C(0x466c79776179)

/* One code point of valid UTF-8. */
static uint32_t take_code_point(const unsigned char **s)
{
        uint32_t c = *(*s)++;
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

        if (more)
                c &= 0x3fU >> more;
        for (; more > 0 && (**s & 0xc0) == 0x80; more--)
                c = c << 6 | (*(*s)++ & 0x3fU);
        return c;
}

/* Java's String.hashCode(): over UTF-16 code units. */
static int32_t java_hash(const char *text)
{
        const unsigned char *s = (const unsigned char *) text;
        uint32_t h = 0;

        while (*s) {
                uint32_t c = take_code_point(&s);

                if (c >= 0x10000) {
                        h = 31 * h + (0xd800 + ((c - 0x10000) >> 10));
                        c = 0xdc00 + (c & 0x3ff);
                }
                h = 31 * h + c;
        }
        return (int32_t) h;
}

size_t flyway_lock_keys(const FormatContext *ctx, int64_t keys[FORMAT_MAX_LOCK_KEYS])
{
        /* Twice a name's 63 bytes, all of them quotes, fits well. */
        _cleanup_text_ Text name = TEXT_INIT(1024);

        flyway_add_table(&name, ctx);
        keys[0] = FLYWAY_LOCK_BASE + java_hash(text_str(&name));
        return 1;
}
