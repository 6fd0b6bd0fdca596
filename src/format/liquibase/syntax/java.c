#include "format/liquibase/syntax/java.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <unicase.h>

#include "util/utf8.h"

const char *java_trim_part(const char *s, size_t *len)
{
        while (*len > 0 && (unsigned char) s[*len - 1] <= ' ')
                --*len;
        while (*len > 0 && (unsigned char) *s <= ' ')
                s++, --*len;
        return s;
}

const char *java_trim(const char *s, size_t *len)
{
        *len = strlen(s);
        return java_trim_part(s, len);
}

char *java_trimmed(Arena *a, const char *s)
{
        size_t len;

        if (!s)
                return NULL;
        s = java_trim(s, &len);
        return len > 0 ? arena_strndup(a, s, len) : NULL;
}

int java_compare(const char *a, const char *b)
{
        return utf8_compare_utf16(a, b);
}

/* Units of the character that begins at *p; *p moves behind it. */
static size_t next_units(const char **p)
{
        unsigned char c = (unsigned char) *(*p)++;

        while (((unsigned char) **p & 0xc0) == 0x80)
                (*p)++;
        return c >= 0xf0 ? 2 : 1;
}

size_t java_length(const char *s)
{
        size_t units = 0;

        while (*s)
                units += next_units(&s);
        return units;
}

char *java_limit(Arena *a, const char *s, size_t max)
{
        const char *p = s, *cut = s;
        size_t units = 0;

        if (java_length(s) <= max)
                return arena_strdup(a, s);
        /* Half a surrogate pair cannot be stored; Java's driver would make a question mark of it. */
        while (*p && units + next_units(&p) <= max - 3) {
                const char *q = cut;

                units += next_units(&q);
                cut = q;
        }
        return arena_printf(a, "%.*s...", (int) (cut - s), s);
}

bool java_true(const char *s)
{
        return strcasecmp(s, "true") == 0;
}

char *java_lower(Arena *a, const char *s)
{
        size_t size = strlen(s), n = 0;
        _cleanup_free_ uint8_t *lower = NULL;
        char *copy;

        if (utf8_count(s, size) < size)
                lower = u8_tolower((const uint8_t *) s, size, NULL, NULL, NULL, &n);
        if (lower)
                return arena_strndup(a, (const char *) lower, n);
        copy = arena_strdup(a, s);
        for (char *p = copy; p && *p; p++)
                *p = *p >= 'A' && *p <= 'Z' ? (char) (*p - 'A' + 'a') : *p;
        return copy;
}

/* ---- Double.toString() ---- */

/* The fewest digits that read back as the same number, of two when one would do; *point is where the decimal point stands. */
static void shortest_digits(double value, char digits[32], int *point)
{
        char text[40], *e;

        for (int precision = 1; precision < 18; precision++) {
                (void) snprintf(text, sizeof text, "%.*e", precision, value);
                if (strtod(text, NULL) == value)
                        break;
        }
        e = strchr(text, 'e');
        *point = (int) strtol(e + 1, NULL, 10) + 1;
        size_t n = 0;
        for (const char *p = text; p < e; p++)
                if (isdigit((unsigned char) *p))
                        digits[n++] = *p;
        while (n > 1 && digits[n - 1] == '0')
                n--;
        digits[n] = '\0';
}

char *java_double(Arena *a, double value)
{
        const char *sign = signbit(value) ? "-" : "";
        char digits[32];
        int point, n;

        if (isnan(value))
                return arena_strdup(a, "NaN");
        if (isinf(value))
                return arena_printf(a, "%sInfinity", sign);
        if (value == 0)
                return arena_printf(a, "%s0.0", sign);
        value = fabs(value);
        shortest_digits(value, digits, &point);
        n = (int) strlen(digits);
        if (value < 1e-3 || value >= 1e7)
                return arena_printf(a, "%s%c.%sE%d", sign, digits[0], n > 1 ? digits + 1 : "0",
                                    point - 1);
        if (point <= 0)
                return arena_printf(a, "%s0.%.*s%s", sign, -point, "000", digits);
        if (point >= n)
                return arena_printf(a, "%s%s%.*s.0", sign, digits, point - n, "0000000");
        return arena_printf(a, "%s%.*s.%s", sign, point, digits, digits + point);
}

/* ---- dates: lenient, fields that are out of range roll over ---- */

typedef struct Moment {
        long year, month, day, hour, minute, second;
} Moment;

/* Days since 1970-01-01 of a civil date, by the count of days in 400 years. */
static long days_of(long y, long m, long d)
{
        y += (m - 1) / 12;
        m = (m - 1) % 12 + 1;
        if (m < 1) {
                m += 12;
                y--;
        }
        y -= m <= 2;
        long era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
        long doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5;
        return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy + d - 1 - 719468;
}

static void normalise(Moment *t)
{
        long seconds = t->hour * 3600 + t->minute * 60 + t->second;
        long days = days_of(t->year, t->month, t->day) + seconds / 86400;

        seconds %= 86400;
        t->hour = seconds / 3600;
        t->minute = seconds / 60 % 60;
        t->second = seconds % 60;
        days += 719468;
        long era = (days >= 0 ? days : days - 146096) / 146097, doe = days - era * 146097;
        long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
        t->day = doy - (153 * mp + 2) / 5 + 1;
        t->month = mp + (mp < 10 ? 3 : -9);
        t->year = yoe + era * 400 + (t->month <= 2);
}

