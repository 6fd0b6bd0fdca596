/* pgmigrated ctl: asks the running service, over TCP or its Unix socket. Nothing else runs meanwhile, so it may block. */
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "main/commands.h"
#include "main/progress.h"
#include "main/report.h"
#include "util/clock.h"

#define MAX_ANSWER (64U << 20)
#define POLL_FIRST (100 * USEC_PER_MSEC)
#define POLL_LAST USEC_PER_SEC
#define AWAY_MAX (30 * USEC_PER_SEC) /* how long a service that was there may be gone */

typedef struct Ctl {
        const CommandLine *line;
        CURL *curl;
        char base[600];
        char socket[108];
        /* of the last call */
        Text body;
        long status;
        json_t *answer;
} Ctl;

static void ctl_done(Ctl *c)
{
        curl_easy_cleanup(c->curl);
        text_done(&c->body);
        json_decref(c->answer);
}

/* ---- where it is ---- */

static int take_url(Ctl *c, const char *url, Error *err)
{
        size_t len;

        if (strncmp(url, "unix:", 5) == 0 || url[0] == '/') {
                const char *path = url[0] == '/' ? url : url + 5;

                if (strlen(path) >= sizeof c->socket)
                        return error_set(err, ERROR_USAGE,
                                         "%s is too long for the path of a socket", path);
                (void) snprintf(c->socket, sizeof c->socket, "%s", path);
                (void) snprintf(c->base, sizeof c->base, "http://localhost");
                return 0;
        }
        if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
                return error_set(err, ERROR_USAGE,
                                 "\"%.200s\" is neither http://host:port nor unix:/path", url);
        (void) snprintf(c->base, sizeof c->base, "%s", url);
        len = strlen(c->base);
        while (len > 0 && c->base[len - 1] == '/')
                c->base[--len] = '\0';
        return 0;
}

static int find_service(Ctl *c, Error *err)
{
        _cleanup_(service_settings_done) ServiceSettings service = { .listen = NULL };
        const char *url =
                c->line->flags[FLAG_URL] ? c->line->flags[FLAG_URL] : getenv("PGMIGRATED_CTL_URL");
        ConfigSource source = command_config_source(c->line);
        int r;

        if (url && *url)
                return take_url(c, url, err);
        /* --database names a database of the service, not of the file here */
        r = config_load_service(&service, &source, err);
        if (r < 0)
                return r;
        if (*service.socket)
                return take_url(c, service.socket, err);
        if (!*service.listen) {
                (void) error_set(
                        err, ERROR_CONFIG,
                        "neither listen nor socket is set, so the service cannot be reached");
                return error_hint(err, "say where it is with --url or PGMIGRATED_CTL_URL");
        }
        (void) snprintf(c->base, sizeof c->base, "http://%s", service.listen);
        return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *userdata)
{
        Text *body = userdata;

        text_append(body, data, size * n);
        return body->bad ? 0 : size * n;
}

static int ctl_open(Ctl *c, Error *err)
{
        int r = find_service(c, err);

        if (r < 0)
                return r;
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(c->curl = curl_easy_init()))
                return error_oom(err, "an HTTP client");
        (void) curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
        (void) curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &c->body);
        (void) curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
        (void) curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT, 10L);
        (void) curl_easy_setopt(c->curl, CURLOPT_TIMEOUT, 60L);
        (void) curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
        (void) curl_easy_setopt(c->curl, CURLOPT_USERAGENT, "pgmigrated/" PACKAGE_VERSION);
        if (c->socket[0])
                (void) curl_easy_setopt(c->curl, CURLOPT_UNIX_SOCKET_PATH, c->socket);
        return 0;
}

/* ---- calls ---- */

