#pragma once
/* What a migration format (Flyway, later Liquibase, golang-migrate, ...) supplies. The engine knows none by
 * name: it reads a folder into a Changelog, a history table into a History, lets the format assess the two
 * against each other, and runs what the format's SQL tells it to.
 *
 * A format never connects, commits or waits on its own account, except through the PgSession handed to load(). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/cleanup.h"
#include "util/error.h"
#include "util/file.h"
#include "util/text.h"

typedef struct PgSession PgSession;
typedef struct Format Format;

/* ---- what is on disk ---- */

typedef enum MigrationKind {
        MIGRATION_VERSIONED,
        MIGRATION_REPEATABLE,
        MIGRATION_BASELINE, /* a script that stands for all versions up to its own */
        MIGRATION_UNDO, /* belongs to the versioned one of the same version; never pending by itself */
        MIGRATION_CHANGESET,
        _MIGRATION_KIND_MAX,
} MigrationKind;
const char *migration_kind_name(MigrationKind k); /* as in API.md: "versioned", ... */

typedef enum TxPolicy {
        TX_AUTO,  /* in one transaction unless a statement of it cannot be */
        TX_NEVER, /* statement by statement, as the file or its sidecar asks */
        TX_ALWAYS, /* in one transaction; a statement that cannot be is an error before anything runs */
} TxPolicy;

typedef struct Migration {
        MigrationKind kind;
        char *id; /* how people call it, unique in the changelog: "1.2", or "R:description", ... */
        char *version; /* as the history stores it; NULL where there is none */
        char *description;
        char *script;       /* path below the folder, '/' separated: what the history stores */
        char *path;         /* folder/script: for errors */
        unsigned long line; /* where it begins in path; 0: it is the whole file */
        char *checksum; /* as text, "" when the format has none; of a repeatable only after bind() */
        TxPolicy tx;
        bool replace_placeholders;
        bool asks_first; /* prepare() decides, right before its turn, whether it runs */
        bool may_fail;   /* its failure is reported and rolled back, and what follows goes on */
        int32_t checksum_alt; /* format-private: a second checksum that matches too */
        bool has_checksum_alt;
        const void
                *model; /* format-private: what it was made from; the changelog's model owns it */
} Migration;

/* Where SQL of the user's runs besides migrations. Formats without hooks have none. */
typedef enum HookEvent {
        HOOK_AFTER_CONNECT,
        HOOK_BEFORE_MIGRATE,
        HOOK_AFTER_MIGRATE,
        HOOK_AFTER_MIGRATE_APPLIED,
        HOOK_AFTER_MIGRATE_ERROR,
        HOOK_BEFORE_EACH_MIGRATE,
        HOOK_AFTER_EACH_MIGRATE,
        HOOK_AFTER_EACH_MIGRATE_ERROR,
        HOOK_BEFORE_EACH_STATEMENT,
        HOOK_AFTER_EACH_STATEMENT,
        HOOK_AFTER_EACH_STATEMENT_ERROR,
        HOOK_BEFORE_REPEATABLES,
        HOOK_AFTER_VERSIONED,
        HOOK_BEFORE_UNDO,
        HOOK_AFTER_UNDO,
        HOOK_AFTER_UNDO_ERROR,
        HOOK_BEFORE_EACH_UNDO,
        HOOK_AFTER_EACH_UNDO,
        HOOK_AFTER_EACH_UNDO_ERROR,
        HOOK_BEFORE_VALIDATE,
        HOOK_AFTER_VALIDATE,
        HOOK_AFTER_VALIDATE_ERROR,
        HOOK_BEFORE_BASELINE,
        HOOK_AFTER_BASELINE,
        HOOK_AFTER_BASELINE_ERROR,
        HOOK_BEFORE_REPAIR,
        HOOK_AFTER_REPAIR,
        HOOK_AFTER_REPAIR_ERROR,
        HOOK_BEFORE_INFO,
        HOOK_AFTER_INFO,
        HOOK_AFTER_INFO_ERROR,
        HOOK_BEFORE_CREATE_SCHEMA,
        HOOK_CREATE_SCHEMA,
        _HOOK_EVENT_MAX,
} HookEvent;

typedef struct Hook {
        HookEvent event;
        Migration script; /* kind is meaningless; id, description, script, path, tx are set */
} Hook;

typedef struct Changelog {
        const Format *format;
        char *folder;
        Migration *
                migrations; /* in the order of the format: versioned and baseline by version, then repeatables */
        size_t n_migrations;
        Hook *hooks; /* by event, then in the order in which they run */
        size_t n_hooks;
        char **warnings; /* files that look like migrations but are not: one sentence each */
        size_t n_warnings;
        void *model; /* format-private; given back by format->forget() */
} Changelog;
Changelog *changelog_free(Changelog *c);
DEFINE_CLEANUP(Changelog *, changelog_free)