/* Digits with the separators between them, at most nine each; the number of characters, 0: not so. */
static size_t read_fields(const char *s, const char *separators, long *fields[])
{
        const char *p = s;

        for (size_t i = 0;; i++) {
                const char *start = p;

                for (*fields[i] = 0; isdigit((unsigned char) *p) && p - start < 9; p++)
                        *fields[i] = *fields[i] * 10 + (*p - '0');
                if (p == start)
                        return 0;
                if (!separators[i])
                        return (size_t) (p - s);
                if (*p++ != separators[i])
                        return 0;
        }
}

static size_t read_time(const char *s, Moment *t)
{
        return read_fields(s, "::", (long *[]){ &t->hour, &t->minute, &t->second });
}

static size_t read_date(const char *s, Moment *t)
{
        return read_fields(s, "--", (long *[]){ &t->year, &t->month, &t->day });
}

static size_t read_both(const char *s, Moment *t, bool space)
{
        return read_fields(
                s, space ? "-- ::" : "--T::",
                (long *[]){ &t->year, &t->month, &t->day, &t->hour, &t->minute, &t->second });
}

static bool two_digits(const char *s, int most)
{
        return isdigit((unsigned char) s[0]) && isdigit((unsigned char) s[1]) &&
               (s[0] - '0') * 10 + (s[1] - '0') <= most;
}

/* Z, +02, +02:00 or +02:00:00, at most 18 hours. */
static bool is_offset(const char *s)
{
        size_t len = strlen(s);

        if (strcasecmp(s, "Z") == 0)
                return true;
        if ((*s != '+' && *s != '-') || (len != 3 && len != 6 && len != 9) ||
            !two_digits(s + 1, 18))
                return false;
        for (size_t i = 3; i < len; i += 3)
                if (s[i] != ':' || !two_digits(s + i + 1, strncmp(s + 1, "18", 2) == 0 ? 0 : 59))
                        return false;
        return true;
}

/* Whether nothing of it rolls over: each field is as wide as it should be, and in its range. */
static bool is_strict(const char *head, const Moment *t)
{
        char again[20];
        Moment n = *t;

        normalise(&n);
        (void) snprintf(again, sizeof again, "%04ld-%02ld-%02ldT%02ld:%02ld:%02ld", n.year, n.month,
                        n.day, n.hour, n.minute, n.second);
        return strcmp(again, head) == 0;
}

/* Java's Integer.parseInt() of what stands behind the point, filled up to nine places. -1: not so. */
static long read_nanos(const char *s, size_t len)
{
        const char *digits = s + (*s == '+' || *s == '-');
        long long value = 0;

        if (!*digits || digits[strspn(digits, "0123456789")])
                return -1;
        for (; *digits && value <= INT32_MAX; digits++)
                value = value * 10 + (*digits - '0');
        for (; len < 29 && value <= INT32_MAX; len++)
                value *= 10;
        return value > 999999999 || (*s == '-' && value != 0) ? -1 : (long) value;
}

/* ".5": nanoseconds of what follows the second character by character; an offset may follow where the date is one without
 * rolling over, and changes nothing. -1: not so. */
static long read_fraction(const char *s, bool strict, size_t len)
{
        size_t n = strspn(s + 1, "0123456789");

        if (*s != '.')
                return -1;
        if (!strict || n > 9 || !is_offset(s + 1 + n))
                return read_nanos(s + 1, len);
        long nanos = 0;
        for (size_t i = 0; i < 9; i++)
                nanos = nanos * 10 + (i < n ? s[1 + i] - '0' : 0);
        return nanos;
}

char *java_iso_date(Arena *a, const char *s)
{
        Moment t = { 1970, 1, 1, 0, 0, 0 };
        size_t len = java_length(s);
        bool time_only =
                strchr(s, ':') && !strchr(s, '-') && !strchr(s, '.') && len != 10 && len != 19;
        char head[20] = "", fraction[24] = "";
        long nanos = 0;
        int places = 9;

        if (len == 8 || time_only) {
                if (!read_time(s, &t))
                        return NULL;
                normalise(&t);
                return arena_printf(a, "%02ld:%02ld:%02ld", t.hour, t.minute, t.second);
        }
        if (len == 10) {
                if (!read_date(s, &t))
                        return NULL;
                normalise(&t);
                return arena_printf(a, "%04ld-%02ld-%02ld", t.year, t.month, t.day);
        }
        if (len < 19)
                return NULL;
        (void) snprintf(head, sizeof head, "%s", s);
        if (!read_both(head, &t, strchr(s, ' ') != NULL))
                return NULL;
        if (len > 19)
                nanos = read_fraction(s + 19, is_strict(head, &t), len);
        if (nanos < 0)
                return NULL;
        for (; nanos > 0 && nanos % 10 == 0; places--)
                nanos /= 10;
        normalise(&t);
        if (nanos > 0)
                (void) snprintf(fraction, sizeof fraction, ".%0*ld", places, nanos);
        return arena_printf(a, "%04ld-%02ld-%02ldT%02ld:%02ld:%02ld%s", t.year, t.month, t.day,
                            t.hour, t.minute, t.second, fraction);
}
