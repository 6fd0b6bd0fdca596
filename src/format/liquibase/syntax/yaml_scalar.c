#include "format/liquibase/syntax/yaml_scalar.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- words ---- */

static bool is_one_of(const char *s, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(s, *words) == 0)
                        return true;
        return false;
}

static bool is_null(const char *s)
{
        static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

        return is_one_of(s, words);
}

static const char *boolean_text(const char *s)
{
        static const char *const yes[] = { "yes",  "Yes", "YES", "true", "True",
                                           "TRUE", "on",  "On",  "ON",   NULL };
        static const char *const no[] = { "no",    "No",  "NO",  "false", "False",
                                          "FALSE", "off", "Off", "OFF",   NULL };

        return is_one_of(s, yes) ? "true" : is_one_of(s, no) ? "false" : NULL;
}

/* ---- numbers ---- */

/* A longer one is text: nobody writes numbers like that. */
#define MAX_DIGITS 512

/* Digits of a base with underscores between them; the digits without them into buf, their number; 0: not so. */
static size_t digits(char *buf, size_t size, const char *s, const char *alphabet)
{
        size_t n = 0;

        for (; *s; s++) {
                if (*s == '_')
                        continue;
                if (!strchr(alphabet, *s) || n + 1 >= size)
                        return 0;
                buf[n++] = *s;
        }
        buf[n] = '\0';
        return n;
}

/* Digits of base 2, 8 or 16 as a decimal of any length, as Java prints it. */
static char *whole(Arena *a, bool negative, const char *text, unsigned base)
{
        enum { PART = 1000000000, PART_DIGITS = 9 };
        uint32_t parts[MAX_DIGITS * 4 / 3 / PART_DIGITS + 1] = { 0 }; /* the lowest first */
        char buf[sizeof parts / sizeof *parts * PART_DIGITS + 1] = "", *out = buf;
        size_t n = 1;

        for (; *text; text++) {
                uint64_t carry = isdigit((unsigned char) *text)
                                         ? (unsigned) (*text - '0')
                                         : (unsigned) (tolower((unsigned char) *text) - 'a' + 10);

                for (size_t i = 0; i < n; i++) {
                        carry += (uint64_t) parts[i] * base;
                        parts[i] = (uint32_t) (carry % PART);
                        carry /= PART;
                }
                if (carry > 0)
                        parts[n++] = (uint32_t) carry;
        }
        for (size_t i = n; i-- > 0;)
                out += snprintf(out, sizeof buf - (size_t) (out - buf), "%0*" PRIu32,
                                i == n - 1 ? 1 : PART_DIGITS, parts[i]);
        return arena_printf(a, "%s%s", negative && parts[n - 1] ? "-" : "", buf);
}

/* 1:30:00: every part but the first is below 60. */
static char *sexagesimal(Arena *a, bool negative, const char *s)
{
        unsigned long long value = 0;

        for (bool first = true;; first = false) {
                char *end;
                unsigned long part = strtoul(s, &end, 10);

                if (end == s || !isdigit((unsigned char) *s) ||
                    (!first && (part > 59 || end - s > 2)) || value > UINT32_MAX)
                        return NULL;
                value = value * 60 + part;
                if (!*end)
                        return first ? NULL : arena_printf(a, "%s%llu", negative ? "-" : "", value);
                if (*end != ':')
                        return NULL;
                s = end + 1;
        }
}

/* A decimal of any length, as Java prints it. */
static char *decimal(Arena *a, bool negative, const char *s)
{
        char buf[MAX_DIGITS];

        if (strcmp(s, "0") == 0)
                return arena_strdup(a, "0");
        if (*s < '1' || *s > '9' || !digits(buf, sizeof buf, s, "0123456789"))
                return NULL;
        return arena_printf(a, "%s%s", negative ? "-" : "", buf);
}

