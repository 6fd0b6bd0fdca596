/* What strangers send: the first line of the input is a request target, then a Host, an Origin and a Prefer header, a
 * line each; the rest is the JSON body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/migrate_request.h"
#include "api/problem.h"
#include "api/request_head.h"
#include "api/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *next_line(char **at)
{
        char *line = strsep(at, "\n");

        return line ? line : "";
}

static void check(int r, const Error *err)
{
        json_t *problem;

        if (r >= 0)
                return;
        problem = problem_json(err, problem_status(err), NULL);
        if (!problem || !json_object_get(problem, "detail"))
                abort();
        json_decref(problem);
}

static void read_target(const char *raw)
{
        RequestTarget target = { 0 };
        RouteMatch match;
        Error err;
        int r = request_target_parse(&target, raw, &err);

        if (r >= 0)
                r = router_find(&match, routes, n_routes, "GET", &target, &err);
        if (r >= 0)
                r = request_target_allow(&target, match.route->parameters, &err);
        check(r, &err);
        request_target_done(&target);
}

static void read_head(const char *host, const char *origin, const char *prefer)
{
        RequestHead head = { .method = "POST" };
        unsigned status;
        Error err;

        request_head_add(&head, "Host", host);
        request_head_add(&head, "Origin", origin);
        request_head_add(&head, "Prefer", prefer);
        request_head_add(&head, "Content-Type", origin);
        request_head_add(&head, "Content-Length", prefer);
        if (request_head_check_framing(&head, &err) >= 0 &&
            request_head_body_size(&head) > 999999999999999999ULL)
                abort();
        check(request_head_check_origin(&head, "127.0.0.1", &status, &err), &err);
        check(request_head_check_content(&head, true, &status, &err), &err);
        if (request_head_preferred_wait(&head) > 999999999)
                abort();
}

static void read_body(const char *bytes, size_t size)
{
        json_t *json = NULL;
        MigrateRequest m;
        Error err;
        int r = request_json_parse(&json, bytes, size, &err);

        if (r >= 0)
                r = migrate_request_parse(&m, json, &err);
        check(r, &err);
        json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *copy = malloc(size + 1), *at = copy;
        const char *host, *origin, *prefer;

        if (!copy)
                return 0;
        memcpy(copy, data, size);
        copy[size] = '\0';
        read_target(next_line(&at));
        host = next_line(&at);
        origin = next_line(&at);
        prefer = next_line(&at);
        read_head(host, origin, prefer);
        if (at)
                read_body(at, (size_t) (copy + size - at));
        free(copy);
        return 0;
}
