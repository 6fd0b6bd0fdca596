#pragma once
/* The inside of a PgTarget, for the modules of this folder that connect. */
#include "pg/session.h"

#define PG_TARGET_MAX_HOSTS 16
#define PG_TARGET_MAX_PARAMETERS 64

/* Where one of the servers is. Strings are owned by the target; "" when not given. */
typedef struct PgEndpoint {
        char *host;     /* name, address, or socket directory */
        char *hostaddr; /* numeric address, as given by the user */
        char *port;
} PgEndpoint;

size_t pg_target_endpoints(const PgTarget *t, const PgEndpoint **ret);
/* Whether a name has to be looked up before libpq may be let loose on it. */
bool pg_endpoint_needs_resolving(const PgEndpoint *e);

typedef struct PgParameters {
        const char *keywords[PG_TARGET_MAX_PARAMETERS + 1], *values[PG_TARGET_MAX_PARAMETERS + 1];
        unsigned n;
} PgParameters;

/* What PQconnectStartParams() wants for one address ("" = none was looked up); everything in it is borrowed. */
void pg_target_parameters(const PgTarget *t, PgParameters *ret, const PgEndpoint *e,
                          const char *address, const char *password, const char *application_name);
