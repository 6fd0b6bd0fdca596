#include "pg/sqlstate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

enum { RETRYABLE = 1, ENDS_SESSION = 2, READER = 4, CANCELLED = 8 };

static const struct {
        const char *sqlstate;
        unsigned traits;
} states[] = {
        { "25006", READER },       /* read_only_sql_transaction */
        { "25P03", ENDS_SESSION }, /* idle_in_transaction_session_timeout */
        { "25P04", ENDS_SESSION }, /* transaction_timeout, 17 */
        { "40001", RETRYABLE },    /* serialization_failure */
        { "40P01", RETRYABLE },    /* deadlock_detected */
        { "55P03", RETRYABLE },    /* lock_not_available */
        { "57014", CANCELLED },    /* query_canceled */
        { "57P01", ENDS_SESSION }, /* admin_shutdown */
        { "57P02", ENDS_SESSION }, /* crash_shutdown */
        { "57P03", ENDS_SESSION }, /* cannot_connect_now */
        { "57P04", ENDS_SESSION }, /* database_dropped */
        { "57P05", ENDS_SESSION }, /* idle_session_timeout */
};

static bool has_trait(const char *sqlstate, unsigned trait)
{
        for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
                if (strcmp(states[i].sqlstate, sqlstate) == 0)
                        return states[i].traits & trait;
        return false;
}

bool sqlstate_retryable(const char *sqlstate)
{
        return has_trait(sqlstate, RETRYABLE);
}

bool sqlstate_ends_session(const char *sqlstate)
{
        return has_trait(sqlstate, ENDS_SESSION);
}

bool sqlstate_reader(const char *sqlstate)
{
        return has_trait(sqlstate, READER);
}

bool sqlstate_cancelled(const char *sqlstate)
{
        return has_trait(sqlstate, CANCELLED);
}

/* ---- messages ---- */

static bool is_code(const char *s)
{
        for (int i = 0; i < 5; i++)
                if (!isdigit((unsigned char) s[i]) && !(s[i] >= 'A' && s[i] <= 'Z'))
                        return false;
        return true;
}

/* Offset of `:  28P01: ` in the line, or -1. */
static long find_code(const char *line, size_t len)
{
        for (size_t i = 0; i + 10 <= len; i++)
                if (memcmp(line + i, ":  ", 3) == 0 && is_code(line + i + 3) &&
                    memcmp(line + i + 8, ": ", 2) == 0)
                        return (long) i;
        return -1;
}

static bool is_secondary(const char *line)
{
        static const char *const starts[] = { "\t", "LOCATION:", "DETAIL:", "HINT:", "CONTEXT:" };

        for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
                if (strncmp(line, starts[i], strlen(starts[i])) == 0)
                        return true;
        return false;
}

bool sqlstate_from_connect_message(char ret[6], char *text, size_t size, const char *message)
{
        char line[1024];

        for (const char *p = message; *p;) {
                size_t len = strcspn(p, "\n");
                long at = is_secondary(p) ? -1 : find_code(p, len);

                if (at >= 0) {
                        memcpy(ret, p + at + 3, 5);
                        ret[5] = '\0';
                        (void) snprintf(line, sizeof line, "%.*s: %.*s", (int) at, p,
                                        (int) (len - (size_t) at - 10), p + at + 10);
                        utf8_sanitize(text, size, line);
                        return true;
                }
                p += len;
                p += *p == '\n';
        }
        ret[0] = '\0';
        (void) snprintf(line, sizeof line, "%.*s", (int) strcspn(message, "\n"), message);
        utf8_sanitize(text, size, line);
        return false;
}
