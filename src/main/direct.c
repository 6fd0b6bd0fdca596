/* The commands that work on the databases themselves, without the service: one fiber on a loop of their own. */
#include <signal.h>
#include <string.h>

#include "api/problem.h"
#include "engine/operation.h"
#include "main/commands.h"
#include "main/progress.h"
#include "main/report.h"
#include "pg/session.h"
#include "util/log.h"

#define TICK (200 * USEC_PER_MSEC)
#define EVENTS_KEPT 1024

typedef struct DirectCommand {
        const char *name;
        OperationKind kind;
        bool one_database; /* too weighty to be done to several at once */
        void (*report)(Text *out, const json_t *result);
} DirectCommand;

static void report_wait(Text *out, const json_t *result);

static const DirectCommand direct_commands[] = {
        { "migrate", OPERATION_MIGRATE, false, report_run },
        { "plan", OPERATION_PLAN, false, report_plan },
        { "status", OPERATION_STATUS, false, report_status },
        { "history", OPERATION_HISTORY, false, report_history },
        { "validate", OPERATION_VALIDATE, false, report_validation },
        { "baseline", OPERATION_BASELINE, true, report_run },
        { "repair", OPERATION_REPAIR, true, report_run },
        { "undo", OPERATION_UNDO, true, report_run },
        { "drift", OPERATION_DRIFT, true, report_drift },
        { "tag", OPERATION_TAG, true, report_run },
        { "unlock", OPERATION_UNLOCK, true, report_run },
        { "wait", OPERATION_WAIT, false, report_wait },
};

typedef struct Direct {
        const CommandLine *line;
        const DirectCommand *command;
        Config config;
        sd_event *event;
        EventLog *events;
        EventListener listener;
        uint64_t next_event;
        Progress *progress; /* NULL: none is shown */
        Fiber *fiber;       /* NULL: none is running */
        bool cancelled;
        /* of the database that is being worked on */
        const DatabaseSettings *database;
        Operation operation;
        json_t *result;
        int status;
        Error error;
        /* of all */
        json_t *results;
        int exit_code;
} Direct;

static void direct_done(Direct *d)
{
        event_listener_remove(&d->listener);
        (void) progress_free(d->progress);
        if (d->events)
                (void) event_log_free(d->events);
        config_done(&d->config);
        json_decref(d->result);
        json_decref(d->results);
        sd_event_unref(d->event);
}

static void report_wait(Text *out, const json_t *result)
{
        (void) result;
        text_add(out, "available\n");
}

/* ---- the loop ---- */

static int on_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata)
{
        Direct *d = userdata;

        (void) s;
        if (d->cancelled || !d->fiber) {
                d->progress = progress_free(d->progress);
                _exit(128 +
                      (int) si->ssi_signo); /* the server finds out that nobody is there any more */
        }
        d->cancelled = true;
        fiber_cancel(d->fiber);
        return 0;
}

static int on_tick(sd_event_source *s, uint64_t usec, void *userdata)
{
        Direct *d = userdata;

        progress_tick(d->progress, usec);
        (void) sd_event_source_set_time(s, clock_monotonic() + TICK);
        (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        return 0;
}

static void on_event(void *userdata)
{
        Direct *d = userdata;
        const Event *e;
        bool lost;

        while ((e = event_log_get(d->events, d->next_event, &lost))) {
                json_t *data = json_loads(e->data, 0, NULL);

                progress_event(d->progress, e->type, data, clock_monotonic());
                json_decref(data);
                d->next_event = e->id + 1;
        }
}

static int start_progress(Direct *d, Error *err)
{
        bool terminal = isatty(STDERR_FILENO);
        const char *term = getenv("TERM");
        int r;

        if (d->line->flags[FLAG_JSON] || d->line->flags[FLAG_QUIET])
                return 0;
        terminal = terminal && !(term && strcmp(term, "dumb") == 0);
        r = progress_new(&d->progress, stderr, terminal, progress_columns(), err);
        if (r >= 0)
                r = event_log_new(&d->events, EVENTS_KEPT, 1, err);
        if (r < 0)
                return r;
        d->next_event = 1;
        d->listener = (EventListener){ .cb = on_event, .userdata = d };
        event_log_listen(d->events, &d->listener);
        r = terminal ? sd_event_add_time(d->event, NULL, CLOCK_MONOTONIC, clock_monotonic() + TICK,
                                         50 * USEC_PER_MSEC, on_tick, d)
                     : 0;
        return r < 0 ? error_set(err, ERROR_INTERNAL, "event loop: %s", strerror(-r)) : 0;
}

static int start_loop(Direct *d, Error *err)
{
        static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
        sigset_t set;
        int r = sd_event_new(&d->event);

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
                (void) sigaddset(&set, signals[i]);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);
        for (size_t i = 0; r >= 0 && i < sizeof signals / sizeof *signals; i++)
                r = sd_event_add_signal(d->event, NULL, signals[i], on_signal, d);
        return r < 0 ? error_set(err, ERROR_INTERNAL, "event loop: %s", strerror(-r))
                     : start_progress(d, err);
}

