#pragma once
/* The files that changes take SQL or values from. */
#include "format/liquibase/sql/sql_form.h"

/* The longest statement that carries data, and the biggest file that a value may come from. */
#define SQL_DATA_MAX ((size_t) 512 << 20)
#define SQL_CONTENT_MAX ((size_t) 128 << 20)

typedef struct Content {
        const char *text; /* in the arena, terminated, without byte order mark */
        size_t size;
        const char *path; /* below the root */
} Content;

/* Reads the file as text. encoding NULL: UTF-8, or what its mark says. relative: to the changelog that the change is in. */
int content_read(Content *ret, Arena *a, const SqlContext *x, const Change *c, const char *name,
                 bool relative, const char *encoding, Error *err);
/* The same from bytes that have been read; path is kept. */
int content_decode(Content *ret, Arena *a, const char *data, size_t size, const char *path,
                   const char *encoding, Error *err);
/* Puts the properties of the changelog in. */
int content_expand(Content *content, Arena *a, const SqlContext *x, const Change *c, Error *err);
/* The content of a file as a value: text of a valueClobFile, or bytes of a valueBlobFile, as bytea unless the column is a large object's.
 * The file is looked for beside the changelog first, then below the root. */
int content_add_text(Text *t, Arena *a, const SqlContext *x, const Change *c, const char *name,
                     const char *encoding, Error *err);
int content_add_bytes(Text *t, const SqlContext *x, const Change *c, const char *column,
                      const char *name, Error *err);
/* Bytes as a value of their own. */
void sql_bytes(Text *t, const char *bytes, size_t size, bool large_object);
/* Whether its SQL depends on the types of the columns that its table has. */
bool change_reads_columns(const Change *c);
/* Type of a column of the change's table: as changes before it in its changeset say, in capitals, or as pg_type calls it. false: not
 * known. */
bool sql_known_type(SqlType *ret, const SqlContext *x, const Change *c, const char *column);
