#include "main/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/problem.h"
#include "main/commands.h"
#include "util/utf8.h"

#define MAX_COLUMNS 12
#define MAX_CELL 512

/* ---- cells ---- */

static const json_t *find(const json_t *object, const char *path)
{
        char key[64];
        const char *dot;

        for (; object && (dot = strchr(path, '.')); path = dot + 1) {
                (void) snprintf(key, sizeof key, "%.*s", (int) (dot - path), path);
                object = json_object_get(object, key);
        }
        return json_object_get(object, path);
}

const char *report_string(const json_t *object, const char *path)
{
        const char *s = json_string_value(find(object, path));

        return s ? s : "";
}

static uint64_t number(const json_t *object, const char *path)
{
        json_int_t n = json_integer_value(find(object, path));

        return n > 0 ? (uint64_t) n : 0;
}

char *report_clean(char *buf, size_t size, const char *s, bool lines)
{
        utf8_sanitize(buf, size, s);
        for (char *p = buf; *p; p++)
                if (((unsigned char) *p < ' ' && !(lines && *p == '\n')) || *p == 0x7f)
                        *p = ' ';
        return buf;
}

static const char *cell(const json_t *row, const char *path, char buf[MAX_CELL])
{
        const json_t *v = find(row, path);

        buf[0] = '\0';
        if (json_is_string(v))
                (void) report_clean(buf, MAX_CELL, json_string_value(v), false);
        else if (json_is_integer(v))
                (void) snprintf(buf, MAX_CELL, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        else if (json_is_boolean(v))
                (void) snprintf(buf, MAX_CELL, "%s", json_is_true(v) ? "yes" : "no");
        return buf;
}

static size_t width_of(const char *s)
{
        return utf8_count(s, strlen(s));
}

static void add_padded(Text *out, const char *s, size_t width, bool last)
{
        text_add(out, s);
        for (size_t w = width_of(s); !last && w < width + 2; w++)
                text_addc(out, ' ');
}

/* Trailing spaces help nobody. */
static void end_line(Text *out)
{
        while (out->len > 0 && out->s[out->len - 1] == ' ')
                out->s[--out->len] = '\0';
        text_addc(out, '\n');
}

void report_table(Text *out, const json_t *rows, const ReportColumn *columns, size_t n)
{
        size_t widths[MAX_COLUMNS] = { 0 }, i;
        char buf[MAX_CELL];
        const json_t *row;

        json_array_foreach(rows, i, row)
        {
                for (size_t c = 0; c < n; c++) {
                        size_t w = width_of(cell(row, columns[c].path, buf));

                        widths[c] = w > widths[c] ? w : widths[c];
                }
        }
        for (size_t c = 0; c < n; c++) {
                size_t w = width_of(columns[c].title);

                if (widths[c] == 0)
                        continue;
                widths[c] = w > widths[c] ? w : widths[c];
                add_padded(out, columns[c].title, widths[c], c + 1 == n);
        }
        end_line(out);
        json_array_foreach(rows, i, row)
        {
                for (size_t c = 0; c < n; c++)
                        if (widths[c] > 0)
                                add_padded(out, cell(row, columns[c].path, buf), widths[c],
                                           c + 1 == n);
                end_line(out);
        }
}
#define TABLE(out, rows, ...)                                              \
        report_table((out), (rows), (const ReportColumn[]){ __VA_ARGS__ }, \
                     sizeof((const ReportColumn[]){ __VA_ARGS__ }) / sizeof(ReportColumn))

const char *report_duration(uint64_t ms, char buf[REPORT_DURATION_MAX])
{
        if (ms < 1000)
                (void) snprintf(buf, REPORT_DURATION_MAX, "%" PRIu64 " ms", ms);
        else if (ms < 60000)
                (void) snprintf(buf, REPORT_DURATION_MAX, "%" PRIu64 ".%" PRIu64 " s", ms / 1000,
                                ms % 1000 / 100);
        else
                (void) snprintf(buf, REPORT_DURATION_MAX, "%" PRIu64 " min %" PRIu64 " s",
                                ms / 60000, ms % 60000 / 1000);
        return buf;
}

/* ---- errors ---- */

/* Line `wanted` of a file of the user's, without its end; 0: there is none. */
static size_t read_line(const char *path, unsigned long wanted, char *buf, size_t size)
{
        FILE *f = fopen(path, "re");
        size_t len = 0;
        int c = EOF;

        if (!f)
                return 0;
        for (unsigned long line = 1; line <= wanted && (c = getc_unlocked(f)) != EOF;) {
                if (c == '\n')
                        line++;
                else if (line == wanted && len + 1 < size)
                        buf[len++] = (char) (c == '\t' ? ' ' : c);
        }
        (void) fclose(f);
        buf[len] = '\0';
        while (len > 0 && buf[len - 1] == '\r')
                buf[--len] = '\0';
        return len;
}

/* Only lines of migrations are shown: those of a configuration may hold a password. */
static void add_source_line(Text *out, const Error *err)
{
        char raw[400], line[400], number_text[24];

        if (!err->path[0] || !err->line || err->code == ERROR_CONFIG || err->code == ERROR_USAGE ||
            !read_line(err->path, err->line, raw, sizeof raw))
                return;
        (void) report_clean(line, sizeof line, raw, false);
        (void) snprintf(number_text, sizeof number_text, "%5lu", err->line);
        text_printf(out, "%s | %s\n", number_text, line);
        if (!err->column || err->column > width_of(line) + 1)
                return;
        text_printf(out, "%*s | %*s^\n", (int) strlen(number_text), "", (int) err->column - 1, "");
}

void report_error_text(Text *out, const Error *err)
{
        char clean[sizeof err->text], hint[sizeof err->hint];

        (void) report_clean(clean, sizeof clean, err->text, true);
        text_add(out, "pgmigrated: error: ");
        if (err->path[0])
                text_add(out, err->path);
        if (err->path[0] && err->line)
                text_printf(out, ":%lu", err->line);
        if (err->path[0] && err->line && err->column)
                text_printf(out, ":%lu", err->column);
        text_printf(out, "%s%s", err->path[0] ? ": " : "", clean);
        if (err->sqlstate[0] && !strstr(clean, err->sqlstate))
                text_printf(out, " (SQLSTATE %s)", err->sqlstate);
        text_addc(out, '\n');
        add_source_line(out, err);
        if (err->hint[0])
                text_printf(out, "hint: %s\n", report_clean(hint, sizeof hint, err->hint, true));
}

void report_error(const Error *err, bool json)
{
        _cleanup_text_ Text t = TEXT_INIT(65536);

        if (json) {
                json_t *problem = problem_json(err, problem_status(err), NULL);

                (void) json_dumpf(problem, stdout, JSON_INDENT(2));
                (void) putchar('\n');
                (void) fflush(stdout);
                json_decref(problem);
                return;
        }
        report_error_text(&t, err);
        (void) fputs(text_str(&t), stderr);
}

static void copy_text(char *to, size_t size, const char *from)
{
        (void) snprintf(to, size, "%s", from);
}

void report_error_from_json(Error *ret, ErrorCode code, const json_t *object)
{
        const char *text = report_string(object, "text"), *detail = report_string(object, "detail");

        *ret = (Error){ .code = code };
        copy_text(ret->text, sizeof ret->text, *text ? text : detail);
        copy_text(ret->sqlstate, sizeof ret->sqlstate, report_string(object, "sqlstate"));
        copy_text(ret->path, sizeof ret->path, report_string(object, "file"));
        copy_text(ret->hint, sizeof ret->hint, report_string(object, "hint"));
        ret->line = number(object, "line");
        ret->column = number(object, "column");
}

/* ---- results ---- */

static void add_list(Text *out, const char *label, const json_t *texts)
{
        const json_t *v;
        size_t i;

        json_array_foreach(texts, i, v)
        {
                const char *s = json_is_object(v) ? report_string(v, "text") : json_string_value(v);
                const char *file = json_is_object(v) ? report_string(v, "file") : "";
                const char *hint = json_is_object(v) ? report_string(v, "hint") : "";

                text_printf(out, "%s: %s%s%s\n", label, file, *file ? ": " : "", s ? s : "");
                if (*hint)
                        text_printf(out, "  hint: %s\n", hint);
        }
}

static const struct {
        const char *state;
        int exit_code;
} run_exit_codes[] = {
        { "succeeded", 0 },   { "failed", 1 },    { "refused", 3 },
        { "unavailable", 4 }, { "cancelled", 5 }, { "interrupted", 4 },
};

int report_run_exit_code(const json_t *run, bool detailed)
{
        const char *state = report_string(run, "state");

        for (size_t i = 0; i < sizeof run_exit_codes / sizeof *run_exit_codes; i++)
                if (strcmp(run_exit_codes[i].state, state) == 0)
                        return run_exit_codes[i].exit_code == 0 && detailed &&
                                               number(run, "applied") > 0
                                       ? EXIT_APPLIED
                                       : run_exit_codes[i].exit_code;
        return RUN_GOES_ON;
}

static void add_version_change(Text *out, const json_t *run)
{
        const char *from = report_string(run, "from_version"),
                   *to = report_string(run, "to_version");

        if (strcmp(report_string(run, "state"), "succeeded") != 0)
                return; /* to_version is where it wanted to go */
        if (*to && strcmp(from, to) != 0)
                text_printf(out, ", version %s -> %s", *from ? from : "none", to);
        else if (*to)
                text_printf(out, ", at version %s", to);
}

void report_run(Text *out, const json_t *run)
{
        static const char *const phases[] = { "waking", "locking", "planning", "applying" };
        uint64_t applied = number(run, "applied"), ms = 0;
        bool dry = json_is_true(find(run, "request.dry_run"));
        char took[REPORT_DURATION_MAX], path[32];

        for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
                (void) snprintf(path, sizeof path, "phases_ms.%s", phases[i]);
                ms += number(run, path);
        }
        if (!dry) /* the plan below has them */
                add_list(out, "warning", find(run, "warnings"));
        text_printf(out, "%s: %s %s", report_string(run, "database"),
                    report_string(run, "operation"), report_string(run, "state"));
        if (dry)
                text_add(out, " (dry run, nothing was changed)");
        else if (applied > 0)
                text_printf(out, ", %" PRIu64 " %s", applied,
                            strcmp(report_string(run, "operation"), "undo") == 0 ? "undone"
                                                                                 : "applied");
        else if (report_run_exit_code(run, false) == RUN_GOES_ON) /* what ctl cancel takes */
                text_printf(out, ", run %s", report_string(run, "id"));
        else if (strcmp(report_string(run, "state"), "succeeded") == 0 &&
                 json_array_size(find(run, "steps")) == 0 &&
                 json_array_size(find(run, "result.changes")) == 0)
                text_add(out, ", nothing to do");
        add_version_change(out, run);
        text_printf(out, " (%s)\n", report_duration(ms, took));
        if (dry && json_is_object(find(run, "result")))
                report_plan(out, find(run, "result"));
        add_list(out, "changed", find(run, "result.changes"));
}