/* ---- options: neutral names; a format refuses the ones it has no use for when they are set ---- */

typedef struct Placeholder {
        char *name, *value;
} Placeholder;

typedef struct FormatOptions {
        char *folder;         /* folder (or changelog file) with the migrations */
        char *table;          /* "" = the format's default */
        char *schemas;        /* comma-separated; "" = the connection's current schema */
        char *default_schema; /* "" = first of schemas, else current_schema */
        bool create_schemas;
        bool out_of_order;
        bool validate_on_migrate;
        bool validate_naming; /* a .sql file whose name is no migration's is an error */
        bool mixed; /* a file may mix statements that can and cannot run in a transaction (it then runs without) */
        bool group; /* all pending ones in one transaction */
        bool baseline_on_migrate;
        char *baseline_version;          /* default "1" */
        char *baseline_description;      /* default "<< Flyway Baseline >>" */
        char *ignore_migration_patterns; /* "*:future" */
        char *installed_by;              /* "" = current_user */
        bool placeholder_replacement;
        char *placeholder_prefix, *placeholder_suffix, *placeholder_separator; /* "${", "}", ":" */
        Placeholder *placeholders;
        size_t n_placeholders;
        char *target; /* "latest" (or ""), "current", "next", VERSION, "VERSION?", or as the format has it */
        char *contexts; /* of this run, comma-separated; "": none given */
        char *labels;   /* which labels run, an expression; "": any */
        char *root; /* folder that the paths in the history start at; "": that of the changelog file */
        bool allow_execute;     /* a changelog may run programs */
        bool allow_environment; /* ${NAME} in a changelog may be an environment variable */
} FormatOptions;

/* What the format must know of the database it works on. Filled by the engine right after connecting. */
typedef struct FormatContext {
        const FormatOptions *options;
        int server_version; /* PQserverVersion */
        const char *database, *user, *current_schema /* "" when there is none */;
        const char *schema; /* the history's schema: set by Format.resolve() into buf below */
        char schema_buf[256];
        const char *table;  /* the history's name there, likewise; borrowed from the options */
        char timestamp[32]; /* local "yyyy-MM-dd HH:mm:ss" at the start of the run */
        char deployment
                [16]; /* last ten digits of the milliseconds since 1970, then: names what one run did */
} FormatContext;

/* ---- what the history says ---- */

typedef struct HistoryRow {
        int64_t rank;
        char *version; /* NULL where there is none */
        char *description, *type, *script, *installed_by;
        char *id, *author;  /* of the formats that call their migrations so; else NULL */
        char *deployment;   /* which run wrote it; NULL: not told */
        char *tool_version; /* of the tool that wrote it; NULL: not told */
        char *checksum;     /* NULL when the column is */
        char *installed_on; /* as the server prints it, ISO */
        int64_t execution_ms;
        bool success;
} HistoryRow;

typedef struct History {
        bool exists; /* the table does */
        bool schema_exists;
        bool schema_empty; /* meaningful only when the table does not exist */
        HistoryRow *rows;  /* by rank */
        size_t n_rows;
        char **missing_schemas; /* of those that the options name: do not exist yet */
        size_t n_missing_schemas;
        uint32_t missing_columns; /* format-private: what an older table lacks, a bit each */
        int64_t next_rank; /* as load() foresees it: after the rows that sql_create() will write; 0: by the rows alone */
} History;
History *history_free(History *h);
DEFINE_CLEANUP(History *, history_free)

/* ---- the two against each other ---- */

typedef enum EntryState {
        ENTRY_PENDING,  /* to be run */
        ENTRY_OUTDATED, /* a repeatable that ran, and whose text changed since: to be run again */
        ENTRY_APPLIED,
        ENTRY_OUT_OF_ORDER, /* applied after a greater version */
        ENTRY_SUPERSEDED,   /* an older run of a repeatable */
        ENTRY_BASELINE,
        ENTRY_BELOW_BASELINE,
        ENTRY_IGNORED, /* older than what was applied, never to be run */
        ENTRY_ABOVE_TARGET,
        ENTRY_MISSING, /* a row without a file */
        ENTRY_FUTURE,  /* the same, newer than every file */
        ENTRY_FAILED,  /* success=false */
        ENTRY_UNDONE,
        ENTRY_MARKER,   /* rows such as SCHEMA or DELETE that are no migration's */
        ENTRY_FILTERED, /* not meant for this run: contexts, labels, ... */
        _ENTRY_STATE_MAX,
} EntryState;
const char *entry_state_name(EntryState s); /* "pending", "out of order", ... */

