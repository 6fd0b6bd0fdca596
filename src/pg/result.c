#include <stdlib.h>
#include <string.h>

#include "pg/session.h"

const char *pg_text(const PGresult *r, int row, int column)
{
        if (!r || row < 0 || row >= PQntuples(r) || column < 0 || column >= PQnfields(r) ||
            PQgetisnull(r, row, column))
                return NULL;
        return PQgetvalue(r, row, column);
}

int64_t pg_int(const PGresult *r, int row, int column)
{
        const char *text = pg_text(r, row, column);

        return text ? strtoll(text, NULL, 10) : 0;
}

/* The server writes booleans as t and f, settings as on and off. */
bool pg_bool(const PGresult *r, int row, int column)
{
        const char *text = pg_text(r, row, column);

        return text && (strcmp(text, "t") == 0 || strcmp(text, "on") == 0);
}