/* ---- one database ---- */

static int fiber_main(void *userdata, Error *err)
{
        Direct *d = userdata;

        return operation_execute(d->database, &d->operation, d->events, &d->result, err);
}

static void fiber_ended(void *userdata, int r, const Error *err)
{
        Direct *d = userdata;

        d->fiber = NULL;
        d->status = r;
        if (r < 0)
                d->error = *err;
}

static void print_result(const Direct *d)
{
        _cleanup_text_ Text t = TEXT_INIT(64U << 20);

        bool sql = d->line->flags[FLAG_SQL] != NULL;

        if (d->config.n_databases > 1 && d->command->report != report_run &&
            d->command->report != report_status)
                text_printf(&t, "%s%s:\n", sql ? "-- " : "", d->database->name);
        if (sql)
                report_plan_sql(&t, d->result);
        else
                d->command->report(&t, d->result);
        (void) fputs(text_str(&t), stdout);
        (void) fflush(stdout);
}

static bool something_applied(const Direct *d)
{
        if (d->operation.kind == OPERATION_PLAN)
                return json_array_size(json_object_get(d->result, "steps")) > 0;
        return json_integer_value(json_object_get(d->result, "applied")) > 0;
}

static bool is_adrift(const Direct *d)
{
        return d->operation.kind == OPERATION_DRIFT && !d->operation.save &&
               json_is_true(json_object_get(d->result, "drifted"));
}

static json_t *database_document(const Direct *d)
{
        json_t *problem;

        if (d->status >= 0)
                return d->result ? json_incref(d->result)
                                 : json_pack("{s:s}", "name", d->database->name);
        problem = problem_json(&d->error, problem_status(&d->error), NULL);
        if (d->result)
                (void) json_object_set(problem, "result", d->result);
        return problem;
}

static void finish_database(Direct *d)
{
        int code = d->status < 0 ? error_info(d->error.code)->exit_code : 0;

        if (d->progress) /* takes the live line away */
                progress_event(d->progress, "run.state", NULL, clock_monotonic());
        if (code == 0 && d->line->flags[FLAG_DETAILED_EXITCODE] && something_applied(d))
                code = EXIT_APPLIED;
        if (code == 0 && is_adrift(d))
                code = error_info(ERROR_REFUSED)->exit_code;
        if (d->line->flags[FLAG_JSON])
                (void) json_array_append_new(d->results, database_document(d));
        else {
                if (d->result || (d->status >= 0 && d->command->kind == OPERATION_WAIT))
                        print_result(d);
                if (d->status < 0)
                        report_error(&d->error, false);
        }
        if (d->exit_code == 0 || (d->exit_code == EXIT_APPLIED && code != 0))
                d->exit_code = code;
        json_decref(d->result);
        d->result = NULL;
}

/* Not everything is a run with events of its own. */
static void show_begin(Direct *d)
{
        json_t *data = json_pack("{s:s,s:s}", "database", d->database->name, "state", "waking");

        if (d->progress)
                progress_event(d->progress, "run.state", data, clock_monotonic());
        json_decref(data);
}

/* Whoever forgot to say which database should not have to wait for the end of waiting to learn it. */
static void note_default_target(const Direct *d)
{
        static const char *const variables[] = { "PGHOST",     "PGHOSTADDR", "PGPORT",
                                                 "PGDATABASE", "PGUSER",     "PGSERVICE" };
        _cleanup_(pg_target_freep) PgTarget *target = NULL;
        bool given = *secret_reveal(d->database->url) != '\0';
        Error ignored;

        for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
                given = given || getenv(variables[i]);
        if (!d->progress || given || pg_target_new(&target, "", &ignored) < 0)
                return;
        (void) fprintf(stderr, "DATABASE_URL is not set: trying %s\n", pg_target_describe(target));
}

static int work_on(Direct *d, const DatabaseSettings *database, Error *err)
{
        int r;

        d->database = database;
        note_default_target(d);
        show_begin(d);
        r = fiber_spawn(&d->fiber, d->event, "command", fiber_main, d, fiber_ended, err);
        if (r < 0)
                return r;
        while (d->fiber) {
                r = sd_event_run(d->event, UINT64_MAX);
                if (r < 0)
                        return error_set(err, ERROR_INTERNAL, "event loop: %s", strerror(-r));
        }
        finish_database(d);
        return 0;
}

