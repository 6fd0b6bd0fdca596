#include "api/response.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/event_stream.h"
#include "api/problem.h"

#define RETRY_AFTER_SECONDS 5

void response_done(Response *res)
{
        free(res->body);
        event_stream_free(res->stream);
        *res = (Response){ 0 };
}

void response_header(Response *res, const char *name, const char *fmt, ...)
{
        va_list ap;

        if (res->n_headers == RESPONSE_MAX_HEADERS)
                return;
        res->headers[res->n_headers].name = name;
        va_start(ap, fmt);
        (void) vsnprintf(res->headers[res->n_headers].value, sizeof res->headers[0].value, fmt, ap);
        va_end(ap);
        res->n_headers++;
}

int response_text(Response *res, unsigned status, const char *content_type, char *body, Error *err)
{
        if (!body)
                return error_oom(err, "an answer");
        free(res->body);
        res->body = body;
        res->size = strlen(body);
        res->status = status;
        res->content_type = content_type;
        return 0;
}

/* One line, ended, so that a terminal's prompt starts on the next. */
static char *dump_line(const json_t *body)
{
        char *s = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
        size_t len = s ? strlen(s) : 0;
        char *line = s ? realloc(s, len + 2) : NULL;

        if (!line) {
                free(s);
                return NULL;
        }
        memcpy(line + len, "\n", 2);
        return line;
}

int response_json(Response *res, unsigned status, json_t *body, Error *err)
{
        char *line = dump_line(body);

        json_decref(body);
        return response_text(res, status, "application/json", line, err);
}

void response_problem(Response *res, const Error *problem, const char *run, json_t *reasons)
{
        unsigned status = res->status >= 400 ? res->status : problem_status(problem);
        json_t *document = problem_json(problem, status, run);
        Error err;

        if (document && reasons && json_object_set(document, "reasons", reasons) < 0) {
                json_decref(document);
                document = NULL;
        }
        free(res->body);
        res->body = NULL;
        res->size = 0;
        event_stream_free(TAKE_PTR(res->stream));
        if (response_json(res, status, document, &err) < 0)
                res->status = status;
        res->content_type = "application/problem+json";
        if (status == 503)
                response_header(res, "Retry-After", "%d", RETRY_AFTER_SECONDS);
}
