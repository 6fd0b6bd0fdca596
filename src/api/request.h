#pragma once
/* One request, from its first line to the end of its answer.
 *
 * A request that has to wait runs its handler in a fiber while the connection is suspended; it may outlive the connection
 * until that fiber has unwound, and is counted therefore. */
#include <microhttpd.h>

#include "api/request_head.h"
#include "api/request_target.h"
#include "api/response.h"
#include "api/router.h"
#include "loop/fiber.h"
#include "util/text.h"

typedef struct ApiServer ApiServer;
typedef struct Connection Connection;

struct Request {
        unsigned refs;
        ApiServer *server;
        Connection *connection; /* NULL once closed */
        char *raw;              /* the target as on the wire */
        RequestTarget target;
        RequestHead head; /* its strings live as long as the connection works on the request */
        RouteMatch match;
        Text body;
        uint64_t
                discarded; /* bytes of a body that is too large, read only so that the answer can be given */
        json_t *json; /* the body; NULL without one */
        Response response;
        Fiber *fiber;
        bool begun, complete; /* the headers, the body are there */
        bool settled;         /* response is final */
        bool sent;
};

Request *request_new(ApiServer *s, Connection *c, const char *raw); /* NULL without memory */
/* The connection lets go of it. */
void request_detach(Request *req);
/* libmicrohttpd's access handler. */
enum MHD_Result request_receive(Request *req, const char *method, const char *upload,
                                size_t *upload_size);

bool request_is_complete(const Request *req);
bool request_is_waiting(const Request *req); /* in a fiber, or an event stream */
void request_abandon(Request *req);          /* the client is gone */
void request_end_wait(Request *req);         /* answer with what is known now */

/* For handlers. */
const char *request_parameter(const Request *req, const char *name); /* of the query; NULL */
const char *request_argument(const Request *req,
                             size_t i); /* what the pattern's i-th name in braces stands for */