static int answer_error(const Ctl *c, Error *err)
{
        ErrorCode code = c->status == 404                       ? ERROR_NOT_FOUND
                         : c->status == 503 || c->status == 429 ? ERROR_BUSY
                                                                : ERROR_BAD_REQUEST;

        if (c->status == 403 || c->status == 401)
                code = ERROR_FORBIDDEN;
        else if (c->status >= 500 && c->status != 503)
                code = ERROR_INTERNAL;
        if (*report_string(c->answer, "detail")) {
                report_error_from_json(err, code, c->answer);
                return -(int) code;
        }
        return error_set(err, code, "the service answered with HTTP status %ld", c->status);
}

/* A run is a good answer whatever its HTTP status: that says how the run ended. */
static bool is_run(const json_t *answer)
{
        return json_is_string(json_object_get(answer, "id")) ||
               json_is_array(json_object_get(answer, "runs"));
}

static int call(Ctl *c, const char *method, const char *path, const char *body, Error *err)
{
        struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
        char url[1600];
        CURLcode code;
        json_error_t e;

        (void) snprintf(url, sizeof url, "%s%s", c->base, path);
        text_done(&c->body);
        c->body = TEXT_INIT(MAX_ANSWER);
        json_decref(c->answer);
        c->answer = NULL;
        (void) curl_easy_setopt(c->curl, CURLOPT_URL, url);
        (void) curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
        (void) curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, body);
        (void) curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, body ? headers : NULL);
        if (!body)
                (void) curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
        code = curl_easy_perform(c->curl);
        curl_slist_free_all(headers);
        if (code != CURLE_OK) {
                (void) error_set(err, ERROR_UNAVAILABLE,
                                 "the service at %s%s cannot be reached: %s",
                                 c->socket[0] ? "" : c->base, c->socket, curl_easy_strerror(code));
                return error_hint(
                        err, "is pgmigrated serve running? --url or PGMIGRATED_CTL_URL says where");
        }
        (void) curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &c->status);
        c->answer = json_loadb(text_str(&c->body), c->body.len, 0, &e);
        if (c->status >= 400 && !is_run(c->answer))
                return answer_error(c, err);
        return c->answer ? 0
                         : error_set(err, ERROR_INTERNAL, "the service's answer is not JSON: %s",
                                     e.text);
}

/* "?key=value" or "&key=value" */
static void add_parameter(Ctl *c, Text *path, const char *key, const char *value)
{
        char *escaped = value ? curl_easy_escape(c->curl, value, 0) : NULL;

        if (escaped)
                text_printf(path, "%c%s=%s", strchr(text_str(path), '?') ? '&' : '?', key, escaped);
        curl_free(escaped);
}

