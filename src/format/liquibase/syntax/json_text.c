#include "format/liquibase/syntax/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Value of the escape \uXXXX at p; -1: it is none. */
static long unit_at(const char *p)
{
        char hex[5] = "";

        if (p[0] != '\\' || p[1] != 'u' || strspn(p + 2, "0123456789abcdefABCDEF") < 4)
                return -1;
        memcpy(hex, p + 2, 4);
        return strtol(hex, NULL, 16);
}

int json_join_surrogates(const char **text, size_t *size, Arena *a, Error *err)
{
        char *copy = arena_strndup(a, *text, *size), *out = copy;

        if (!copy)
                return error_oom(err, "a changelog");
        for (const char *p = *text, *end = p + *size; p < end;) {
                long high = unit_at(p), low = high >= 0xd800 && high < 0xdc00 ? unit_at(p + 6) : -1;

                if (low >= 0xdc00 && low < 0xe000) {
                        char joined[11];

                        (void) snprintf(
                                joined, sizeof joined, "\\U%08lX",
                                (unsigned long) (0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00));
                        memcpy(out, joined, 10);
                        out += 10;
                        p += 12;
                        continue;
                }
                if (*p == '\\' && p + 1 < end) /* what it escapes begins no escape */
                        *out++ = *p++;
                *out++ = *p++;
        }
        *out = '\0';
        *text = copy;
        *size = (size_t) (out - copy);
        return 0;
}
