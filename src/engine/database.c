#include "engine/database.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "util/log.h"

static void publish_availability(void *userdata, const Availability *a)
{
        Database *d = userdata;
        json_t *data;

        if (!d->events)
                return;
        data = json_pack("{s:s,s:s,s:I,s:o}", "database", d->name, "state",
                         availability_state_name(a->state), "attempts", (json_int_t) a->attempts,
                         "last_error", error_json(&a->last_error));
        event_log_publish(d->events, "availability", d->current ? d->current->id : "", data);
        json_decref(data);
}

int database_new(Database **ret, const DatabaseSettings *settings, EventLog *events, Store *store,
                 Error *err)
{
        _cleanup_(database_freep) Database *d = calloc(1, sizeof *d);
        int r = 0;

        if (!d)
                return error_oom(err, "a database");
        *d = (Database){ .settings = settings, .events = events, .store = store };
        condition_init(&d->free);
        d->availability.changed = publish_availability;
        d->availability.userdata = d;
        d->name = strdup(settings->name);
        if (!d->name)
                return error_oom(err, "a database");
        if (store)
                r = store_load_schema(store, d->name, &d->schema, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(d);
        return 0;
}

Database *database_free(Database *d)
{
        if (!d)
                return NULL;
        run_unref(d->current);
        run_unref(d->last);
        json_decref(d->schema);
        free(d->name);
        free(d);
        return NULL;
}

int database_enter(Database *d, Error *err)
{
        while (d->busy) {
                int r = fiber_wait(&d->free, USEC_INFINITY, err);

                if (r < 0)
                        return r;
        }
        d->busy = true;
        return 0;
}

void database_leave(Database *d)
{
        d->busy = false;
        condition_signal(&d->free);
}

void database_know_schema(Database *d, json_t *schema)
{
        Error err;

        if (!schema)
                return;
        json_decref(d->schema);
        d->schema = schema;
        if (d->store && store_save_schema(d->store, d->name, schema, &err) < 0)
                log_error("cannot store what is known of a schema", LOG_S("DATABASE", d->name),
                          LOG_ERR_FIELDS(&err));
}

/* ---- status ---- */

static json_t *time_json(uint64_t wall)
{
        char text[CLOCK_TEXT_MAX];

        return wall ? json_string(clock_format(wall, text)) : json_null();
}

static json_t *last_error_json(const Availability *a)
{
        json_t *j;

        if (a->last_error.code == ERROR_NONE)
                return json_null();
        j = error_json(&a->last_error);
        (void) json_object_del(j, "error");
        (void) json_object_set(j, "message", json_object_get(j, "text"));
        (void) json_object_del(j, "text");
        (void) json_object_set_new(j, "at", time_json(a->last_error_wall));
        (void) json_object_set_new(j, "class", json_string(outcome_class_name(a->last_class)));
        return j;
}

static json_t *availability_json(const Availability *a)
{
        uint64_t waking = a->waking_since ? clock_monotonic() - a->waking_since : 0;

        return json_pack(
                "{s:s,s:o,s:I,s:I,s:o,s:o,s:I,s:o}", "state", availability_state_name(a->state),
                "since", time_json(a->since_wall), "attempts", (json_int_t) a->attempts,
                "waking_ms", (json_int_t) (waking / USEC_PER_MSEC), "last_ready_at",
                time_json(a->last_ready_wall), "last_wake_ms",
                a->last_ready_wall ? json_integer((json_int_t) (a->last_wake_usec / USEC_PER_MSEC))
                                   : json_null(),
                "connections", (json_int_t) a->connections, "last_error", last_error_json(a));
}

static json_t *holder_json(const LockHolder *h)
{
        return json_pack("{s:i,s:s,s:s,s:s,s:s}", "pid", h->pid, "application_name",
                         h->application_name, "user", h->user, "address", h->address, "since",
                         h->since);
}

static json_t *lock_json(const Database *d)
{
        return json_pack("{s:b,s:b,s:o}", "held", d->lock_held, "waiting", d->lock_waiting,
                         "holder", d->lock_waiting ? holder_json(&d->lock_holder) : json_null());
}

void database_lock_changed(Database *d)
{
        json_t *data;

        if (!d->events)
                return;
        data = lock_json(d);
        (void) json_object_set_new(data, "database", json_string(d->name));
        event_log_publish(d->events, "lock", d->current ? d->current->id : "", data);
        json_decref(data);
}

static json_t *last_run_json(const Run *r)
{
        return r ? json_pack("{s:s,s:s,s:o,s:o}", "id", r->id, "state", run_state_name(r->state),
                             "finished_at", time_json(r->finished_wall), "error",
                             error_json(&r->error))
                 : json_null();
}

json_t *database_status_json(const Database *d)
{
        json_t *schema = d->schema ? json_incref(d->schema) : json_null();

        return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o}", "name", d->name, "availability",
                         availability_json(&d->availability), "schema", schema, "lock",
                         lock_json(d), "current_run",
                         d->current ? run_summary_json(d->current) : json_null(), "last_run",
                         last_run_json(d->last));
}

char *database_unready_reason(const Database *d)
{
        json_int_t pending, failed;
        char *reason = NULL;

        if (!d->schema) {
                if (asprintf(&reason, "%s: not looked at yet", d->name) < 0)
                        return NULL;
                return reason;
        }
        pending = json_integer_value(json_object_get(d->schema, "pending"));
        failed = json_integer_value(json_object_get(d->schema, "failed"));
        if (d->last && d->last->state != RUN_SUCCEEDED) {
                if (asprintf(&reason, "%s: the last run (%s) %s: %s", d->name, d->last->id,
                             run_state_name(d->last->state), d->last->error.text) < 0)
                        return NULL;
        } else if (pending > 0 || failed > 0) {
                if (asprintf(&reason,
                             "%s: %" JSON_INTEGER_FORMAT " pending, %" JSON_INTEGER_FORMAT
                             " failed",
                             d->name, pending, failed) < 0)
                        return NULL;
        }
        return reason;
}

