#include "engine/batch.h"

#include <stdio.h>
#include <string.h>

/* A single statement may be as big as its file; 1 GiB is the server's own limit for a string. */
#define BATCH_CEILING ((size_t) 1 << 30)
/* How long after its own statement_timeout a server is taken for frozen. */
#define FROZEN_AFTER (30 * USEC_PER_SEC)
#define COPY_CHUNK ((size_t) 64 * 1024)

void batch_init(Batch *b)
{
        *b = (Batch){ .sql = TEXT_INIT(BATCH_CEILING) };
}

void batch_done(Batch *b)
{
        text_done(&b->sql);
        free(b->segments);
        batch_init(b);
}

void batch_clear(Batch *b)
{
        /* A huge statement's memory is given back; the usual one's is kept. */
        if (b->sql.size > 4 * BATCH_TARGET)
                text_done(&b->sql);
        else
                text_clear(&b->sql);
        b->n_segments = 0;
        b->failed = false;
}

bool batch_empty(const Batch *b)
{
        return b->n_segments == 0;
}

static void add(Batch *b, const BatchSegment *segment, const char *text)
{
        if (b->n_segments == b->size) {
                size_t size = b->size ? 2 * b->size : 32;
                BatchSegment *more = reallocarray(b->segments, size, sizeof *more);

                if (!more) {
                        b->failed = true;
                        return;
                }
                b->segments = more;
                b->size = size;
        }
        b->segments[b->n_segments] = *segment;
        b->segments[b->n_segments].out = b->sql.len;
        b->n_segments++;
        text_append(&b->sql, text, segment->len);
}

void batch_add_own(Batch *b, size_t step, bool commits, const char *sql)
{
        add(b, &(BatchSegment){ .len = strlen(sql), .step = step, .commits = commits }, sql);
}

int batch_add_own_text(Batch *b, size_t step, const Text *sql, Error *err)
{
        Scanner scanner;
        Statement st;
        int r;

        if (sql->bad)
                return error_oom(err, "a history statement");
        scanner_init(&scanner, text_str(sql), sql->len, "(generated)");
        while ((r = scanner_next(&scanner, &st, err)) > 0)
                add(b, &(BatchSegment){ .len = st.end - st.start, .step = step },
                    sql->s + st.start);
        return r;
}

void batch_records(Batch *b)
{
        if (b->n_segments > 0)
                b->segments[b->n_segments - 1].records = true;
}

void batch_add(Batch *b, size_t step, const Script *script, const Statement *st)
{
        const char *text = script->text.data + st->start;
        size_t len = st->end - st->start;

        add(b, &(BatchSegment){ .script = script, .statement = *st, .len = len, .step = step },
            text);
        if (len == 0 || text[len - 1] != ';') /* the last one of a file may lack it */
                text_add(&b->sql, "\n;");
        text_addc(&b->sql, '\n');
}

/* ---- sending ---- */

typedef struct Sending {
        Batch *batch;
        BatchDone done;
        void *userdata;
} Sending;

uint64_t batch_rows(const PGresult *res)
{
        PGresult *result = (PGresult *) (uintptr_t) res; /* libpq's signatures predate const */

        return strncmp(PQcmdStatus(result), "SELECT", 6) == 0
                       ? 0
                       : strtoull(PQcmdTuples(result), NULL, 10);
}

static int on_result(void *userdata, unsigned index, const PGresult *res, Error *err)
{
        Sending *s = userdata;

        (void) err;
        s->batch->results = index + 1;
        if (index < s->batch->n_segments && s->done)
                s->done(s->userdata, &s->batch->segments[index], res);
        return 0;
}

static size_t read_copy(void *userdata, const char **data)
{
        Batch *b = userdata;
        const BatchSegment *last = &b->segments[b->n_segments - 1];
        size_t n = last->statement.payload_end - b->copy_at;

        if (n > COPY_CHUNK)
                n = COPY_CHUNK;
        *data = last->script->text.data + b->copy_at;
        b->copy_at += n;
        return n;
}

/* Byte in the string of the server's 1-based position, which counts characters unless the database is SQL_ASCII. */
static size_t position_to_byte(const char *sql, size_t len, const PgFailure *f)
{
        size_t at = 0;

        if (f->position_in_bytes)
                return f->position - 1 < len ? f->position - 1 : len;
        for (unsigned long n = f->position - 1; at < len; at++)
                if (((unsigned char) sql[at] & 0xc0U) != 0x80 && n-- == 0)
                        break;
        return at;
}

