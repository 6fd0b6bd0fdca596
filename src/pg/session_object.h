#pragma once
/* What a statement makes that is gone with its session: temporary tables, views, sequences, what is created in pg_temp,
 * prepared statements, cursors WITH HOLD. Pure. What a function or a DO block makes is not seen. */
#include "pg/scanner.h"

/* A name in the text, without its quotes and schema: bytes [start,end). */
typedef struct SessionObject {
        size_t start, end;
} SessionObject;

/* Whether st makes one that outlives the statement's transaction; then *ret is its name. */
bool session_object_made(SessionObject *ret, const char *text, const Statement *st);
/* Whether the name stands anywhere in bytes [from,to) of the same text, as a whole word. */
bool session_object_used(const SessionObject *o, const char *text, size_t from, size_t to);
