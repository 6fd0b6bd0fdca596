#include "main/progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "main/report.h"
#include "util/clock.h"

#define LINE_MAX_BYTES 600

struct Progress {
        FILE *out;
        bool terminal, drawn;
        unsigned columns;
        uint64_t since; /* when the live line's text began */
        char database[64];
        char live[LINE_MAX_BYTES]; /* "": none */
        char detail[64];           /* "statement 4 of 9" */
        char said[LINE_MAX_BYTES]; /* the last thing said about waiting: said once */
};

int progress_new(Progress **ret, FILE *out, bool terminal, unsigned columns, Error *err)
{
        Progress *p = calloc(1, sizeof *p);

        if (!p)
                return error_oom(err, "progress");
        *p = (Progress){ .out = out, .terminal = terminal, .columns = columns > 20 ? columns : 80 };
        *ret = p;
        return 0;
}

unsigned progress_columns(void)
{
        struct winsize size = { .ws_col = 0 };

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void erase(Progress *p)
{
        if (p->drawn)
                (void) fputs("\r\033[K", p->out);
        p->drawn = false;
}

Progress *progress_free(Progress *p)
{
        if (p) {
                erase(p);
                (void) fflush(p->out);
                free(p);
        }
        return NULL;
}

/* At most the columns that there are: a line that wraps could not be taken away again. */
static void draw(Progress *p, uint64_t now)
{
        char line[2 * LINE_MAX_BYTES];
        uint64_t seconds = (now - p->since) / USEC_PER_SEC;
        size_t len, shown = 0;

        if (!p->terminal || !p->live[0])
                return;
        (void) snprintf(line, sizeof line, "%s%s%s  %" PRIu64 " s", p->live,
                        p->detail[0] ? ", " : "", p->detail, seconds);
        for (len = 0; line[len]; len++) {
                shown += ((unsigned char) line[len] & 0xC0) != 0x80;
                if (shown >= p->columns)
                        break;
        }
        erase(p);
        (void) fprintf(p->out, "%.*s", (int) len, line);
        (void) fflush(p->out);
        p->drawn = true;
}

void progress_tick(Progress *p, uint64_t now)
{
        draw(p, now);
}

static void say(Progress *p, const char *text)
{
        char clean[LINE_MAX_BYTES];

        (void) report_clean(clean, sizeof clean, text, false);
        erase(p);
        (void) fprintf(p->out, "%s\n", clean);
        (void) fflush(p->out);
}

static void begin(Progress *p, const char *text, uint64_t now)
{
        if (strcmp(p->live, text) != 0)
                p->since = now;
        (void) report_clean(p->live, sizeof p->live, text, false);
        p->detail[0] = '\0';
        draw(p, now);
}

/* On a terminal the live line says it; elsewhere once, when it is new. */
static void say_waiting(Progress *p, const char *text, uint64_t now)
{
        begin(p, text, now);
        if (p->terminal || strcmp(p->said, text) == 0)
                return;
        (void) snprintf(p->said, sizeof p->said, "%s", text);
        say(p, text);
}

/* ---- events ---- */

static void on_run_state(Progress *p, const json_t *data, uint64_t now)
{
        static const struct {
                const char *state, *text;
        } texts[] = {
                { "queued", "waiting for its turn" }, { "waking", "connecting" },
                { "locking", "taking the lock" },     { "planning", "reading the history" },
                { "applying", "applying" },
        };
        const char *state = report_string(data, "state"),
                   *database = report_string(data, "database");
        char line[LINE_MAX_BYTES];

        if (*database)
                (void) snprintf(p->database, sizeof p->database, "%s", database);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
                if (strcmp(texts[i].state, state) == 0) {
                        (void) snprintf(line, sizeof line, "%s: %s", p->database, texts[i].text);
                        begin(p, line, now);
                        return;
                }
        erase(p); /* it has ended: the result says how */
        p->live[0] = '\0';
}

/* A step is told anew as its statements are done. */
static void show_statement(Progress *p, const json_t *step)
{
        json_int_t done = json_integer_value(json_object_get(step, "statement")),
                   of = json_integer_value(json_object_get(step, "statements"));

        if (of > 1)
                (void) snprintf(p->detail, sizeof p->detail,
                                "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT " statements",
                                done, of);
}

static void on_step(Progress *p, const json_t *data, uint64_t now)
{
        const char *state = report_string(data, "state");
        char line[LINE_MAX_BYTES], took[REPORT_DURATION_MAX];

        if (strcmp(state, "applying") == 0) {
                (void) snprintf(line, sizeof line, "%s: applying %.100s %.200s", p->database,
                                report_string(data, "id"), report_string(data, "description"));
                begin(p, line, now);
                show_statement(p, data);
                draw(p, now);
                return;
        }
        if (strcmp(state, "pending") == 0)
                return;
        (void) report_duration((uint64_t) json_integer_value(json_object_get(data, "duration_ms")),
                               took);
        (void) snprintf(line, sizeof line, "%s: %s %.100s %.200s (%s)", p->database, state,
                        report_string(data, "id"), report_string(data, "description"), took);
        p->live[0] = '\0';
        say(p, line);
}

static void on_availability(Progress *p, const json_t *data, uint64_t now)
{
        const char *state = report_string(data, "state"),
                   *why = report_string(data, "last_error.text");
        char line[LINE_MAX_BYTES];

        if (strcmp(state, "ready") == 0 || strcmp(state, "asleep") == 0 ||
            strcmp(state, "unknown") == 0)
                return;
        if (!*why)
                why = report_string(data, "last_error.message");
        (void) snprintf(line, sizeof line, "%s: %s%s%.300s", p->database,
                        strcmp(state, "waking") == 0 ? "waiting for the database" : state,
                        *why ? ": " : "", why);
        if (*why)
                say_waiting(p, line, now);
        else
                begin(p, line, now);
}

static void on_lock(Progress *p, const json_t *data, uint64_t now)
{
        const json_t *holder = json_object_get(data, "holder");
        const char *application = report_string(holder, "application_name"),
                   *address = report_string(holder, "address"),
                   *since = report_string(holder, "since");
        char line[LINE_MAX_BYTES];

        if (!json_is_true(json_object_get(data, "waiting")))
                return;
        (void) snprintf(line, sizeof line,
                        "%s: waiting for the migration lock, held by process %" JSON_INTEGER_FORMAT
                        "%s%.60s%s%.60s%s%.60s",
                        p->database, json_integer_value(json_object_get(holder, "pid")),
                        *application ? " of " : "", application, *address ? " at " : "", address,
                        *since ? " since " : "", since);
        say_waiting(p, line, now);
}

static void on_retry(Progress *p, const json_t *data, uint64_t now)
{
        char line[LINE_MAX_BYTES];

        (void) snprintf(line, sizeof line, "%s: trying %.100s again after SQLSTATE %.5s",
                        p->database, report_string(data, "id"), report_string(data, "sqlstate"));
        say(p, line);
        draw(p, now);
}

static void on_notice(Progress *p, const json_t *data, uint64_t now)
{
        const char *severity = report_string(data, "severity");
        char line[LINE_MAX_BYTES];

        (void) snprintf(line, sizeof line, "%s: %s: %.500s", p->database,
                        *severity ? severity : "NOTICE", report_string(data, "message"));
        say(p, line);
        draw(p, now);
}

void progress_event(Progress *p, const char *type, const json_t *data, uint64_t now)
{
        static const struct {
                const char *type;
                void (*on)(Progress *p, const json_t *data, uint64_t now);
        } handlers[] = {
                { "run.state", on_run_state },
                { "step.state", on_step },
                { "availability", on_availability },
                { "lock", on_lock },
                { "retry", on_retry },
                { "notice", on_notice },
        };

        for (size_t i = 0; i < sizeof handlers / sizeof *handlers; i++)
                if (strcmp(handlers[i].type, type) == 0)
                        handlers[i].on(p, data, now);
}