void report_runs(Text *out, const json_t *runs)
{
        TABLE(out, runs, { "RUN", "id" }, { "DATABASE", "database" }, { "STATE", "state" },
              { "CREATED", "created_at" }, { "TRIGGER", "trigger.kind" }, { "BY", "trigger.by" },
              { "APPLIED", "applied" }, { "VERSION", "to_version" }, { "ERROR", "error.text" });
}

void report_databases(Text *out, const json_t *databases)
{
        TABLE(out, databases, { "DATABASE", "name" }, { "AVAILABILITY", "availability.state" },
              { "VERSION", "schema.version" }, { "APPLIED", "schema.applied" },
              { "PENDING", "schema.pending" }, { "FAILED", "schema.failed" },
              { "KNOWN AT", "schema.known_at" }, { "RUNNING", "current_run.state" },
              { "LAST RUN", "last_run.state" },
              { "LAST ERROR", "availability.last_error.message" });
}

void report_plan(Text *out, const json_t *plan)
{
        const json_t *steps = find(plan, "steps");

        if (json_array_size(steps) == 0)
                text_add(out, "nothing to do\n");
        else
                TABLE(out, steps, { "VERSION", "id" }, { "DESCRIPTION", "description" },
                      { "KIND", "kind" }, { "TRANSACTION", "transactional" },
                      { "STATEMENTS", "statements" }, { "FILE", "file" });
        if (plan && !json_is_string(find(plan, "state"))) /* a run has shown its own */
                add_list(out, "warning", find(plan, "warnings"));
        add_list(out, "refused", find(plan, "refusals"));
}

