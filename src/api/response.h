#pragma once
/* An answer in the making. Handlers fill it; nothing is sent before they return. */
#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "util/cleanup.h"
#include "util/error.h"

#define RESPONSE_MAX_HEADERS 6
typedef struct EventStream EventStream;
typedef struct Response {
        unsigned status; /* set before a handler fails, it overrides the error's own status */
        const char *content_type; /* a literal */
        char *body;               /* owned */
        size_t size;
        EventStream *stream; /* owned: instead of a body */
        bool close;          /* the connection cannot be used again */
        struct {
                const char *name; /* a literal */
                char value[128];
        } headers[RESPONSE_MAX_HEADERS];
        size_t n_headers;
} Response;

void response_done(Response *res); /* fine when zeroed */
void response_header(Response *res, const char *name, const char *fmt, ...)
        __attribute__((__format__(__printf__, 3, 4)));
/* Takes the reference; NULL is an ERROR_OOM. */
int response_json(Response *res, unsigned status, json_t *body, Error *err);
/* Takes body (malloc); NULL is an ERROR_OOM. */
int response_text(Response *res, unsigned status, const char *content_type, char *body, Error *err);
/* Puts a problem document in place of whatever there was. run and reasons may be NULL; both are borrowed. Cannot fail: short of
 * memory the answer is a constant. */
void response_problem(Response *res, const Error *problem, const char *run, json_t *reasons);
