#pragma once
/* The one table of what can be asked for, and the search in it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/request_target.h"
#include "api/response.h"
#include "util/error.h"

typedef struct Request Request;

/* Straight-line code that fills res, or fails with an error that becomes a problem document. It may wait only where
 * waits() said so: then it runs in a fiber. */
typedef int (*RouteHandler)(Request *req, Response *res, Error *err);

#define ROUTE_MAX_PARAMETERS 6
#define ROUTE_MAX_ARGUMENTS 2
typedef struct Route {
        const char *method; /* HEAD comes with GET */
        const char *
                pattern; /* "/runs/{id}": a name in braces stands for one segment that is not empty */
        const char *parameters[ROUTE_MAX_PARAMETERS +
                               1];         /* query parameters that are allowed, NULL-terminated */
        size_t max_body;                   /* bytes; 0: a body is refused */
        bool (*waits)(const Request *req); /* NULL: never */
        RouteHandler handler;
        const char *summary;
} Route;

extern const Route routes[];
extern const size_t n_routes;

#define ROUTER_ALLOW_MAX 64
typedef struct RouteMatch {
        const Route *route;
        const char *arguments
                [ROUTE_MAX_ARGUMENTS]; /* what the braces stand for, borrowed from the target */
        char allow[ROUTER_ALLOW_MAX];  /* the methods of the address, when it has any */
} RouteMatch;

/* ERROR_NOT_FOUND, or ERROR_NOT_ALLOWED with ret->allow filled. OPTIONS on a known address finds no route and is 0. */
int router_find(RouteMatch *ret, const Route *table, size_t n, const char *method,
                const RequestTarget *target, Error *err);