typedef struct Entry {
        const Migration *migration; /* NULL: no file; borrowed from the changelog */
        const HistoryRow *row;      /* NULL: no row; borrowed from the history */
        const Migration *undo;      /* the undo script of it, if there is one */
        const char *
                reason; /* why it is filtered, ignored, ...: a few words, static or the changelog's; NULL: none */
        EntryState state;
        bool always; /* it runs with every migrate: no sign of anything that is pending */
} Entry;

typedef struct Assessment {
        /* Rows by rank with their files, then what has no row yet or is ENTRY_OUTDATED, in the order in which it would
         * run: whoever runs the entries that are ENTRY_PENDING or ENTRY_OUTDATED from first to last does it right. */
        Entry *entries;
        size_t n_entries;
        char *current_version; /* greatest applied version, NULL when none */
        Error *refusals; /* every reason not to migrate (drift, failed rows, bad target): text, path, hint */
        size_t n_refusals;
        char **warnings;
        size_t n_warnings;
        bool needs_table; /* sql_create() has to run first: the history table, or a schema of schemas, does not exist */
        bool needs_baseline; /* ... with a baseline row (baseline_on_migrate) */
        bool needs_upkeep; /* rows that migrate brings up to date before anything else: sql_upkeep() */
} Assessment;
Assessment *assessment_free(Assessment *a);
DEFINE_CLEANUP(Assessment *, assessment_free)

typedef enum AssessPurpose {
        ASSESS_MIGRATE,  /* validation with pending ones allowed, when validate_on_migrate */
        ASSESS_VALIDATE, /* pending and ignored ones are complaints too */
        ASSESS_INFO,     /* states only: nothing is a refusal */
} AssessPurpose;

/* ---- the text that runs ---- */

/* A migration's text after placeholder replacement, with the way back to the bytes of the file. */
typedef struct ScriptText {
        const char *data;
        size_t size;
        FileView file;
        char *replaced; /* NULL when nothing was replaced: data is the file's */
        struct ScriptSplice {
                size_t out,
                        in; /* from byte out of data on, bytes come from byte in of the file ... */
                bool fixed; /* ... or, all of them, stand for the placeholder at byte in */
        } * splices;
        size_t n_splices;
        /* Generated text has no file of its own: each place says where what follows it comes from. */
        struct ScriptPlace {
                size_t out;
                const char *path;   /* the changelog's, or one of paths */
                unsigned long line; /* of the byte at out */
                bool follows; /* the lines of the text are those of the file; else all of it stands for that line */
        } * places;
        size_t n_places;
        char **paths; /* of files that the text was generated from, beside the changelog's own */
        size_t n_paths;
} ScriptText;
void script_text_done(ScriptText *t);
size_t script_text_origin(const ScriptText *t,
                          size_t at); /* offset in the file of offset `at` in data */
/* 1-based line, and column (0: unknown), of what offset `at` in data comes from. Returns its file, or NULL: the script's own. */
const char *script_text_position(const ScriptText *t, size_t at, unsigned long *line,
                                 unsigned long *column);

/* ---- what the database has to say about one migration ---- */

typedef enum Decision {
        DECISION_RUN,
        DECISION_SKIP, /* neither run nor recorded: the next run asks again */
        DECISION_MARK, /* recorded without being run */
} Decision;

/* A migration that is recorded. */
typedef struct Applied {
        const Migration *migration;
        const HistoryRow *previous; /* its row from before, when it ran again; NULL: none */
        bool marked;                /* DECISION_MARK */
        int64_t rank;               /* <= 0: the server takes the next one */
        int64_t ms;                 /* < 0: the server computes it (see below) */
} Applied;

/* Who holds the lock that a format's own tool keeps in a table. */
typedef struct FormatHolder {
        char who[256], since[40];
        bool abandoned; /* no session of such a tool is connected to the database */
} FormatHolder;

/* ---- the format ---- */

#define FORMAT_MAX_LOCK_KEYS 4
/* A setting that the engine sets to clock_timestamp() when a migration begins: now() is the same for all that share a string. */
#define FORMAT_BEGAN_SETTING "pgmigrated.began"

