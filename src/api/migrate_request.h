#pragma once
/* The JSON body of POST /migrate. */
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "util/error.h"

typedef struct MigrateRequest {
        const char *database, *target, *reason; /* NULL: not given; borrowed from the JSON */
        bool dry_run;
        uint64_t timeout; /* usec, 0: as configured */
} MigrateRequest;

/* body NULL: nothing was sent. ERROR_BAD_REQUEST names the member at fault, an unknown one too. */
int migrate_request_parse(MigrateRequest *ret, const json_t *body, Error *err);

/* A JSON document of a request: an object, no key twice, at most size bytes of valid UTF-8. */
int request_json_parse(json_t **ret, const char *bytes, size_t size, Error *err);