static char *integer_text(Arena *a, const char *s)
{
        bool negative = *s == '-';
        char buf[MAX_DIGITS];

        s += *s == '-' || *s == '+';
        if (strncmp(s, "0b", 2) == 0 && digits(buf, sizeof buf, s + 2, "01"))
                return whole(a, negative, buf, 2);
        if (strncmp(s, "0x", 2) == 0 && digits(buf, sizeof buf, s + 2, "0123456789abcdefABCDEF"))
                return whole(a, negative, buf, 16);
        if (*s == '0' && s[1] && digits(buf, sizeof buf, s + 1, "01234567"))
                return whole(a, negative, buf, 8);
        if (strchr(s, ':'))
                return *s >= '1' && *s <= '9' ? sexagesimal(a, negative, s) : NULL;
        return decimal(a, negative, s);
}

/* "e+10" or nothing, up to the end; 1: there is an exponent, -1: something else. */
static int read_exponent(const char *p)
{
        if (!*p)
                return 0;
        if (*p != 'e' && *p != 'E')
                return -1;
        p += 1 + (p[1] == '+' || p[1] == '-');
        return *p && !p[strspn(p, "0123456789")] ? 1 : -1;
}

/* 1.5e3, 1e3, .5: with a point or an exponent, as SnakeYAML's expression has it; the sign is gone. */
static bool is_float(const char *s)
{
        bool whole_part = isdigit((unsigned char) *s);
        const char *point = s + (whole_part ? strspn(s, "0123456789_") : 0);

        if (*point != '.')
                return whole_part && read_exponent(point) > 0;
        size_t fraction = strspn(point + 1, "0123456789_");
        return (whole_part || fraction > 0) && read_exponent(point + 1 + fraction) >= 0;
}

/* 1:30.5: every part but the first is below 60, and the last one has a point. */
static bool is_sexagesimal_float(const char *s)
{
        if (!isdigit((unsigned char) *s))
                return false;
        s += strspn(s, "0123456789_");
        if (*s != ':')
                return false;
        while (*s == ':') {
                size_t n = strspn(++s, "0123456789");

                if (n == 0 || n > 2 || (n == 2 && *s > '5'))
                        return false;
                s += n;
        }
        return *s == '.' && !s[1 + strspn(s + 1, "0123456789_")];
}

/* Its parts, the last of which may have a fraction; one part is a plain number. */
static double float_value(const char *s)
{
        double value = 0;

        for (char *end;; s = end + 1) {
                value = value * 60 + strtod(s, &end);
                if (*end != ':')
                        return value;
        }
}

static char *float_text(Arena *a, const char *s)
{
        static const char *const infinite[] = { ".inf", ".Inf", ".INF", NULL };
        static const char *const not_a_number[] = { ".nan", ".NaN", ".NAN", NULL };
        const char *bare = s + (*s == '-' || *s == '+');
        char buf[MAX_DIGITS], *end;
        size_t n = 0;
        double value;

        if (is_one_of(bare, infinite))
                return java_double(a, *s == '-' ? -(double) INFINITY : (double) INFINITY);
        if (is_one_of(s, not_a_number))
                return java_double(a, (double) NAN);
        if ((!is_float(bare) && !is_sexagesimal_float(bare)) || strlen(bare) >= sizeof buf)
                return NULL;
        for (const char *p = bare; *p; p++)
                if (*p != '_')
                        buf[n++] = *p;
        buf[n] = '\0';
        (void) strtod(buf, &end);
        if (end == buf) /* of underscores only */
                return NULL;
        value = float_value(buf);
        return java_double(a, *s == '-' ? -value : value);
}

/* ---- dates ---- */

typedef struct Stamp {
        int year, month, day, hour, minute, second;
        int offset;        /* of its time zone, minutes east of UTC */
        bool timed, zoned; /* it has a time; a zone other than Z */
} Stamp;

/* min to max digits; NULL: not there, or s is NULL. */
static const char *read_digits(const char *s, int min, int max, int *ret)
{
        int n = 0;

        for (*ret = 0; s && n < max && isdigit((unsigned char) s[n]); n++)
                *ret = *ret * 10 + (s[n] - '0');
        return n >= min ? s + n : NULL;
}

static const char *read_char(const char *s, char c)
{
        return s && *s == c ? s + 1 : NULL;
}

static const char *skip_blanks(const char *s)
{
        return s + strspn(s, " \t");
}

