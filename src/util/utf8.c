#include "util/utf8.h"

#include <stdint.h>
#include <string.h>

/* What a leading byte from first to last is followed by: the second byte in [low, high], which is what
 * keeps out overlong forms, surrogates and what is above U+10FFFF, then plain continuation bytes.
 * RFC 3629, section 4. */
static const struct {
        unsigned char first, last, length, low, high;
} leads[] = {
        { 0x00, 0x7f, 1, 0, 0 },       { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf },
        { 0xe1, 0xec, 3, 0x80, 0xbf }, { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf },
        { 0xf0, 0xf0, 4, 0x90, 0xbf }, { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

/* Bytes of the character at s, 0 when it is not valid. */
static size_t character_length(const unsigned char *s, size_t len)
{
        for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
                if (s[0] < leads[i].first || s[0] > leads[i].last)
                        continue;
                if (leads[i].length > len)
                        return 0;
                if (leads[i].length > 1 && (s[1] < leads[i].low || s[1] > leads[i].high))
                        return 0;
                for (size_t k = 2; k < leads[i].length; k++)
                        if ((s[k] & 0xc0) != 0x80)
                                return 0;
                return leads[i].length;
        }
        return 0;
}

/* Almost all of what is looked at is ASCII, which goes eight bytes at a time. */
static size_t ascii_prefix(const unsigned char *s, size_t len)
{
        size_t at = 0;
        uint64_t word;

        for (; len - at >= sizeof word; at += sizeof word) {
                memcpy(&word, s + at, sizeof word);
                if (word & UINT64_C(0x8080808080808080))
                        break;
        }
        return at;
}

size_t utf8_valid_prefix(const char *s, size_t len)
{
        const unsigned char *u = (const unsigned char *) s;
        size_t at = ascii_prefix(u, len), n;

        while (at < len && (n = character_length(u + at, len - at)) > 0) {
                at += n;
                if (n > 1 || u[at - 1] == '\n')
                        at += ascii_prefix(u + at, len - at);
        }
        return at;
}

size_t utf8_count(const char *s, size_t len)
{
        size_t n = 0;

        for (size_t i = 0; i < len; i++)
                n += ((unsigned char) s[i] & 0xc0) != 0x80;
        return n;
}

void utf8_sanitize(char *buf, size_t size, const char *s)
{
        size_t len = strlen(s), used = 0;

        for (size_t at = 0; at < len;) {
                size_t n = character_length((const unsigned char *) s + at, len - at);
                size_t width = n ? n : 1;

                if (used + width >= size)
                        break;
                if (n)
                        memcpy(buf + used, s + at, n);
                else
                        buf[used] = '?';
                used += width;
                at += width;
        }
        buf[used] = '\0';
}

/* In UTF-8 only the order of U+E000..U+FFFF and what lies above differs: there the surrogates come first. */
int utf8_compare_utf16(const char *a, const char *b)
{
        while (*a && *a == *b)
                a++, b++;
        unsigned x = (unsigned char) *a, y = (unsigned char) *b;
        if (x == 0xee || x == 0xef)
                x += 0x100;
        if (y == 0xee || y == 0xef)
                y += 0x100;
        return (x > y) - (x < y);
}
