#pragma once
/* Errors as clients see them: application/problem+json (RFC 9457). */
#include <jansson.h>

#include "util/error.h"

unsigned problem_status(const Error *err);
/* type, title, status, detail and what else the error knows; run (NULL: none) is the id of the run it happened in. A new
 * reference; NULL without memory. */
json_t *problem_json(const Error *err, unsigned status, const char *run);
