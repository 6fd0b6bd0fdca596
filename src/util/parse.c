#include "util/parse.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "util/clock.h"
#include "util/utf8.h"

typedef struct Unit {
        const char *name;
        uint64_t factor;
} Unit;

static const Unit size_units[] = {
        { "", 1 },
        { "B", 1 },
        { "kB", 1000 },
        { "KiB", 1024 },
        { "MB", 1000 * 1000 },
        { "MiB", 1024 * 1024 },
        { "GB", 1000 * 1000 * 1000 },
        { "GiB", 1024 * 1024 * 1024 },
};

static const Unit duration_units[] = {
        { "us", 1 },
        { "ms", USEC_PER_MSEC },
        { "s", USEC_PER_SEC },
        { "min", 60 * USEC_PER_SEC },
        { "h", 3600 * USEC_PER_SEC },
        { "d", 86400 * USEC_PER_SEC },
};

static const struct {
        const char *name;
        bool value;
} booleans[] = {
        { "yes", true }, { "no", false },  { "true", true }, { "false", false },
        { "on", true },  { "off", false }, { "1", true },    { "0", false },
};

#define N_OF(table) (sizeof(table) / sizeof *(table))

static int refuse(Error *err, const char *s, const char *expected)
{
        char shown[48];

        utf8_sanitize(shown, sizeof shown, s);
        return error_set(err, ERROR_CONFIG, "'%s' is not %s", shown, expected);
}

/* The digits at the start of s; the rest, NULL when there are none or they do not fit. */
static const char *take_number(uint64_t *ret, const char *s)
{
        uint64_t n = 0;

        if (*s < '0' || *s > '9')
                return NULL;
        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(n, 10U, &n) ||
                    __builtin_add_overflow(n, (uint64_t) (*s - '0'), &n))
                        return NULL;
        *ret = n;
        return s;
}

static bool take_quantity(uint64_t *ret, const char *s, const Unit *units, size_t n_units)
{
        uint64_t n;
        const char *unit = take_number(&n, s);

        for (size_t i = 0; unit && i < n_units; i++)
                if (strcmp(unit, units[i].name) == 0) {
                        if (__builtin_mul_overflow(n, units[i].factor, &n) || n == UINT64_MAX)
                                return false; /* the greatest number stands for no limit */
                        *ret = n;
                        return true;
                }
        return false;
}

int parse_uint(uint64_t *ret, const char *s, Error *err)
{
        uint64_t n;
        const char *rest = take_number(&n, s);

        if (!rest || *rest)
                return refuse(err, s, "a whole number such as 10");
        *ret = n;
        return 0;
}

int parse_size(uint64_t *ret, const char *s, Error *err)
{
        if (!take_quantity(ret, s, size_units, N_OF(size_units)))
                return refuse(err, s,
                              "a size: bytes, or a whole number with kB, KiB, MB, MiB, GB or GiB");
        return 0;
}

int parse_duration(uint64_t *ret, const char *s, Error *err)
{
        if (strcmp(s, "infinity") == 0)
                *ret = USEC_INFINITY;
        else if (strcmp(s, "0") == 0)
                *ret = 0;
        else if (!take_quantity(ret, s, duration_units, N_OF(duration_units)))
                return refuse(
                        err, s,
                        "a duration: a whole number with us, ms, s, min, h or d, 0, or infinity");
        return 0;
}

int parse_bool(bool *ret, const char *s, Error *err)
{
        for (size_t i = 0; i < N_OF(booleans); i++)
                if (strcasecmp(s, booleans[i].name) == 0) {
                        *ret = booleans[i].value;
                        return 0;
                }
        return refuse(err, s, "yes or no");
}
