#pragma once
/* Whether somebody changed a schema outside of migrations: what is in it, as digests of definitions, now and before.
 *
 * A snapshot is {"server":15, "schemas":["public"], "objects":{KIND:{OBJECT:"DIGEST PART_OF"}}}: kinds such as "table",
 * "column" and "index"; objects by their qualified name; 32 hexadecimal digits, and behind a space, where there is
 * one, the relation that the object is a part of. Whoever keeps a snapshot may add members;
 * DRIFT_HISTORY has to be equal for two to be comparable. */
#include <jansson.h>

#include "pg/session.h"

/* How far the history was. Somebody else's migrations are no drift. */
#define DRIFT_HISTORY "next_rank"

/* Asks the catalog, in one round trip, in a fiber. schemas and own_tables (left out, in any of the schemas) are arrays
 * of strings. Objects of extensions are left out too. *ret is a new object. */
int drift_snapshot(json_t **ret, PgSession *s, json_t *schemas, const json_t *own_tables,
                   Error *err);

/* Why the two say nothing about each other, as the end of a sentence; NULL when they do. Pure. */
const char *drift_obstacle(const json_t *before, const json_t *now);

/* [{"change":"added"|"removed"|"changed", "kind", "object"}], a new array. What came or went with its table is not
 * listed. Pure. */
int drift_compare(json_t **ret, const json_t *before, const json_t *now, Error *err);
