#pragma once
/* Connection strings, as far as the configuration has to understand them. */
#include <stdbool.h>

#include <libpq-fe.h>

#include "util/cleanup.h"
#include "util/error.h"

static inline void conninfo_freep(PQconninfoOption **o)
{
        PQconninfoFree(*o);
}
#define _cleanup_conninfo_ _cleanup_(conninfo_freep)

/* A URL or keyword=value pairs. The error repeats nothing of it, since it may hold a password. */
/* Whether a database can be connected to by url, as far as that can be told without trying. The text
 * shows nothing of a password. */
int conninfo_check(const char *url, Error *err);
int conninfo_parse(PQconninfoOption **ret, const char *url, Error *err);
/* NULL when it is not set, or empty; borrowed. */
const char *conninfo_get(const PQconninfoOption *o, const char *keyword);
bool conninfo_has_password(const PQconninfoOption *o);
/* Refuses one that holds a password: for the command line, which everybody on the machine can read. */
int conninfo_check_argument(const char *url, Error *err);
