#pragma once
/* Strings of SQL for the server, and the way back from an error to the statement it came from. Results of a string reach the client
 * only at the string's end, and the backend holds a whole string in memory many times over, so strings stay near BATCH_TARGET bytes
 * (facts: performance.md, W4). */
#include "engine/script.h"
#include "pg/session.h"

#define BATCH_TARGET ((size_t) 64 * 1024)

typedef struct BatchSegment {
        const Script *script; /* NULL: a statement of our own */
        Statement statement;
        size_t out, len; /* bytes in the string */
        size_t step;     /* index in the run */
        bool records;    /* its result is the milliseconds that the history has for the step */
        bool commits;    /* when its result is there, the step is applied for good */
} BatchSegment;

typedef struct Batch {
        Text sql;
        BatchSegment *segments;
        size_t n_segments, size;
        bool failed;      /* out of memory while adding: batch_send says so */
        unsigned results; /* of the last send */
        uint64_t
                statement_timeout; /* usec, 0: none. The server's own; we wait a little longer, in case it is frozen */
        size_t copy_at; /* where the COPY data goes on, of the last segment */
} Batch;

void batch_init(Batch *b);
void batch_done(Batch *b);
#define _cleanup_batch_ _cleanup_(batch_done)
void batch_clear(Batch *b);
bool batch_empty(const Batch *b);
/* One statement of our own, ended by ";\n". */
void batch_add_own(Batch *b, size_t step, bool commits, const char *sql);
/* Any number of statements of our own in one text (counted with the scanner). */
int batch_add_own_text(Batch *b, size_t step, const Text *sql, Error *err);
/* The last statement added writes the step's history row. */
void batch_records(Batch *b);
void batch_add(Batch *b, size_t step, const Script *script, const Statement *st);

/* Sends the string. For each result done(userdata, segment, result) is called in order. An error of the server's comes back as
 * ERROR_SQL with file, line and column of the statement at fault; *failed (may be NULL) is its segment. */
typedef void (*BatchDone)(void *userdata, const BatchSegment *segment, const PGresult *res);
/* Rows that the statement affected; what was only read does not count. */
uint64_t batch_rows(const PGresult *res);
int batch_send(Batch *b, PgSession *s, BatchDone done, void *userdata, const BatchSegment **failed,
               Error *err);
