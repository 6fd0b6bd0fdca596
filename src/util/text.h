#pragma once
/* A growable string with a ceiling given at birth. Once an append fails (ceiling or memory) the text is
 * marked bad and every later append does nothing, so that a builder checks once, at the end. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/cleanup.h"

typedef struct Text {
        char *s; /* always terminated once anything was appended; may be NULL before */
        size_t len, size, ceiling;
        bool bad;
} Text;

#define TEXT_INIT(max) ((Text){ .ceiling = (max) })
void text_done(Text *t);  /* frees the content */
void text_clear(Text *t); /* empty again, keeps the memory */
void text_append(Text *t, const void *bytes, size_t len);
void text_add(Text *t, const char *s);
void text_addc(Text *t, char c);
void text_printf(Text *t, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
const char *text_str(const Text *t); /* "" when empty; borrowed */
char *text_take(Text *t); /* the string, now the caller's; NULL when bad or out of memory */
#define _cleanup_text_ _cleanup_(text_done)

/* Strings of SQL: 'it''s' (E'' with doubled backslashes where there is one) and "name". */
void text_add_sql_literal(Text *t, const char *s);
void text_add_sql_identifier(Text *t, const char *s);
