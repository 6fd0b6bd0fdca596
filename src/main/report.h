#pragma once
/* What people read: errors with the place they point at, and results as tables. */
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "util/error.h"
#include "util/text.h"

/* To standard error; with json, as a problem document to standard output. */
void report_error(const Error *err, bool json);
/* "pgmigrated: error: V4__x.sql:12:3: ...", the line that is meant, "hint: ...". */
void report_error_text(Text *out, const Error *err);
/* An error as a run's document has it ({"text", "file", ...}), and problem documents ({"detail", ...}). */
void report_error_from_json(Error *ret, ErrorCode code, const json_t *object);

/* One column of a table: where the cell is ("last_run.state"), numbers to the right. */
typedef struct ReportColumn {
        const char *title, *path;
} ReportColumn;
/* Columns without any content are left out. */
void report_table(Text *out, const json_t *rows, const ReportColumn *columns, size_t n);

void report_runs(Text *out, const json_t *runs);
void report_run(Text *out, const json_t *run);
void report_databases(Text *out, const json_t *databases); /* of GET /status */
void report_plan(Text *out, const json_t *plan);
/* The SQL itself, a comment before each migration; steps of a plan that were cut say so. */
void report_plan_sql(Text *out, const json_t *plan);
void report_history(Text *out, const json_t *history);
void report_status(Text *out, const json_t *status);
void report_drift(Text *out, const json_t *drift);
void report_validation(Text *out, const json_t *validation);

const char *report_string(const json_t *object,
                          const char *path); /* "" when it is none; borrowed */
/* What others wrote, fit for a terminal: UTF-8, and no control characters that could steer it (line ends are kept with
 * lines). buf is terminated; returns it. */
char *report_clean(char *buf, size_t size, const char *s, bool lines);
#define RUN_GOES_ON 75
/* 0 done, else the exit code of a run in that state; RUN_GOES_ON for one that has not ended. */
int report_run_exit_code(const json_t *run, bool detailed);
/* "1.2 s", "3 min 5 s" */
#define REPORT_DURATION_MAX 32
const char *report_duration(uint64_t ms, char buf[REPORT_DURATION_MAX]);
