/* Changes that are no SQL: what they print or refuse. */
#include <stdio.h>
#include <strings.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_form.h"

/* What fails when its turn comes, after the changesets before it have run. */
static int add_failure(SqlList *out, const Change *c, const SqlContext *x, const char *message,
                       Error *err)
{
        _cleanup_text_ Text body = TEXT_INIT(SQL_FORM_MAX);

        sql_form(&body, x, "BEGIN RAISE EXCEPTION USING MESSAGE = %L; END", message);
        if (body.bad)
                return error_oom(err, "a message");
        return sql_emit(out, c, x, err, "DO %L", text_str(&body));
}

/* The message is for whoever sits at the terminal, where a daemon's changes have nobody; that its target is wrong is told. */
int change_sql_output(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        static const char *const targets[] = {
                "STDOUT", "STDERR", "FATAL", "WARN", "INFO", "DEBUG"
        };
        const char *target = sql_attribute(c, "target");
        char message[128];

        for (size_t i = 0; target && i < sizeof targets / sizeof targets[0]; i++)
                if (strcasecmp(targets[i], target) == 0)
                        return 0;
        if (!target)
                return 0;
        (void) snprintf(message, sizeof message, "Unknown target: %.100s", target);
        return add_failure(out, c, x, message, err);
}

int change_sql_stop(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        const char *message = sql_attribute(c, "message");

        return add_failure(out, c, x, message ? message : "Stop command in changelog file", err);
}