struct Format {
        const char *name; /* "flyway" */
        const char *summary;
        /* Names of the tables that it keeps its history in, where the option table does not say otherwise, NULL-terminated;
         * NULL: none. What is in them is no part of the schema. */
        const char *const *own_tables;
        /* Whether the folder looks like this format's: 0 no, the greater the surer. Reads names only. */
        int (*detect)(const char *folder);
        /* Reads the folder. Errors name every file at fault (the first in err). Needs no database. */
        int (*read)(Changelog **ret, const FormatOptions *o, Error *err);
        /* Fills ctx->schema from options and the connection. */
        int (*resolve)(FormatContext *ctx, Error *err);
        /* Completes what depends on the database (checksums of repeatables with placeholders). */
        int (*bind)(Changelog *c, const FormatContext *ctx, Error *err);
        /* bigint advisory keys of the format's own tool, in the order in which they are taken. Returns how many. */
        size_t (*lock_keys)(const FormatContext *ctx, int64_t keys[FORMAT_MAX_LOCK_KEYS]);
        /* The lock that the tool keeps in a table, beside our own that is held already: NULL: it has none. lock_row tries once, after
         * sql_create(): 1 taken, 0 somebody else's (*holder says whose). A row that a dead run of pgmigrated left is taken over.
         * sql_unlock appends what gives it back, whoever holds it. In a fiber. */
        int (*lock_row)(const FormatContext *ctx, PgSession *s, FormatHolder *holder, Error *err);
        int (*sql_unlock)(Text *sql, const FormatContext *ctx, Error *err);
        /* Reads the history in as few round trips as can be (one when the table exists). In a fiber. */
        int (*load)(History **ret, const FormatContext *ctx, PgSession *s, Error *err);
        /* Pure. */
        int (*assess)(Assessment **ret, const Changelog *c, const History *h,
                      const FormatContext *ctx, AssessPurpose purpose, Error *err);
        /* What the changelog as a whole demands of the database before anything of it is looked at; NULL: nothing. In a fiber. */
        int (*demand)(const Changelog *c, const FormatContext *ctx, PgSession *s, Error *err);
        /* For a migration that asks_first, right before its turn, outside of a transaction: whether it runs, with a sentence in
         * why if not; learns what open_script() needs of the database. An error stops the run. NULL where none asks. In a fiber. */
        int (*prepare)(Decision *ret, Text *why, const Changelog *c, const Migration *m,
                       const FormatContext *ctx, PgSession *s, Error *err);
        /* The text of a migration or hook, checked against the checksum read() saw (ERROR_CHANGELOG when the file
         * changed meanwhile or is gone). */
        int (*open_script)(ScriptText *ret, const Changelog *c, const Migration *m,
                           const FormatContext *ctx, Error *err);

        /* SQL for the engine to run inside a transaction of its own. All append complete statements, each ended by
         * ";\n", with no parameters. ms < 0: the server computes the time since
         * FORMAT_BEGAN_SETTING, and the last statement returns it, as one row with one number. rank <= 0: the
         * server takes the next one; an explicit rank is the better fence, since it collides when somebody else wrote. */
        int (*sql_create)(Text *sql, const FormatContext *ctx, const History *h, bool baseline,
                          Error *err);
        int (*sql_applied)(Text *sql, const FormatContext *ctx, const Applied *a, Error *err);
        int (*sql_undone)(Text *sql, const FormatContext *ctx, const HistoryRow *row,
                          const Migration *undo, int64_t rank, int64_t ms, Error *err);
        /* 0: nothing to do, 1: sql */
        int (*sql_baseline)(Text *sql, const FormatContext *ctx, const Changelog *c,
                            const History *h, Error *err);
        /* Appends SQL and one sentence a change to notes (newline-ended). 0: nothing to repair, 1: sql. */
        int (*sql_repair)(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                          const History *h, Error *err);
        /* For an assessment that needs_upkeep; NULL where none does. Appends like sql_repair. */
        int (*sql_upkeep)(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                          const History *h, Error *err);
        /* Gives the state that the database is in a name; NULL: the format has none. */
        int (*sql_tag)(Text *sql, const FormatContext *ctx, const History *h, const char *tag,
                       Error *err);
        /* Which entries an undo to target (NULL: of the newest) takes back: chosen[] has one for each. NULL: those above a version. */
        int (*choose_undo)(bool *chosen, const Assessment *a, const FormatContext *ctx,
                           const char *target, Error *err);
        int64_t (*next_rank)(const History *h);
        /* < 0, 0, > 0; both are versions as the history stores them. NULL: they are names, without an order. */
        int (*compare_versions)(const char *a, const char *b);
        /* The file name for `new NAME`, given the changelog so far: "V4__add_orders.sql"; the caller frees. */
        int (*new_name)(char **ret, const Changelog *c, const char *name, Error *err);
        void (*forget)(void *model); /* of a changelog; NULL where there is none */
        const char
                *outside_hint; /* how a migration is told to run without a transaction; a clause */
};

extern const Format *const formats[]; /* NULL-terminated */
/* name "auto" or "": the surest of those that detect the folder. */
int format_find(const Format **ret, const char *name, const char *folder, Error *err);