bool database_needs_look(const Database *d)
{
        const FormatOptions *o = &d->settings->changelog;
        _cleanup_(changelog_freep) Changelog *c = NULL;
        const Format *format = NULL;
        char files[DATABASE_FINGERPRINT_SIZE];
        const char *known;
        Error ignored;

        if (!d->settings->migrate_on_start)
                return false;
        known = json_string_value(json_object_get(d->schema, "files"));
        if (!known || json_integer_value(json_object_get(d->schema, "pending")) > 0 ||
            json_integer_value(json_object_get(d->schema, "failed")) > 0)
                return true;
        if (format_find(&format, d->settings->format, o->folder, &ignored) < 0 ||
            format->read(&c, o, &ignored) < 0 || database_fingerprint(files, c, &ignored) < 0)
                return true; /* the run will say what is wrong */
        return strcmp(known, files) != 0;
}

int database_fingerprint(char ret[DATABASE_FINGERPRINT_SIZE], const Changelog *c, Error *err)
{
        uLong crc = crc32(0, NULL, 0);

        for (size_t i = 0; i < c->n_migrations; i++) {
                _cleanup_file_view_ FileView v = { .data = NULL };
                const Migration *m = &c->migrations[i];
                int r = fiber_breathe(err);

                if (r >= 0)
                        r = file_view_open(&v, AT_FDCWD, m->path, m->path, err);

                if (r < 0)
                        return r;
                crc = crc32(crc, (const Bytef *) m->script, (uInt) strlen(m->script));
                crc = crc32_z(crc, (const Bytef *) v.data, v.size);
        }
        (void) snprintf(ret, DATABASE_FINGERPRINT_SIZE, "%zu-%08lx", c->n_migrations, crc);
        return 0;
}

/* ---- metrics ---- */

#define FIELD(f) offsetof(Database, f)
/* clang-format off */
static const struct {
        const char *name, *type, *help;
        size_t at; /* of a uint64_t */
} metrics[] = {
        { "pgmigrated_connection_attempts_total", "counter", "Attempts to connect.", FIELD(availability.total_attempts) },
        { "pgmigrated_logins_refused_total",      "counter", "Logins that the server refused.", FIELD(availability.logins_refused) },
        { "pgmigrated_wakes_total",               "counter", "Times the database became ready.", FIELD(availability.wakes) },
        { "pgmigrated_last_wake_microseconds",    "gauge",   "How long the last wake took.", FIELD(availability.last_wake_usec) },
        { "pgmigrated_migrations_applied_total",  "counter", "Migrations applied.", FIELD(migrations_applied) },
        { "pgmigrated_statements_total",          "counter", "Statements of migrations executed.", FIELD(statements) },
        { "pgmigrated_retries_total",             "counter", "Migrations tried again after a lock, deadlock or serialization failure.", FIELD(retries) },
        { "pgmigrated_lock_waits_total",          "counter", "Times the migration lock was found held.", FIELD(lock_waits) },
};
/* clang-format on */
#define N_METRICS (sizeof metrics / sizeof *metrics)
/* Behind the counters: what is not a plain number of Database. */
enum { METRIC_CONNECTIONS = N_METRICS, METRIC_PENDING, METRIC_RUNS, METRIC_COUNT };

unsigned database_metric_count(void)
{
        return METRIC_COUNT;
}

static void head(Text *out, const char *name, const char *type, const char *help)
{
        text_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void database_metric_head(unsigned metric, Text *out)
{
        switch (metric) {
        case METRIC_CONNECTIONS:
                head(out, "pgmigrated_connections", "gauge", "Connections open now.");
                break;
        case METRIC_PENDING:
                head(out, "pgmigrated_pending_migrations", "gauge",
                     "Pending migrations, as last seen.");
                break;
        case METRIC_RUNS:
                head(out, "pgmigrated_runs_total", "counter", "Runs by how they ended.");
                break;
        default:
                head(out, metrics[metric].name, metrics[metric].type, metrics[metric].help);
        }
}

static void sample(Text *out, const Database *d, const char *name, const char *state,
                   uint64_t value)
{
        text_printf(out, "%s{database=\"", name);
        for (const char *s = d->name; *s; s++)
                text_printf(out, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
        text_printf(out, state ? "\",state=\"%s\"} " : "\"} ", state);
        text_printf(out, "%" PRIu64 "\n", value);
}

void database_metric(const Database *d, unsigned metric, Text *out)
{
        switch (metric) {
        case METRIC_CONNECTIONS:
                sample(out, d, "pgmigrated_connections", NULL, d->availability.connections);
                break;
        case METRIC_PENDING:
                sample(out, d, "pgmigrated_pending_migrations", NULL,
                       (uint64_t) json_integer_value(json_object_get(d->schema, "pending")));
                break;
        case METRIC_RUNS:
                for (unsigned s = RUN_SUCCEEDED; s < _RUN_STATE_MAX; s++)
                        sample(out, d, "pgmigrated_runs_total", run_state_name(s), d->runs[s]);
                break;
        default:
                sample(out, d, metrics[metric].name, NULL,
                       *(const uint64_t *) (const void *) ((const char *) d + metrics[metric].at));
        }
}
