#pragma once
/* The SQL scanner: splits a script into statements exactly as psql would, and says of each statement
 * what the engine needs to know. Pure: no I/O, no allocation, constant memory whatever the size.
 *
 * Understands '...' (standard_conforming_strings on), E'...', B'', X'', U&'', "...", U&"...", $tag$...$tag$, -- and
 * nested C comments, parentheses, BEGIN ATOMIC ... END bodies with nested CASE/BEGIN, and
 * COPY ... FROM stdin followed by data lines up to a line "\." (the data is a statement's payload).
 * A psql meta-command (a backslash at the start of a statement) is an error that names it, except the
 * \restrict and \unrestrict lines that pg_dump writes, which are skipped.
 *
 * Where psql and the server disagree, the server is right: only BEGIN ATOMIC opens a body (psql: any BEGIN), t.end and
 * AS end do not close one, and E'a'<newline>'b\'c' is one literal. What cannot be meant is an error: a parenthesis or
 * body that does not end, and text after COPY ... FROM stdin; on its line (a -- comment may stand there). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

/* What a statement is to the engine. One row each in the table in scanner_kinds.c; the rules are those of
 * PostgreSQL 11 to 18 (callers of PreventInTransactionBlock; facts 5.1). */
typedef enum StatementKind {
        STATEMENT_OTHER, /* DDL or anything short that is fine in a transaction */
        STATEMENT_LONG,  /* may run long without locking others out: INSERT..SELECT, UPDATE, DELETE,
                                       * MERGE, VALIDATE CONSTRAINT, REFRESH MATERIALIZED VIEW, ANALYZE, SELECT, DO, CALL, COPY */
        STATEMENT_INSERT_VALUES, /* INSERT ... VALUES: data, but short */
        STATEMENT_COPY_IN,       /* COPY ... FROM stdin, data in payload */
        STATEMENT_COPY_OUT,      /* COPY ... TO stdout: output is discarded */
        STATEMENT_TX_BEGIN,      /* BEGIN, START TRANSACTION */
        STATEMENT_TX_COMMIT, /* COMMIT, END (not PREPARED); and_chain says whether another one begins */
        STATEMENT_TX_ROLLBACK, /* ROLLBACK, ABORT (not TO SAVEPOINT, not PREPARED) */
        STATEMENT_TX_PREPARE,  /* PREPARE TRANSACTION */
        /* -- cannot run in a transaction block -- */
        STATEMENT_NONTX_CREATE_INDEX, /* CREATE [UNIQUE] INDEX CONCURRENTLY */
        STATEMENT_NONTX_DROP_INDEX,   /* DROP INDEX CONCURRENTLY */
        STATEMENT_NONTX_REINDEX,      /* REINDEX ... CONCURRENTLY, REINDEX SCHEMA/DATABASE/SYSTEM */
        STATEMENT_NONTX_DETACH,       /* ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY */
        STATEMENT_NONTX_ADD_VALUE, /* ALTER TYPE ... ADD VALUE: only below server 12 (see statement_is_nontx) */
        STATEMENT_NONTX_CREATE_DATABASE,
        STATEMENT_NONTX_DROP_DATABASE,
        STATEMENT_NONTX_CREATE_TABLESPACE,
        STATEMENT_NONTX_DROP_TABLESPACE,
        STATEMENT_NONTX_CREATE_SUBSCRIPTION,
        STATEMENT_NONTX_DROP_SUBSCRIPTION,
        STATEMENT_NONTX_FINISH_PREPARED, /* COMMIT PREPARED, ROLLBACK PREPARED */
        STATEMENT_NONTX_IDEMPOTENT, /* VACUUM, CLUSTER without table, ALTER SYSTEM, DISCARD ALL, ALTER DATABASE
                                       * SET TABLESPACE, ALTER SUBSCRIPTION REFRESH..: doing it again is harmless */
        _STATEMENT_KIND_MAX,
} StatementKind;

typedef struct Statement {
        size_t start,
                end;  /* bytes [start,end) in the script: from the first byte after the previous
                                    * statement's end and blanks (leading comments are part of it) up to and including the ';' */
        size_t first; /* where the first word stands (after leading comments) */
        unsigned long line;                /* 1-based line of `first` */
        size_t payload_start, payload_end; /* COPY data, without the "\." line; equal when none */
        size_t next;                       /* where the next statement's search begins */
        StatementKind kind;
        bool and_chain; /* COMMIT/ROLLBACK AND CHAIN */
        bool if_exists; /* IF [NOT] EXISTS was there */
        bool is_ddl; /* takes strong locks: gets the short lock_timeout (CREATE/ALTER/DROP/TRUNCATE/
                                    * COMMENT/GRANT/LOCK/..., not the NONTX_ kinds, not VALIDATE CONSTRAINT) */
        /* Object of a NONTX_ statement, as written (quotes and schema included): index, table, database, ...
         * Bytes [object_start, object_end); equal when the statement does not name it (unnamed CREATE INDEX). */
        size_t object_start, object_end;
        /* CREATE INDEX: the table after ON. DETACH: the parent is the object, this is the partition. ADD VALUE: the
         * new value's literal. REINDEX: unused. */
        size_t other_start, other_end;
} Statement;

typedef struct Scanner {
        const char *text;
        size_t size, at;
        unsigned long line; /* line of `at` */
        const char *path;   /* for errors; borrowed */
} Scanner;

void scanner_init(Scanner *s, const char *text, size_t size,
                  const char *path); /* skips one leading BOM */
/* 1 and *ret: a statement; 0: no more (only blanks and comments left). ERROR_CHANGELOG with file, line and
 * column: unterminated quote, dollar quote, comment, parenthesis or body (where it began), a psql meta-command, a NUL byte,
 * text after a COPY ... FROM stdin. After an error the scanner stays where it was. */
int scanner_next(Scanner *s, Statement *ret, Error *err);

/* Whether the server refuses it in a transaction block. server_version as PQserverVersion: 150020. */
bool statement_is_nontx(const Statement *s, int server_version);
const char *statement_kind_name(StatementKind k);

/* Line and column (both 1-based, column in characters) of byte offset `at` in text. */
void scanner_position(const char *text, size_t size, size_t at, unsigned long *line,
                      unsigned long *column);
