#pragma once
/* Liquibase (4.28, checksums v9 and v8): https://docs.liquibase.com. What is said here about it was read in its sources or observed;
 * facts: liquibase.md. This header is for the files of this folder and their tests; everyone else sees liquibase_format. */
#include "format/liquibase/model/model.h"
#include "format/liquibase/sql/sql.h"

extern const Format liquibase_format;

#define LIQUIBASE_TABLE "databasechangelog"
#define LIQUIBASE_LOCK_TABLE "databasechangeloglock"
/* What the column LIQUIBASE says of rows that we write: the tool whose checksums they have. */
#define LIQUIBASE_VERSION "4.28.0"

/* ---- the changelog ---- */

/* What Changelog.model points to. */
typedef struct LiquibaseLog {
        Model *model;
        Migration *
                undos; /* one for each changeset: its strings belong to the changelog's migration */
        Arena learnt;  /* what the database was asked for */
        SqlTableColumns *tables; /* in learnt */
} LiquibaseLog;

LiquibaseLog *liquibase_log(const Changelog *c);
const ChangeSet *liquibase_set(const Migration *m);
/* onValidationFail="MARK_RAN": what cannot be run is recorded instead (facts 1.3). */
bool liquibase_marks_invalid(const Model *m, const ChangeSet *s);
int liquibase_detect(const char *folder);
int liquibase_read(Changelog **ret, const FormatOptions *o, Error *err);
int liquibase_bind(Changelog *c, const FormatContext *ctx, Error *err);
void liquibase_forget(void *model);
int liquibase_resolve(FormatContext *ctx, Error *err);
int liquibase_open_script(ScriptText *ret, const Changelog *c, const Migration *m,
                          const FormatContext *ctx, Error *err);
int liquibase_new_name(char **ret, const Changelog *c, const char *name, Error *err);

/* ---- what the database has to say ---- */

int liquibase_demand(const Changelog *c, const FormatContext *ctx, PgSession *s, Error *err);
int liquibase_prepare(Decision *ret, Text *why, const Changelog *c, const Migration *m,
                      const FormatContext *ctx, PgSession *s, Error *err);
/* Whether conditions hold: 1, 0 (*failed is the one that does not), or an error, the server's or that of a malformed condition. */
int condition_holds(const Model *m, const ChangelogFile *file, const Node *condition,
                    const FormatContext *ctx, PgSession *s, const Node **failed, Error *err);

/* ---- history ---- */

/* Normalised path::id::author, as rows and changesets are compared; in the arena. fold: ignoring case. */
char *liquibase_key(Arena *a, const char *path, const char *id, const char *author, bool fold);
size_t liquibase_lock_keys(const FormatContext *ctx, int64_t keys[FORMAT_MAX_LOCK_KEYS]);
int liquibase_load(History **ret, const FormatContext *ctx, PgSession *s, Error *err);
int64_t liquibase_next_rank(const History *h);
int liquibase_assess(Assessment **ret, const Changelog *c, const History *h,
                     const FormatContext *ctx, AssessPurpose purpose, Error *err);
int liquibase_choose_undo(bool *chosen, const Assessment *a, const FormatContext *ctx,
                          const char *target, Error *err);

/* Rows by key: of several with one key the one that Liquibase goes by (facts 1.4). */
typedef struct RowIndex {
        struct RowIndexEntry *entries; /* sorted */
        size_t n;
        Arena arena;
} RowIndex;
int row_index_make(RowIndex *ret, const History *h, bool fold, Error *err);
const HistoryRow *row_index_find(const RowIndex *x, const char *key);
void row_index_done(RowIndex *x);
#define _cleanup_row_index_ _cleanup_(row_index_done)

/* How the sum of a row relates to the changeset: 1 it is the same (or covered by validCheckSum, or NULL), 0 it differs. current gets
 * the sum of now, in the version of the row. */
int liquibase_sum_matches(const Model *m, const ChangeSet *s, const HistoryRow *row,
                          char current[64], Error *err);

/* ---- the lock row ---- */

int liquibase_lock_row(const FormatContext *ctx, PgSession *s, FormatHolder *holder, Error *err);
int liquibase_sql_unlock(Text *sql, const FormatContext *ctx, Error *err);

/* ---- SQL: see format.h ---- */

void liquibase_add_table(Text *sql, const FormatContext *ctx, bool lock); /* "schema".table */
/* The table of the lock, where it is not there yet. */
void liquibase_sql_lock_table(Text *sql, const FormatContext *ctx);
int liquibase_sql_create(Text *sql, const FormatContext *ctx, const History *h, bool baseline,
                         Error *err);
int liquibase_sql_applied(Text *sql, const FormatContext *ctx, const Applied *a, Error *err);
int liquibase_sql_undone(Text *sql, const FormatContext *ctx, const HistoryRow *row,
                         const Migration *undo, int64_t rank, int64_t ms, Error *err);
int liquibase_sql_baseline(Text *sql, const FormatContext *ctx, const Changelog *c,
                           const History *h, Error *err);
int liquibase_sql_repair(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                         const History *h, Error *err);
int liquibase_sql_upkeep(Text *sql, Text *notes, const FormatContext *ctx, const Changelog *c,
                         const History *h, Error *err);
int liquibase_sql_tag(Text *sql, const FormatContext *ctx, const History *h, const char *tag,
                      Error *err);
/* Columns of an older history table that are not there yet, one bit each; History.missing_columns. */
int liquibase_sql_adopt(Text *sql, const FormatContext *ctx, const History *h, Error *err);
