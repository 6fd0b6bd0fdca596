#pragma once
/* Records of a CSV file (RFC 4180; quotes within quotes are doubled), read one after another. */
#include "util/error.h"
#include "util/text.h"

/* Fields of a record, and bytes of it. */
#define CSV_MAX_FIELDS 10000
#define CSV_MAX_RECORD ((size_t) 64 << 20)

typedef struct Csv {
        const char *text;
        size_t size, at;
        unsigned long line;            /* 1-based, of `at` */
        const char *separator, *quote; /* one character each; quote NULL: none */
        const char *path;              /* for errors; borrowed */
} Csv;

typedef struct CsvRecord {
        Text bytes;     /* the fields one after another, each terminated */
        size_t *starts; /* where each begins in it */
        size_t n, size; /* how many there are, and there is room for */
        unsigned long line;
} CsvRecord;

#define CSV_RECORD_INIT ((CsvRecord){ .bytes = TEXT_INIT(CSV_MAX_RECORD) })
void csv_record_done(CsvRecord *r);
#define _cleanup_csv_record_ _cleanup_(csv_record_done)

/* 1 and the record, whose memory is used again; 0: no more. A blank line is a record of one empty field. ERROR_CHANGELOG with path and
 * line for quotes that do not end and for records beyond the limits. */
int csv_next(Csv *c, CsvRecord *ret, Error *err);
const char *csv_field(const CsvRecord *r, size_t i);
/* Bytes of the character at s; 0 at the end. */
size_t csv_character(const char *s);
