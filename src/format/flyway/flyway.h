#pragma once
/* Flyway (community): https://documentation.red-gate.com/flyway. What is said here about Flyway was read in
 * its sources (13.0.0) or observed (12.0.2 on PostgreSQL 15). This header is for the files of this folder and
 * their tests; everyone else sees flyway_format. */
#include "format/format.h"

extern const Format flyway_format;

#define FLYWAY_TABLE "flyway_schema_history"
/* Widths of the columns of the history table, in characters. */
#define FLYWAY_MAX_VERSION 50
#define FLYWAY_MAX_DESCRIPTION 200
#define FLYWAY_MAX_SCRIPT 1000
#define FLYWAY_MAX_INSTALLED_BY 100

/* ---- versions: dotted numbers of any length; "_" is as good as "." ---- */

bool flyway_version_valid(const char *v);
/* Missing parts are 0: 1 = 1.0 = 001 < 1.2 < 1.10. Texts that are no versions are ordered as text. */
int flyway_version_compare(const char *a, const char *b);

/* ---- file names ---- */

#define FLYWAY_MAX_NAME 255

typedef struct FlywayEvent {
        const char *name;
        int event; /* HookEvent, or -1: Flyway has it, and there is nothing here that it could follow */
} FlywayEvent;
extern const FlywayEvent flyway_events[]; /* terminated by name NULL */

typedef enum FlywayNameClass {
        FLYWAY_NAME_NONE,      /* no business of ours */
        FLYWAY_NAME_MIGRATION, /* kind, version and description are set */
        FLYWAY_NAME_HOOK,      /* event and description are set */
        FLYWAY_NAME_CONF,      /* the sidecar of the file whose name is left without ".conf" */
        FLYWAY_NAME_INVALID, /* a .sql file that Flyway passes over, or refuses when it validates names */
        FLYWAY_NAME_LOOKALIKE, /* a migration's name, but for its suffix: Flyway passes over it */
        FLYWAY_NAME_REFUSED,   /* Flyway would run it, and we cannot */
} FlywayNameClass;

typedef struct FlywayName {
        FlywayNameClass class;
        MigrationKind kind;
        const FlywayEvent *event;
        char version[FLYWAY_MAX_NAME + 1]; /* normalised; "" where there is none */
        char description[FLYWAY_MAX_NAME + 1];
        const char *
                reason; /* of INVALID and REFUSED: static, ends a sentence that begins with the name */
} FlywayName;

/* base: the file's name without folders. */
void flyway_name_parse(FlywayName *ret, const char *base);

/* ---- options ---- */

const char *flyway_table(const FormatOptions *o);
const char *flyway_baseline_version(const FormatOptions *o);
const char *flyway_baseline_description(const FormatOptions *o);
/* Whether all of them can be understood; needs no database. */
int flyway_check_options(const FormatOptions *o, Error *err);
/* Whether ignore_migration_patterns covers "missing", "pending", "ignored" or "future" of a kind. */
bool flyway_ignores(const FormatOptions *o, bool repeatable, const char *state);
/* Calls fn with each of schemas, after the history's own if that is not among them, until fn fails. */
int flyway_each_schema(const FormatContext *ctx,
                       int (*fn)(void *userdata, const char *name, Error *err), void *userdata,
                       Error *err);
int flyway_resolve(FormatContext *ctx, Error *err);

/* ---- files ---- */

/* CRC-32 of the text without line ends and without one byte order mark at the start. */
int32_t flyway_checksum(const char *data, size_t size);

typedef struct FlywayConf {
        TxPolicy tx;
        bool replace_placeholders;
} FlywayConf;
/* A sidecar, terminated text of a file called path. Refuses unknown keys. */
int flyway_conf_parse(FlywayConf *ret, const char *text, const FormatOptions *o, const char *path,
                      Error *err);

int flyway_detect(const char *folder);
int flyway_read(Changelog **ret, const FormatOptions *o, Error *err);
/* Orders the changelog, and refuses what is there twice. */
int flyway_arrange(Changelog *c, Error *err);
int flyway_new_name(char **ret, const Changelog *c, const char *name, Error *err);

int flyway_bind(Changelog *c, const FormatContext *ctx, Error *err);
int flyway_open_script(ScriptText *ret, const Changelog *c, const Migration *m,
                       const FormatContext *ctx, Error *err);

/* ---- history ---- */

typedef enum FlywayRowClass {
        FLYWAY_ROW_MIGRATION,
        FLYWAY_ROW_BASELINE_SCRIPT, /* a B file */
        FLYWAY_ROW_BASELINE,        /* what the command baseline writes */
        FLYWAY_ROW_SCHEMA,
        FLYWAY_ROW_DELETE, /* takes back the newest row before it of the same version or description */
        FLYWAY_ROW_UNDO, /* the same, as the paid editions write it */
} FlywayRowClass;
FlywayRowClass flyway_row_class(const HistoryRow *row);
/* The type that the file's row has. */
const char *flyway_type(MigrationKind kind);
/* Flyway's way to make a text fit its column; appended to t. */
void flyway_abbreviate_description(Text *t, const char *s);
void flyway_abbreviate_script(Text *t, const char *s);

size_t flyway_lock_keys(const FormatContext *ctx, int64_t keys[FORMAT_MAX_LOCK_KEYS]);
int flyway_load(History **ret, const FormatContext *ctx, PgSession *s, Error *err);
int64_t flyway_next_rank(const History *h);
int flyway_assess(Assessment **ret, const Changelog *c, const History *h, const FormatContext *ctx,
                  AssessPurpose purpose, Error *err);

/* What the entries are measured against, for the rules of validation. NULL where there is none. */
typedef struct FlywayPosition {
        const char *last_applied; /* greatest version of all rows that count, failed ones too */
        const char *applied_baseline;
        const char *pending_baseline; /* the B file that will run */
        const char *greatest_file;
} FlywayPosition;
int flyway_validate(Assessment *a, const Changelog *c, const History *h, const FormatContext *ctx,
                    const FlywayPosition *pos, AssessPurpose purpose, Error *err);

/* "version 1.2 (add orders)" or "repeatable (orders view)" into buf; returns buf. */
#define FLYWAY_LABEL_MAX 300
char *flyway_row_label(const HistoryRow *row, char *buf);
char *flyway_migration_label(const Migration *m, char *buf);

/* ---- SQL: see format.h ---- */

void flyway_add_table(Text *sql, const FormatContext *ctx); /* "schema"."table" */
int flyway_sql_create(Text *sql, const FormatContext *ctx, const History *h, bool baseline,
                      Error *err);
int flyway_sql_applied(Text *sql, const FormatContext *ctx, const Applied *a, Error *err);
int flyway_sql_undone(Text *sql, const FormatContext *ctx, const HistoryRow *row,
                      const Migration *undo, int64_t rank, int64_t ms, Error *err);
int flyway_sql_baseline(Text *sql, const FormatContext *ctx, const Changelog *c, const History *h,
                        Error *err);
int flyway_sql_repair(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                      const History *h, Error *err);

typedef struct FlywayInsert {
        int64_t rank; /* < 0: the server takes the next one */
        const char *version, *description, *type, *script,
                *checksum; /* version, checksum: may be NULL */
        int64_t ms;        /* < 0: the server computes it */
        bool success;
} FlywayInsert;
void flyway_add_insert(Text *sql, const FormatContext *ctx, const FlywayInsert *row);
