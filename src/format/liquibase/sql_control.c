/* Changes that are no SQL: what they print or refuse. */
#include <string.h>
#include <strings.h>

#include "format/liquibase/change_sql.h"
#include "format/liquibase/sql_form.h"

/* The message is for whoever sits at the terminal, where a daemon's changes have nobody; what is wrong with its target is told. */
int change_sql_output(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        static const char *const targets[] = {
                "STDOUT", "STDERR", "FATAL", "WARN", "INFO", "DEBUG"
        };
        const char *target = sql_attribute(c, "target");

        (void) out;
        (void) x;
        for (size_t i = 0; target && i < sizeof targets / sizeof targets[0]; i++)
                if (strcasecmp(targets[i], target) == 0)
                        return 0;
        if (!target)
                return 0;
        (void) error_set(err, ERROR_CHANGELOG, "Unknown target: %.100s", target);
        return error_hint(err, "an output goes to STDOUT, STDERR, FATAL, WARN, INFO or DEBUG");
}

int change_sql_stop(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        const char *message = sql_attribute(c, "message");

        (void) out;
        (void) x;
        (void) error_set(err, ERROR_REFUSED, "%.500s",
                         message ? message : "Stop command in changelog file");
        return error_hint(err, "the changelog says stop here; remove the stop to go on");
}
