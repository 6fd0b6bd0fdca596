#pragma once
/* The journal of migrations that cannot run in one transaction. It lives in the database, beside the history, so that any daemon
 * on any machine can take up what another one left; the table is made when it is first needed and dropped with its last row, so that
 * nothing of it stays. A statement that can run in a transaction advances the journal in that transaction, so only the few
 * that cannot are ever in doubt: they are journalled as started first, and looked at afterwards (evidence.h). */
#include <stdbool.h>
#include <stdint.h>

#include "engine/conversation.h"

#define JOURNAL_TABLE "pgmigrated_journal"
/* Stands for a prefix that an operator vouched for. */
#define JOURNAL_PREFIX_ANY "any"

typedef struct JournalRow {
        char *migration, *prefix; /* prefix: checksum of the statements that are done */
        uint64_t done;            /* statements that are done */
        bool started; /* statement number `done` (0-based) was started and not seen to end */
        char *before; /* evidence taken before it was started */
        char *run;    /* id of the run that wrote it */
} JournalRow;

typedef struct Journal {
        bool exists;
        JournalRow *rows;
        size_t n_rows;
} Journal;

int journal_load(Journal *ret, Conversation *c, Error *err);
void journal_done(Journal *j);
#define _cleanup_journal_ _cleanup_(journal_done)
JournalRow *journal_find(const Journal *j, const char *migration);

/* SQL, complete statements; all to be run in a transaction. */
void journal_sql_create(Text *sql, const Conversation *c, const char *migration);
void journal_sql_advance(Text *sql, const Conversation *c, const char *migration, uint64_t done,
                         const char *prefix);
void journal_sql_start(Text *sql, const Conversation *c, const char *migration, const char *before);
/* The started statement counts as done; the prefix is not compared again. */
void journal_sql_resolve_done(Text *sql, const Conversation *c, const JournalRow *row);
void journal_sql_finish(Text *sql, const Conversation *c, const char *migration, bool drop_table);