/* Nothing, Z, +2, +02:00, ... up to the end. */
static bool read_zone(const char *s, Stamp *t)
{
        int hours, minutes = 0, sign;

        s = skip_blanks(s);
        if (*s == 'Z')
                return s[1] == '\0';
        if (*s != '+' && *s != '-')
                return *s == '\0';
        sign = *s == '-' ? -1 : 1;
        s = read_digits(s + 1, 1, 2, &hours);
        if (s && *s == ':')
                s = read_digits(s + 1, 2, 2, &minutes);
        t->zoned = true;
        t->offset = sign * (hours * 60 + minutes);
        return s && *s == '\0';
}

/* YYYY-MM-DD, or with a time behind it, where month, day and hour may be single digits. */
static bool read_stamp(const char *text, Stamp *t)
{
        const char *s;

        *t = (Stamp){ .year = 0 };
        s = read_digits(text, 4, 4, &t->year);
        s = read_digits(read_char(s, '-'), 1, 2, &t->month);
        s = read_digits(read_char(s, '-'), 1, 2, &t->day);
        if (!s || !*s)
                return s && s - text == 10;
        if (*s == 'T' || *s == 't')
                s++;
        else if (*s == ' ' || *s == '\t')
                s = skip_blanks(s);
        else
                return false;
        s = read_digits(s, 1, 2, &t->hour);
        s = read_digits(read_char(s, ':'), 2, 2, &t->minute);
        s = read_digits(read_char(s, ':'), 2, 2, &t->second);
        if (s && *s == '.')
                s += 1 + strspn(s + 1, "0123456789");
        t->timed = true;
        return s && read_zone(s, t);
}

/* As Liquibase has them: a day is a date, of which Date.toString() in UTC is the text; with a time it is a text, the time as it stands
 * where no zone does. iso: the form that columns keep of a date. */
static int set_date(Node *n, Arena *a, const Stamp *t, Error *err)
{
        static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        struct tm tm = { .tm_year = t->year - 1900,
                         .tm_mon = t->month - 1,
                         .tm_mday = t->day,
                         .tm_hour = t->hour,
                         .tm_min = t->minute - t->offset,
                         .tm_sec = t->second };

        (void) timegm(&tm);
        n->type = t->timed ? NODE_TEXT : NODE_DATE;
        if (t->timed && !t->zoned)
                n->value =
                        arena_printf(a, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900,
                                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        else
                n->value = arena_printf(a, "%s %s %02d %02d:%02d:%02d UTC %d", days[tm.tm_wday],
                                        months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min,
                                        tm.tm_sec, tm.tm_year + 1900);
        if (!t->timed)
                n->iso = arena_printf(a, "%04d-%02d-%02dT00:00:00", tm.tm_year + 1900,
                                      tm.tm_mon + 1, tm.tm_mday);
        return n->value && (t->timed || n->iso) ? 0 : error_oom(err, "a changelog");
}

static ScalarKind number_text(Arena *a, const char *text, const char **value)
{
        if (!strchr("-+.0123456789", *text))
                return SCALAR_TEXT;
        *value = integer_text(a, text);
        if (*value)
                return SCALAR_INTEGER;
        *value = float_text(a, text);
        return *value ? SCALAR_FLOAT : SCALAR_TEXT;
}

int yaml_scalar_resolve(Node *n, Arena *a, const char *text, Error *err)
{
        const char *value = boolean_text(text);
        ScalarKind kind = value ? SCALAR_BOOLEAN : SCALAR_TEXT;
        Stamp stamp;

        n->value = n->iso = NULL;
        if (is_null(text)) {
                n->type = NODE_NONE;
                return SCALAR_NULL;
        }
        if (read_stamp(text, &stamp)) {
                int r = set_date(n, a, &stamp, err);

                return r < 0 ? r : SCALAR_DATE;
        }
        if (!value)
                kind = number_text(a, text, &value);
        n->type = kind == SCALAR_TEXT ? NODE_TEXT : NODE_OTHER;
        n->value = arena_strdup(a, value ? value : text);
        return n->value ? (int) kind : error_oom(err, "a changelog");
}