/* ---- the command ---- */

static const DirectCommand *find_direct(const char *name)
{
        for (size_t i = 0; i < sizeof direct_commands / sizeof *direct_commands; i++)
                if (strcmp(direct_commands[i].name, name) == 0)
                        return &direct_commands[i];
        return NULL;
}

static int check_resolve(const char *resolve, Error *err)
{
        if (!resolve || strcmp(resolve, "done") == 0 || strcmp(resolve, "rerun") == 0)
                return 0;
        (void) error_set(err, ERROR_USAGE, "--resolve takes done or rerun");
        return error_hint(err,
                          "done: the statement has taken effect; rerun: it has not, run it again");
}

static int prepare_operation(Direct *d, Error *err)
{
        const CommandLine *l = d->line;
        int r = command_timeout(&d->operation.timeout, l, err);

        if (r >= 0)
                r = check_resolve(l->flags[FLAG_RESOLVE], err);
        if (r < 0)
                return r;
        d->operation.kind = d->command->kind;
        d->operation.dry_run = l->flags[FLAG_DRY_RUN] != NULL;
        d->operation.version = l->n_arguments > 0 ? l->arguments[0] : l->flags[FLAG_VERSION];
        d->operation.resolve = l->flags[FLAG_RESOLVE];
        d->operation.snapshot = l->flags[FLAG_SNAPSHOT];
        d->operation.save = l->flags[FLAG_SAVE] != NULL;
        d->operation.trigger = "cli";
        d->operation.by = getenv("USER");
        d->operation.reason = l->flags[FLAG_REASON];
        /* What undo goes back to is never taken from a configuration. */
        for (size_t i = 0; d->command->kind == OPERATION_UNDO && i < l->settings.n; i++)
                if (l->settings.rows[i].option &&
                    strcmp(l->settings.rows[i].option->name, "target") == 0)
                        d->operation.target = l->settings.rows[i].value;
        return 0;
}

static int check_snapshot(const Direct *d, Error *err)
{
        bool given = d->operation.snapshot != NULL, drift = d->command->kind == OPERATION_DRIFT;

        if (drift && !given) {
                (void) error_set(err, ERROR_USAGE, "drift needs --snapshot FILE");
                return error_hint(err, "with --save it takes one; GET /databases/NAME/drift "
                                       "compares with the service's own");
        }
        for (size_t i = 0; given && !drift && i < d->config.n_databases; i++)
                if (d->config.databases[i].drift == DRIFT_OFF) {
                        (void) error_set(err, ERROR_USAGE, "--snapshot is of no use: drift is off");
                        return error_hint(err, "add --drift warn or --drift refuse");
                }
        return 0;
}

static int check_single(const Direct *d, Error *err)
{
        if ((!d->command->one_database && !d->operation.snapshot) || d->config.n_databases == 1)
                return 0;
        (void) error_set(err, ERROR_USAGE, "%s works on one database, and %zu are configured",
                         d->command->name, d->config.n_databases);
        return error_hint(err, "say which one with --database NAME");
}

/* The result is what people came for; the service's log of everything is for the service. */
static void configure_log(const ServiceSettings *s)
{
        log_configure(strcmp(s->log_level, "debug") == 0 ? LOG_DEBUG : LOG_WARNING,
                      strcmp(s->log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_AUTO);
}

int direct_command(const CommandLine *l, Error *err)
{
        _cleanup_(direct_done) Direct d = { .line = l,
                                            .command = find_direct(l->command->name),
                                            .results = json_array() };
        int r = d.results ? 0 : error_oom(err, "results");

        if (r >= 0)
                r = prepare_operation(&d, err);
        if (r >= 0)
                r = command_load_config(&d.config, l, err);
        if (r >= 0)
                r = check_single(&d, err);
        if (r >= 0)
                r = check_snapshot(&d, err);
        if (r < 0)
                return r;
        configure_log(&d.config.service);
        r = start_loop(&d, err);
        for (size_t i = 0; r >= 0 && i < d.config.n_databases && !d.cancelled; i++)
                r = work_on(&d, &d.config.databases[i], err);
        if (r < 0)
                return r;
        if (l->flags[FLAG_JSON]) {
                /* One document for one database, an array for several. */
                (void) json_dumpf(d.config.n_databases == 1 ? json_array_get(d.results, 0)
                                                            : d.results,
                                  stdout, JSON_INDENT(2));
                (void) putchar('\n');
        }
        return d.exit_code;
}
