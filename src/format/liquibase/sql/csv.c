#include "format/liquibase/sql/csv.h"

#include <stdlib.h>
#include <string.h>

void csv_record_done(CsvRecord *r)
{
        text_done(&r->bytes);
        free(r->starts);
        *r = CSV_RECORD_INIT;
}

const char *csv_field(const CsvRecord *r, size_t i)
{
        return r->bytes.s + r->starts[i];
}

size_t csv_character(const char *s)
{
        size_t n = *s ? 1 : 0;

        while (n > 0 && n < 4 && ((unsigned char) s[n] & 0xc0) == 0x80)
                n++;
        return n;
}

static int refuse(const Csv *c, unsigned long line, const char *what, const char *hint, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "%s: %s", c->path, what);
        (void) error_at(err, c->path, line, 0);
        return error_hint(err, "%s", hint);
}

static int start_field(Csv *c, CsvRecord *r, Error *err)
{
        if (r->n >= CSV_MAX_FIELDS)
                return refuse(c, r->line, "a record has too many fields",
                              "look at the separator and the quotes", err);
        if (r->n == r->size) {
                size_t size = r->size ? 2 * r->size : 16;
                size_t *starts = reallocarray(r->starts, size, sizeof *starts);

                if (!starts)
                        return error_oom(err, "a record of a CSV file");
                r->starts = starts;
                r->size = size;
        }
        r->starts[r->n++] = r->bytes.len;
        return 0;
}

/* Whether the character stands at byte `at`. */
static bool stands(const Csv *c, const char *character)
{
        size_t n = character ? strlen(character) : 0;

        return n > 0 && n <= c->size - c->at && memcmp(c->text + c->at, character, n) == 0;
}

/* 0, or how many bytes end a line here. */
static size_t line_end(const Csv *c)
{
        if (c->at >= c->size || (c->text[c->at] != '\n' && c->text[c->at] != '\r'))
                return 0;
        return c->text[c->at] == '\r' && c->at + 1 < c->size && c->text[c->at + 1] == '\n' ? 2 : 1;
}

/* From behind the opening quote to behind the closing one. Line ends are kept as LF, as Liquibase does. */
static int read_quoted(Csv *c, CsvRecord *r, Error *err)
{
        unsigned long line = c->line;
        size_t quote = strlen(c->quote), end;

        while (c->at < c->size) {
                if (stands(c, c->quote)) {
                        c->at += quote;
                        if (!stands(c, c->quote))
                                return 0;
                        text_add(&r->bytes, c->quote);
                        c->at += quote;
                } else if ((end = line_end(c)) > 0) {
                        text_addc(&r->bytes, '\n');
                        c->at += end;
                        c->line++;
                } else {
                        text_addc(&r->bytes, c->text[c->at++]);
                }
        }
        return refuse(c, line, "a quoted value does not end",
                      "close the quote; within a quoted value a quote is written twice", err);
}

static int read_field(Csv *c, CsvRecord *r, Error *err)
{
        int result = start_field(c, r, err);

        if (result >= 0 && stands(c, c->quote)) {
                c->at += strlen(c->quote);
                result = read_quoted(c, r, err);
        }
        if (result < 0)
                return result;
        while (c->at < c->size && !line_end(c) && !stands(c, c->separator))
                text_addc(&r->bytes, c->text[c->at++]);
        text_addc(&r->bytes, '\0');
        if (r->bytes.bad)
                return refuse(c, r->line, "a record is too long",
                              "look at the quotes of this line and those behind it", err);
        return 0;
}

int csv_next(Csv *c, CsvRecord *ret, Error *err)
{
        size_t end;

        if (c->at >= c->size)
                return 0;
        text_clear(&ret->bytes);
        ret->n = 0;
        ret->line = c->line;
        for (;;) {
                int r = read_field(c, ret, err);

                if (r < 0)
                        return r;
                if (!stands(c, c->separator))
                        break;
                c->at += strlen(c->separator);
        }
        end = line_end(c);
        if (end > 0) {
                c->at += end;
                c->line++;
        }
        return 1;
}