static int print_json(const json_t *document, Error *err)
{
        if (json_dumpf(document, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF)
                return error_set(err, ERROR_IO, "standard output: %m");
        return 0;
}

static int print(const CommandLine *l, const json_t *document, const json_t *shown,
                 void (*report)(Text *, const json_t *), Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(MAX_ANSWER);

        if (l->flags[FLAG_JSON])
                return print_json(document, err);
        report(&t, shown);
        return fputs(text_str(&t), stdout) < 0 ? error_set(err, ERROR_IO, "standard output: %m")
                                               : 0;
}

/* ---- ctl status, runs, cancel ---- */

int ctl_status_command(const CommandLine *l, Error *err)
{
        _cleanup_(ctl_done) Ctl c = { .line = l };
        _cleanup_text_ Text path = TEXT_INIT(1024);
        int r = ctl_open(&c, err);

        if (r < 0)
                return r;
        text_add(&path, "/status");
        add_parameter(&c, &path, "database", l->flags[FLAG_DATABASE]);
        r = call(&c, "GET", text_str(&path), NULL, err);
        return r < 0 ? r
                     : print(l, c.answer, json_object_get(c.answer, "databases"), report_databases,
                             err);
}

static void report_one_run(Text *out, const json_t *run)
{
        Error err;

        report_plan(out, run);
        report_run(out, run);
        if (json_is_object(json_object_get(run, "error"))) {
                report_error_from_json(&err, ERROR_SQL, json_object_get(run, "error"));
                report_error_text(out, &err);
        }
}

static int run_path(Ctl *c, Text *path, const char *id, Error *err)
{
        char *escaped = curl_easy_escape(c->curl, id, 0);

        text_printf(path, "/runs/%s", escaped ? escaped : "");
        curl_free(escaped);
        return path->bad ? error_set(err, ERROR_USAGE, "that is no run's ID: too long") : 0;
}

int ctl_runs_command(const CommandLine *l, Error *err)
{
        _cleanup_(ctl_done) Ctl c = { .line = l };
        _cleanup_text_ Text path = TEXT_INIT(1024);
        int r = ctl_open(&c, err);

        if (r >= 0 && l->n_arguments > 0) {
                r = run_path(&c, &path, l->arguments[0], err);
                if (r >= 0)
                        r = call(&c, "GET", text_str(&path), NULL, err);
                return r < 0 ? r : print(l, c.answer, c.answer, report_one_run, err);
        }
        if (r < 0)
                return r;
        text_add(&path, "/runs");
        add_parameter(&c, &path, "database", l->flags[FLAG_DATABASE]);
        add_parameter(&c, &path, "state", l->flags[FLAG_STATE]);
        add_parameter(&c, &path, "limit", l->flags[FLAG_LIMIT] ? l->flags[FLAG_LIMIT] : "20");
        r = call(&c, "GET", text_str(&path), NULL, err);
        if (r < 0)
                return r;
        return print(l, c.answer,
                     json_is_array(c.answer) ? c.answer : json_object_get(c.answer, "runs"),
                     report_runs, err);
}

int ctl_cancel_command(const CommandLine *l, Error *err)
{
        _cleanup_(ctl_done) Ctl c = { .line = l };
        _cleanup_text_ Text path = TEXT_INIT(1024);
        int r = ctl_open(&c, err);

        if (r >= 0)
                r = run_path(&c, &path, l->arguments[0], err);
        if (r >= 0)
                r = call(&c, "DELETE", text_str(&path), "", err);
        return r < 0 ? r : print(l, c.answer, c.answer, report_run, err);
}

/* ---- ctl migrate ---- */

static int request_body(const CommandLine *l, char **ret, Error *err)
{
        uint64_t timeout;
        json_t *body;
        int r = command_timeout(&timeout, l, err);

        if (r < 0)
                return r;
        body = json_pack("{s:s*,s:s*,s:s*}", "database", l->flags[FLAG_DATABASE], "target",
                         l->flags[FLAG_TARGET], "reason", l->flags[FLAG_REASON]);
        if (l->flags[FLAG_DRY_RUN])
                (void) json_object_set_new(body, "dry_run", json_true());
        if (timeout && timeout != USEC_INFINITY)
                (void) json_object_set_new(body, "timeout_ms",
                                           json_integer((json_int_t) (timeout / USEC_PER_MSEC)));
        *ret = json_dumps(body, 0);
        json_decref(body);
        return *ret ? 0 : error_set(err, ERROR_USAGE, "the arguments are not text in UTF-8");
}

/* An interrupted run is queued again when the service is back. */
static bool finished(const json_t *run)
{
        return report_run_exit_code(run, false) != RUN_GOES_ON &&
               strcmp(report_string(run, "state"), "interrupted") != 0;
}

/* Tells progress what is new between two looks at a run. */
static void show_changes(Progress *p, const json_t *before, const json_t *now)
{
        const json_t *old = json_object_get(before, "steps"),
                     *steps = json_object_get(now, "steps"), *step;
        size_t i;

        if (!before || strcmp(report_string(before, "state"), report_string(now, "state")) != 0)
                progress_event(p, "run.state", now, clock_monotonic());
        json_array_foreach(steps, i, step)
        {
                const char *was = report_string(json_array_get(old, i), "state");

                if (strcmp(was, report_string(step, "state")) != 0)
                        progress_event(p, "step.state", step, clock_monotonic());
        }
}

static void pause_for(uint64_t usec)
{
        struct timespec t = { .tv_sec = (time_t) (usec / USEC_PER_SEC),
                              .tv_nsec = (long) (usec % USEC_PER_SEC) * 1000 };

        (void) nanosleep(&t, NULL);
}

/* *run is replaced until it is over. */
static int follow(Ctl *c, json_t **run, Progress *p, Error *err)
{
        _cleanup_text_ Text path = TEXT_INIT(1024);
        uint64_t delay = POLL_FIRST, seen = clock_monotonic();
        int r = run_path(c, &path, report_string(*run, "id"), err);

        if (r >= 0 && p)
                show_changes(p, NULL, *run);
        while (r >= 0 && !finished(*run)) {
                pause_for(delay);
                delay = delay * 3 / 2 < POLL_LAST ? delay * 3 / 2 : POLL_LAST;
                r = call(c, "GET", text_str(&path), NULL, err);
                if (r == -ERROR_UNAVAILABLE && clock_monotonic() < seen + AWAY_MAX) {
                        r = 0; /* it may be restarting, and resumes the run then */
                        continue;
                }
                if (r < 0)
                        return error_prefix(err, "run %s goes on", report_string(*run, "id"));
                seen = clock_monotonic();
                if (p) {
                        show_changes(p, *run, c->answer);
                        progress_tick(p, clock_monotonic());
                }
                json_decref(*run);
                *run = TAKE_PTR(c->answer);
        }
        return r;
}

/* Its exit code. */
static int finish_run(const CommandLine *l, const json_t *run)
{
        _cleanup_text_ Text t = TEXT_INIT(1 << 20);
        Error err;

        if (!l->flags[FLAG_JSON]) {
                report_run(&t, run);
                (void) fputs(text_str(&t), stdout);
                (void) fflush(stdout);
                if (json_is_object(json_object_get(run, "error"))) {
                        report_error_from_json(&err, ERROR_SQL, json_object_get(run, "error"));
                        report_error(&err, false);
                }
        }
        if (!finished(run))
                return 0; /* --no-wait: it was accepted */
        return report_run_exit_code(run, l->flags[FLAG_DETAILED_EXITCODE] != NULL);
}

static int migrate_and_follow(Ctl *c, json_t *runs, Progress *p, Error *err)
{
        const CommandLine *l = c->line;
        int exit_code = 0;

        for (size_t i = 0; i < json_array_size(runs); i++) {
                json_t *run = json_incref(json_array_get(runs, i));
                int r = l->flags[FLAG_NO_WAIT] ? 0 : follow(c, &run, p, err), code;

                if (r >= 0) {
                        code = finish_run(l, run);
                        exit_code = exit_code == 0 || (exit_code == EXIT_APPLIED && code != 0)
                                            ? code
                                            : exit_code;
                        (void) json_array_set(runs, i, run);
                }
                json_decref(run);
                if (r < 0)
                        return r;
        }
        return exit_code;
}

int ctl_migrate_command(const CommandLine *l, Error *err)
{
        _cleanup_(ctl_done) Ctl c = { .line = l };
        _cleanup_(progress_freep) Progress *progress = NULL;
        _cleanup_free_ char *body = NULL;
        json_t *runs;
        int r = ctl_open(&c, err);

        if (r >= 0)
                r = request_body(l, &body, err);
        if (r >= 0)
                r = call(&c, "POST", "/migrate", body, err);
        if (r >= 0 && !l->flags[FLAG_JSON] && !l->flags[FLAG_QUIET])
                r = progress_new(&progress, stderr, isatty(STDERR_FILENO), progress_columns(), err);
        if (r < 0)
                return r;
        runs = json_object_get(c.answer, "runs");
        runs = runs ? json_incref(runs) : json_pack("[O]", c.answer);
        r = migrate_and_follow(&c, runs, progress, err);
        if (r >= 0 && l->flags[FLAG_JSON] &&
            print_json(json_array_size(runs) == 1 ? json_array_get(runs, 0) : runs, err) < 0)
                r = -ERROR_IO;
        json_decref(runs);
        return r;
}