/* Byte of the line of COPY's data that the server complains of ("COPY t, line 3, column x: ..."); else of the statement. */
static size_t copy_line(const BatchSegment *seg, const PgFailure *f)
{
        const char *line = strstr(f->context, "COPY "), *data = seg->script->text.data;
        size_t at = seg->statement.payload_start, end = seg->statement.payload_end;

        line = line ? strstr(line, ", line ") : NULL;
        if (!line)
                return seg->statement.first;
        for (unsigned long n = strtoul(line + strlen(", line "), NULL, 10); n > 1; n--) {
                const char *newline = memchr(data + at, '\n', end - at);

                if (!newline)
                        return seg->statement.first;
                at = (size_t) (newline - data) + 1;
        }
        return at;
}

/* A character that the server cannot take stops the whole string before its first statement. The message names the bytes
 * ("character with byte sequence 0xe2 0x98 0x83 in encoding ..."), whatever language the rest of it is in. */
static bool find_character(const Batch *b, const Error *err, size_t *ret)
{
        char bytes[8];
        size_t n = 0;
        const char *p, *found;

        if (strcmp(err->sqlstate, "22P05") != 0 && strcmp(err->sqlstate, "22021") != 0)
                return false;
        for (p = strstr(err->text, "0x"); p && n < sizeof bytes && strncmp(p, "0x", 2) == 0; n++) {
                char *end;

                bytes[n] = (char) strtoul(p, &end, 16);
                p = *end == ' ' ? end + 1 : end;
        }
        found = n ? memmem(b->sql.s, b->sql.len, bytes, n) : NULL;
        if (found)
                *ret = (size_t) (found - b->sql.s);
        return found != NULL;
}

static const BatchSegment *segment_at(const Batch *b, size_t byte)
{
        const BatchSegment *seg = b->segments;

        for (size_t i = 0; i < b->n_segments && b->segments[i].out <= byte; i++)
                seg = &b->segments[i];
        return seg;
}

static int locate(const Batch *b, const PgFailure *f, const BatchSegment **failed, Error *err)
{
        const BatchSegment *seg;
        size_t at, byte;

        if (f->result_index >= b->n_segments)
                return -(int) err->code;
        seg = &b->segments[f->result_index];
        at = seg->statement.first;
        if (f->position > 0) {
                /* A syntax error is found while the whole string is parsed, before any result. */
                byte = position_to_byte(b->sql.s, b->sql.len, f);
                seg = segment_at(b, byte);
                at = seg->statement.start + (byte - seg->out);
        } else if (f->result_index == 0 && find_character(b, err, &byte)) {
                seg = segment_at(b, byte);
                at = seg->statement.start + (byte - seg->out);
        } else if (seg->script && seg->statement.kind == STATEMENT_COPY_IN) {
                at = copy_line(seg, f);
        }
        *failed = seg;
        if (f->context[0]) {
                size_t used = strlen(err->text);

                (void) snprintf(err->text + used, sizeof err->text - used, " (%s)", f->context);
        }
        if (!seg->script)
                return error_prefix(err, seg->commits ? "at its COMMIT"
                                                      : "recording the migration in the history");
        if (strcmp(err->sqlstate, "2D000") == 0 && !*err->hint)
                (void) error_hint(
                        err,
                        "what commits by itself cannot run in the migration's transaction: have "
                        "the "
                        "migration run without one (executeInTransaction=false in its .conf file)");
        return script_error_at(seg->script, at, err);
}

static uint64_t own_deadline(const Batch *b)
{
        return b->statement_timeout
                       ? clock_after(b->statement_timeout * b->n_segments + FROZEN_AFTER)
                       : USEC_INFINITY;
}

int batch_send(Batch *b, PgSession *s, BatchDone done, void *userdata, const BatchSegment **failed,
               Error *err)
{
        const BatchSegment *last = b->n_segments ? &b->segments[b->n_segments - 1] : NULL;
        const BatchSegment *ignored;
        Sending sending = { .batch = b, .done = done, .userdata = userdata };
        PgCopySource copy = { .read = read_copy, .userdata = b };
        PgFailure failure = { .position = 0 };
        bool copies = last && last->script && last->statement.kind == STATEMENT_COPY_IN;
        int r;

        if (!failed)
                failed = &ignored;
        *failed = NULL;
        b->results = 0;
        if (b->failed || b->sql.bad)
                return error_oom(err, "a string of SQL");
        if (!last)
                return 0;
        b->copy_at = last->statement.payload_start;
        r = pg_query(s,
                     &(PgQuery){ .sql = b->sql.s,
                                 .fn = on_result,
                                 .userdata = &sending,
                                 .copy = copies ? &copy : NULL,
                                 .row_cap = 1,
                                 .deadline = own_deadline(b),
                                 .failure = &failure },
                     err);
        return r == -(int) ERROR_SQL ? locate(b, &failure, failed, err) : r;
}
