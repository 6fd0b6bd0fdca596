#include "format/liquibase/sql/splitter_tokens.h"

#include <string.h>
#include <strings.h>

/* ---- characters ---- */

/* The character at `at`, 0 at the end; *len gets its bytes. The text is valid UTF-8. */
static uint32_t character(const SqlTokens *t, size_t at, size_t *len)
{
        const unsigned char *p = (const unsigned char *) t->text + at;

        *len = 0;
        if (at >= t->size)
                return 0;
        *len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        if (at + *len > t->size)
                *len = t->size - at;
        switch (*len) {
        case 1:
                return p[0];
        case 2:
                return (uint32_t) (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
        case 3:
                return (uint32_t) (p[0] & 0x0f) << 12 | (uint32_t) (p[1] & 0x3f) << 6 |
                       (p[2] & 0x3f);
        default:
                return (uint32_t) (p[0] & 0x07) << 18 | (uint32_t) (p[1] & 0x3f) << 12 |
                       (uint32_t) (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
        }
}

static bool is_space(uint32_t c)
{
        switch (c) {
        case ' ':
        case '\t':
        case '\n':
        case '\r':
        case 0x85:
        case 0xa0:
        case 0x1680:
        case 0x180e:
        case 0x2028:
        case 0x2029:
        case 0x202f:
        case 0x205f:
        case 0x2060:
        case 0x3000:
        case 0xfeff:
                return true;
        default:
                return c >= 0x2000 && c <= 0x200d;
        }
}

static bool is_letter(uint32_t c)
{
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= 0xc0 && c <= 0xd7ff) ||
               (c >= 0xe000 && c <= 0xff65);
}

static bool starts_name(uint32_t c)
{
        return is_letter(c) || c == '$' || c == '_';
}

static bool is_digit(uint32_t c)
{
        return c >= '0' && c <= '9';
}

/* A token of its own: punctuation, and what lies beyond the BMP. */
static bool stands_alone(uint32_t c)
{
        return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
               (c >= '{' && c <= '~') || (c >= 0xa1 && c <= 0xff65) || c > 0xffff;
}

/* ---- tokens: each gives its length in bytes from `at`, 0 when it is not there ---- */

static size_t space(const SqlTokens *t, size_t at)
{
        size_t end = at, len;

        while (is_space(character(t, end, &len)) && len > 0)
                end += len;
        return end - at;
}

static size_t comment(SqlTokens *t, size_t at)
{
        const char *p = t->text + at;
        size_t left = t->size - at;
        const char *end;

        if (left >= 2 && p[0] == '-' && p[1] == '-') {
                size_t n = 2;

                while (n < left && p[n] != '\n' && p[n] != '\r')
                        n++;
                return n;
        }
        if (left < 4 || p[0] != '/' || p[1] != '*' || at < t->no_comment_end)
                return 0;
        end = memmem(p + 2, left - 2, "*/", 2);
        if (!end)
                t->no_comment_end = t->size;
        return end ? (size_t) (end + 2 - p) : 0;
}

static size_t exponent(const SqlTokens *t, size_t at)
{
        size_t n = at;

        if (n >= t->size || (t->text[n] != 'e' && t->text[n] != 'E'))
                return 0;
        n++;
        if (n < t->size && (t->text[n] == '+' || t->text[n] == '-'))
                n++;
        if (n >= t->size || !is_digit((unsigned char) t->text[n]))
                return 0;
        while (n < t->size && is_digit((unsigned char) t->text[n]))
                n++;
        return n - at;
}

static size_t count_digits(const SqlTokens *t, size_t at)
{
        size_t n = at;

        while (n < t->size && is_digit((unsigned char) t->text[n]))
                n++;
        return n - at;
}

static size_t number(const SqlTokens *t, size_t at)
{
        size_t whole = count_digits(t, at), n = whole, fraction;

        if (at + n < t->size && t->text[at + n] == '.') {
                fraction = count_digits(t, at + n + 1);
                if (whole == 0 && fraction == 0)
                        return 0;
                n += 1 + fraction;
        }
        return n > 0 ? n + exponent(t, at + n) : 0;
}

static size_t plain_name(const SqlTokens *t, size_t at)
{
        size_t end = at, len;
        uint32_t c = character(t, at, &len);

        if (!starts_name(c))
                return 0;
        do {
                end += len;
                c = character(t, end, &len);
        } while (starts_name(c) || is_digit(c) || c == '#' || c == '@');
        return end - at;
}

/* "...", `...` or [...] on one line, but the first character within [ may be the end of one. */
static size_t quoted_name(SqlTokens *t, size_t at)
{
        static const char openers[] = "\"`[", closers[] = "\"`]";
        const char *which = at < t->size && t->text[at] ? strchr(openers, t->text[at]) : NULL;
        size_t kind = which ? (size_t) (which - openers) : 0, first = at + 1, n = first;

        if (!which || at < t->no_name_end[kind] || first >= t->size)
                return 0;
        if (*which == '[') {
                if (is_digit((unsigned char) t->text[first]) || t->text[first] == ']')
                        return 0;
                n++;
        }
        while (n < t->size && t->text[n] != closers[kind] && t->text[n] != '\n' &&
               t->text[n] != '\r')
                n++;
        if (n >= t->size || t->text[n] != closers[kind]) {
                t->no_name_end[kind] = n;
                return 0;
        }
        return n > first ? n + 1 - at : 0;
}

static size_t name(SqlTokens *t, size_t at)
{
        size_t n = plain_name(t, at);

        return n ? n : quoted_name(t, at);
}

static size_t skip_blank(const SqlTokens *t, size_t at)
{
        while (at < t->size && (t->text[at] == ' ' || t->text[at] == '\n' || t->text[at] == '\r'))
                at++;
        return at;
}

/* name.name, with blanks around the dots. */
static size_t dotted_name(SqlTokens *t, size_t at)
{
        size_t first = name(t, at), end = at + first;

        while (first > 0) {
                size_t dot = skip_blank(t, end), next, n;

                if (dot >= t->size || t->text[dot] != '.')
                        break;
                next = skip_blank(t, dot + 1);
                n = name(t, next);
                if (n == 0)
                        break;
                end = next + n;
        }
        return end - at;
}

/* Length of the prefix of a string: U, E, N, R, B, RB, _utf8, or none. */
static size_t string_prefix(const SqlTokens *t, size_t at)
{
        static const char *const prefixes[] = { "_utf8", "rb", "u", "e", "n", "r", "b" };

        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
                size_t len = strlen(prefixes[i]);

                if (t->size - at > len && strncasecmp(t->text + at, prefixes[i], len) == 0 &&
                    (t->text[at + len] == '\'' || t->text[at + len] == '"'))
                        return len;
        }
        return 0;
}

