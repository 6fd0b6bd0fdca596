/* POST /migrate: queues runs, and waits for them if asked to. Nobody's going away touches a run. */
#include <inttypes.h>
#include <string.h>

#include "api/handlers.h"
#include "api/migrate_request.h"
#include "api/server_private.h"
#include "util/parse.h"

#define MAX_WAIT_SECONDS 86400
#define MAX_KEY 255
#define RETRY_AFTER_SECONDS 10

typedef struct RunSet {
        Run **runs;
        size_t n;
} RunSet;

static void run_set_done(RunSet *set)
{
        for (size_t i = 0; i < set->n; i++)
                run_unref(set->runs[i]);
        free(set->runs);
}

static int wanted_wait(const Request *req, uint64_t *seconds, Error *err)
{
        const char *wait = request_parameter(req, "wait");

        *seconds = request_head_preferred_wait(&req->head);
        if (*seconds > MAX_WAIT_SECONDS)
                *seconds = MAX_WAIT_SECONDS;
        if (wait && (parse_uint(seconds, wait, err) < 0 || *seconds > MAX_WAIT_SECONDS))
                return error_set(err, ERROR_BAD_REQUEST,
                                 "query parameter \"wait\" is not a number of seconds from 0 to %d",
                                 MAX_WAIT_SECONDS);
        return 0;
}

bool migrate_waits(const Request *req)
{
        Error ignored;
        uint64_t seconds;

        return wanted_wait(req, &seconds, &ignored) >= 0 && seconds;
}

static int check_key(const HeaderValue *key, Error *err)
{
        size_t len = key->count ? strlen(key->value) : 1;

        for (const char *p = key->count ? key->value : ""; *p; p++)
                if (*p <= 0x20 || *p > 0x7e)
                        len = 0;
        if (len < 1 || len > MAX_KEY)
                return error_set(err, ERROR_BAD_REQUEST,
                                 "Idempotency-Key is not 1 to %d printable characters", MAX_KEY);
        return 0;
}

static int submit(Request *req, RunSet *set, Error *err)
{
        MigrateRequest wanted;
        Submission s;
        size_t n = 0;
        int r = migrate_request_parse(&wanted, req->json, err);

        if (r >= 0)
                r = check_key(&req->head.idempotency_key, err);
        if (r < 0)
                return r;
        s = (Submission){
                .database = wanted.database,
                .target = wanted.target,
                .dry_run = wanted.dry_run,
                .timeout = wanted.timeout,
                .reason = wanted.reason,
                .trigger = "api",
                .idempotency_key = req->head.idempotency_key.value,
        };
        set->runs = calloc(DISPATCHER_MAX_DATABASES, sizeof(Run *));
        if (!set->runs)
                return error_oom(err, "a list of runs");
        r = dispatcher_submit(req->server->dispatcher, &s, set->runs, &n, err);
        for (set->n = 0; r >= 0 && set->n < n; set->n++)
                (void) run_ref(set->runs[set->n]);
        return r;
}

/* Also over when the client or the service goes: the answer then is how far the runs have come. */
static void wait_for(const RunSet *set, uint64_t seconds)
{
        uint64_t deadline = clock_after(seconds * USEC_PER_SEC);
        Error ignored;

        for (size_t i = 0; i < set->n; i++)
                while (!run_finished(set->runs[i]))
                        if (fiber_wait(run_changed(set->runs[i]), deadline, &ignored) < 0)
                                return;
}

/* What a deploy script has to hear of several runs: the worst. */
static unsigned worst_status(const RunSet *set)
{
        static const unsigned by_rank[] = { 200, 202, 409, 503, 500 };
        size_t worst = 0;

        for (size_t i = 0; i < set->n; i++)
                for (size_t rank = worst + 1; rank < sizeof by_rank / sizeof by_rank[0]; rank++)
                        if ((unsigned) run_http_status(set->runs[i]) == by_rank[rank])
                                worst = rank;
        return by_rank[worst];
}

static json_t *runs_json(const RunSet *set)
{
        json_t *array;

        if (set->n == 1)
                return run_json(set->runs[0]);
        array = json_array();
        for (size_t i = 0; array && i < set->n; i++)
                if (json_array_append_new(array, run_json(set->runs[i])) < 0) {
                        json_decref(array);
                        return NULL;
                }
        return json_pack("{s:o}", "runs", array);
}

int handle_migrate(Request *req, Response *res, Error *err)
{
        _cleanup_(run_set_done) RunSet set = { 0 };
        uint64_t seconds;
        unsigned status;
        int r = wanted_wait(req, &seconds, err);

        if (r >= 0)
                r = submit(req, &set, err);
        if (r < 0)
                return r;
        if (seconds)
                wait_for(&set, seconds);
        status = worst_status(&set);
        if (set.n == 1)
                response_header(res, "Location", "/runs/%s", run_id(set.runs[0]));
        if (seconds && !request_parameter(req, "wait"))
                response_header(res, "Preference-Applied", "wait=%" PRIu64, seconds);
        if (status == 503)
                response_header(res, "Retry-After", "%d", RETRY_AFTER_SECONDS);
        return response_json(res, status, runs_json(&set), err);
}