void report_plan_sql(Text *out, const json_t *plan)
{
        size_t i;
        json_t *step;

        json_array_foreach(find(plan, "steps"), i, step)
        {
                text_printf(out, "%s-- %s: %s (%s)\n", i ? "\n" : "", report_string(step, "id"),
                            report_string(step, "description"), report_string(step, "file"));
                text_add(out, json_string_value(find(step, "sql")) ?: "");
                if (json_is_true(find(step, "sql_truncated")))
                        text_printf(out, "\n-- cut: the script has %" PRIu64 " bytes\n",
                                    number(step, "bytes"));
        }
}

void report_history(Text *out, const json_t *history)
{
        const json_t *rows = find(history, "history");

        if (json_array_size(rows) == 0)
                text_add(out, "there is no history\n");
        else
                TABLE(out, rows, { "RANK", "rank" }, { "VERSION", "version" }, { "ID", "id" },
                      { "AUTHOR", "author" }, { "DESCRIPTION", "description" }, { "TYPE", "type" },
                      { "SCRIPT", "script" }, { "INSTALLED BY", "installed_by" },
                      { "INSTALLED ON", "installed_on" }, { "MS", "execution_ms" },
                      { "SUCCESS", "success" });
}

void report_status(Text *out, const json_t *status)
{
        const json_t *entries = find(status, "entries"), *schema = find(status, "schema");
        const char *version = report_string(schema, "version");

        text_printf(out, "%s: %s%s, %" PRIu64 " applied, %" PRIu64 " pending, %" PRIu64 " failed\n",
                    report_string(status, "database"), *version ? "version " : "no version",
                    version, number(schema, "applied"), number(schema, "pending"),
                    number(schema, "failed"));
        if (json_array_size(entries) > 0)
                TABLE(out, entries, { "VERSION", "version" }, { "CHANGESET", "changeset" },
                      { "DESCRIPTION", "description" }, { "KIND", "kind" }, { "STATE", "state" },
                      { "NOTE", "reason" }, { "INSTALLED ON", "installed_on" }, { "FILE", "file" });
        add_list(out, "warning", find(status, "warnings"));
        add_list(out, "refused", find(status, "refusals"));
}

void report_validation(Text *out, const json_t *validation)
{
        if (json_array_size(find(validation, "complaints")) == 0)
                text_add(out, "valid\n");
        add_list(out, "warning", find(validation, "warnings"));
        add_list(out, "invalid", find(validation, "complaints"));
}

void report_drift(Text *out, const json_t *drift)
{
        const json_t *changes = find(drift, "changes");
        const char *at = report_string(drift, "snapshot_at");

        if (json_array_size(changes) > 0)
                TABLE(out, changes, { "CHANGE", "change" }, { "KIND", "kind" },
                      { "OBJECT", "object" });
        else if (*at)
                text_printf(out, "no drift since %s\n", at);
        if (json_is_true(find(drift, "saved")))
                text_add(out, "snapshot saved\n");
}
