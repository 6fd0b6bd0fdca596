#include <string.h>

#include "format/flyway/flyway.h"

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_separator(char c)
{
        return c == '.' || c == '_';
}

/* A sign can only stand at the very start: Flyway cuts at the dots that a digit follows. */
bool flyway_version_valid(const char *v)
{
        if (*v == '+' || *v == '-')
                v++;
        while (is_digit(*v)) {
                while (is_digit(*v))
                        v++;
                if (!*v)
                        return true;
                if (!is_separator(*v))
                        return false;
                v++;
        }
        return false;
}

typedef struct Part {
        const char *digits; /* without leading zeros: 0 has none */
        size_t len;
        bool negative;
} Part;

static Part take_part(const char **v)
{
        Part p = { 0 };
        const char *s = *v;

        if (is_separator(*s))
                s++;
        if (*s == '+' || *s == '-')
                p.negative = *s++ == '-';
        while (*s == '0')
                s++;
        p.digits = s;
        while (is_digit(*s))
                s++;
        p.len = (size_t) (s - p.digits);
        p.negative = p.negative && p.len > 0;
        *v = s;
        return p;
}

static int compare_parts(const Part *a, const Part *b)
{
        int sign = a->negative ? -1 : 1;

        if (a->negative != b->negative)
                return sign;
        if (a->len != b->len)
                return a->len < b->len ? -sign : sign;
        int r = memcmp(a->digits, b->digits, a->len);
        return r < 0 ? -sign : r > 0 ? sign : 0;
}

int flyway_version_compare(const char *a, const char *b)
{
        if (!flyway_version_valid(a) || !flyway_version_valid(b))
                return strcmp(a, b);
        while (*a || *b) {
                Part pa = take_part(&a), pb = take_part(&b);
                int r = compare_parts(&pa, &pb);

                if (r != 0)
                        return r;
        }
        return 0;
}
