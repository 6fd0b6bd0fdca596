#pragma once
/* What a request line asks for: "/runs/01J?limit=5", taken apart and decoded once, strictly. Own code rather than
 * libmicrohttpd's, which turns %00 into the end of the string and keeps the first of two equal parameters. */
#include <stddef.h>

#include "util/error.h"

#define REQUEST_TARGET_MAX_SEGMENTS 8
#define REQUEST_TARGET_MAX_PARAMETERS 16

typedef struct RequestTarget {
        char *text; /* owned; the rest points into it */
        const char *segments
                [REQUEST_TARGET_MAX_SEGMENTS]; /* "/" has none, "/runs/" has "runs" and "" */
        size_t n_segments;
        struct {
                const char *name, *value;
        } parameters[REQUEST_TARGET_MAX_PARAMETERS];
        size_t n_parameters;
} RequestTarget;

/* raw as on the wire. ERROR_BAD_REQUEST names what is wrong: %00, bytes that are not UTF-8, a parameter given twice. */
int request_target_parse(RequestTarget *ret, const char *raw, Error *err);
void request_target_done(RequestTarget *t); /* fine when zeroed */
/* NULL when not given. */
const char *request_target_get(const RequestTarget *t, const char *parameter);
/* ERROR_BAD_REQUEST names the first parameter that is not among allowed (NULL-terminated). */
int request_target_allow(const RequestTarget *t, const char *const *allowed, Error *err);
