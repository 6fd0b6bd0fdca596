#include "format/liquibase/change/digest.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <uninorm.h>

int digest_raw(char buf[CHECKSUM_MAX], int version, const char *data, size_t size, Error *err)
{
        unsigned char digest[EVP_MAX_MD_SIZE];
        size_t len = 0;
        int n;

        /* MD5 tells texts apart here, it protects nothing: it has to work where FIPS forbids it for the latter. */
        if (!EVP_Q_digest(NULL, "MD5", "-fips", data, size, digest, &len))
                return error_set(err, ERROR_INTERNAL, "libcrypto has no MD5");
        n = snprintf(buf, CHECKSUM_MAX, "%d:", version);
        for (size_t i = 0; i < len; i++)
                n += snprintf(buf + n, (size_t) (CHECKSUM_MAX - n), "%02x", digest[i]);
        return 0;
}

static bool is_ascii(const char *s, size_t size)
{
        for (size_t i = 0; i < size; i++)
                if ((unsigned char) s[i] >= 0x80)
                        return false;
        return true;
}

/* CRLF and CR become LF, U+FFFD goes. */
static size_t clean(char *to, const char *s, size_t size)
{
        size_t n = 0;

        for (size_t i = 0; i < size; i++) {
                if (s[i] == '\r') {
                        to[n++] = '\n';
                        i += i + 1 < size && s[i + 1] == '\n';
                } else if (size - i >= 3 && memcmp(s + i, "\xef\xbf\xbd", 3) == 0) {
                        i += 2;
                } else {
                        to[n++] = s[i];
                }
        }
        return n;
}

int digest_text(char buf[CHECKSUM_MAX], int version, const char *text, size_t size, Error *err)
{
        _cleanup_free_ char *cleaned = malloc(size + 1);
        _cleanup_free_ uint8_t *composed = NULL;
        size_t n, len = 0;

        if (!cleaned)
                return error_oom(err, "a checksum");
        n = clean(cleaned, text, size);
        if (is_ascii(cleaned, n))
                return digest_raw(buf, version, cleaned, n, err);
        composed = u8_normalize(UNINORM_NFC, (const uint8_t *) cleaned, n, NULL, &len);
        if (!composed)
                return error_set(err, ERROR_CHANGELOG, "a text is not valid UTF-8");
        return digest_raw(buf, version, (const char *) composed, len, err);
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *collapse_space(const char *data, size_t size, size_t *ret_size)
{
        char *to = malloc(size + 1);
        bool spaced = true; /* also at the beginning */
        size_t n = 0;

        for (size_t i = 0; to && i < size; i++) {
                size_t end = i;

                if (!is_space(data[i])) {
                        to[n++] = data[i];
                        spaced = false;
                        continue;
                }
                while (end < size && is_space(data[end]))
                        end++;
                /* Liquibase takes the byte 0xff behind white space for the end of the file, and then reads on. */
                if (!spaced && end < size && (unsigned char) data[end] == 0xff)
                        i = end;
                else {
                        if (!spaced && end < size)
                                to[n++] = ' ';
                        i = end - 1;
                }
                spaced = true;
        }
        *ret_size = n;
        return to;
}

char *squeeze_space(const char *data, size_t size, size_t *ret_size)
{
        char *to = malloc(size + 1);
        size_t n = 0;

        for (size_t i = 0; to && i < size; i++)
                if (!is_space(data[i]))
                        to[n++] = data[i];
        *ret_size = n;
        return to;
}

/* ---- CSV ---- */

/* Liquibase's filter over a stream that can be marked once: what it drops at the end of a file follows from that (facts 4.5, 3). */
typedef struct Skipper {
        const unsigned char *data;
        size_t size, at, mark;
        int last, comment; /* comment: a byte, -1: none */
} Skipper;

static int next_byte(Skipper *s)
{
        return s->at < s->size ? s->data[s->at++] : -1;
}

/* The first byte that counts, behind comments and blank lines; last: the byte before it. */
static int next_kept(Skipper *s, int last, bool *look)
{
        for (;;) {
                int b = next_byte(s);

                if (s->comment >= 0 && b == s->comment && (last == '\n' || last < 0))
                        do {
                                b = next_byte(s);
                        } while (b > 0 && b != '\n' && b != '\r');
                if (b != '\r' && !(b == '\n' && (last == '\n' || last < 0)))
                        return b;
                last = s->last;
                *look = false;
        }
}

/* Whether anything that counts follows a line end. A line end that is met on the way is looked beyond in turn, and leaves its own
 * mark; what the looks remember takes effect only once the outermost one returns. */
static bool has_more(Skipper *s)
{
        bool kept_line_end = false;

        for (;;) {
                bool look = true;
                int b = next_kept(s, '\n', &look);

                if (b < 0)
                        return false;
                if (b != '\n') {
                        if (kept_line_end)
                                s->last = '\n';
                        else if (!look)
                                s->last = b;
                        return true;
                }
                kept_line_end = kept_line_end || !look;
                s->mark = s->at;
        }
}

static int read_byte(Skipper *s)
{
        bool look = false;
        int b = next_kept(s, s->last, &look);

        if (b < 0)
                return b;
        if (b == '\n') {
                s->mark = s->at;
                if (!has_more(s))
                        return -1;
                s->at = s->mark;
        }
        s->last = b;
        return b;
}

/* Java compares the bytes of the file with the code of a character: one beyond U+00FF is never met. -1: none. */
static int comment_code(const char *comment)
{
        const unsigned char *p = (const unsigned char *) comment;

        if (!p || !*p)
                return -1;
        if (*p < 0x80)
                return *p;
        return *p == 0xc2 || *p == 0xc3 ? (*p & 3) << 6 | (p[1] & 0x3f) : 0x100;
}

char *skip_comments(const char *data, size_t size, const char *comment, size_t *ret_size)
{
        Skipper s = { .data = (const unsigned char *) data,
                      .size = size,
                      .last = -1,
                      .comment = comment_code(comment) };
        char *to = malloc(size + 1);
        size_t n = 0;

        for (int b; to && (b = read_byte(&s)) >= 0;)
                to[n++] = (char) b;
        *ret_size = n;
        return to;
}