/* '...' or "...": a doubled quote and a backslash with what follows are part of it, but a backslash and a quote may also be its end,
 * when nothing later ends it. The longest one counts. */
static size_t string(SqlTokens *t, size_t at)
{
        size_t n = at + string_prefix(t, at), end = 0;
        char quote = n < t->size ? t->text[n] : '\0';
        size_t *none = &t->no_string_end[quote == '"'];

        if ((quote != '\'' && quote != '"') || at < *none)
                return 0;
        for (n++; n < t->size; n++) {
                char c = t->text[n];

                if (c == quote) {
                        end = n + 1;
                        if (n + 1 >= t->size || t->text[n + 1] != quote)
                                break;
                        n++;
                } else if (c == '\\' && n + 1 < t->size) {
                        if (t->text[n + 1] == quote)
                                end = n + 2;
                        n++;
                }
        }
        if (end == 0)
                *none = t->size;
        return end ? end - at : 0;
}

long sql_tokens_next(SqlTokens *t, SqlTokenKind *kind)
{
        size_t at = t->at, len, best;
        uint32_t c = character(t, at, &len);

        if (len == 0)
                return 0;
        *kind = SQL_TOKEN_SPACE;
        best = space(t, at);
        if (best == 0) {
                *kind = SQL_TOKEN_COMMENT;
                best = comment(t, at);
        }
        if (best == 0 || c >= 0x80) { /* some spaces of Unicode pass for letters, too */
                const size_t lengths[] = { number(t, at), dotted_name(t, at), string(t, at),
                                           quoted_name(t, at), stands_alone(c) ? len : 0 };

                for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                        if (lengths[i] > best) {
                                *kind = SQL_TOKEN_OTHER;
                                best = lengths[i];
                        }
        }
        t->at += best;
        return best > 0 ? (long) best : -1;
}
