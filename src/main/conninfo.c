#include "main/conninfo.h"

#include <string.h>

#include "pg/target.h"

const char *conninfo_get(const PQconninfoOption *o, const char *keyword)
{
        for (; o && o->keyword; o++)
                if (strcmp(o->keyword, keyword) == 0)
                        return o->val && *o->val ? o->val : NULL;
        return NULL;
}

bool conninfo_has_password(const PQconninfoOption *o)
{
        return conninfo_get(o, "password") || conninfo_get(o, "sslpassword");
}

int conninfo_parse(PQconninfoOption **ret, const char *url, Error *err)
{
        *ret = PQconninfoParse(url, NULL);
        return *ret ? 0 : error_set(err, ERROR_CONFIG, "is not a connection string");
}

int conninfo_check(const char *url, Error *err)
{
        _cleanup_(pg_target_freep) PgTarget *target = NULL;

        return pg_target_new(&target, url, err);
}

int conninfo_check_argument(const char *url, Error *err)
{
        _cleanup_conninfo_ PQconninfoOption *o = NULL;

        if (conninfo_parse(&o, url, err) < 0 || !conninfo_has_password(o))
                return 0; /* what it is instead is for the option to say */
        (void) error_set(err, ERROR_USAGE,
                         "a password on the command line can be read by everybody on this machine");
        return error_hint(err, "leave it out and use password_file, the environment "
                               "(PGMIGRATED_URL) or the configuration file");
}
