#pragma once
/* The words of SQL as PostgreSQL's own lexer cuts them, as far as it matters for finding where
 * statements end and what they are. Private to the scanner (scanner.c, scanner_kinds.c).
 *
 * Differs from psql in one case: E'a'<newline>'b\'c' is one literal, as the server reads it; psql, which lexes
 * line by line, misses that the second piece has backslash escapes too. */
#include <stdbool.h>
#include <stddef.h>

#include "pg/scanner.h"

typedef enum SqlTokenType {
        SQL_END,    /* no more; start == end == size */
        SQL_WORD,   /* keyword or identifier without quotes */
        SQL_NAME,   /* "..." or U&"..." */
        SQL_STRING, /* any kind of literal in quotes or dollar quotes, prefix included */
        SQL_GROUP,  /* ( ... ) as a whole: never from sql_token_next(), only in SqlTokens */
        SQL_OPEN,
        SQL_CLOSE,
        SQL_SEMICOLON,
        SQL_BACKSLASH,
        SQL_OTHER, /* a number, a parameter, or one character of punctuation or operator */
        /* From here on: began at start, and the text ended before it did. */
        SQL_UNTERMINATED_STRING,
        SQL_UNTERMINATED_NAME,
        SQL_UNTERMINATED_DOLLAR,
        SQL_UNTERMINATED_COMMENT,
        _SQL_TOKEN_TYPE_MAX,
} SqlTokenType;

typedef struct SqlToken {
        size_t start, end; /* bytes [start,end) */
        SqlTokenType type;
} SqlToken;

#define SQL_TOKENS_MAX 32U

/* What a statement consists of outside parentheses: its first SQL_TOKENS_MAX tokens and the last one.
 * Enough to tell its kind, however long it is. */
typedef struct SqlTokens {
        const char *text;
        size_t n; /* how many there were in all */
        SqlToken last;
        SqlToken token[SQL_TOKENS_MAX];
} SqlTokens;

/* The first token at or after `at`; blanks and comments are passed over. */
void sql_token_next(const char *text, size_t size, size_t at, SqlToken *ret);
/* Whether it is this keyword, given in capitals, `len` bytes. */
bool sql_token_is(const char *text, const SqlToken *t, const char *keyword, size_t len);
/* Blanks only, not comments: the first byte at or after `at` that is none. */
size_t sql_skip_blanks(const char *text, size_t size, size_t at);

/* Fills kind, flags, object and other from the tokens (at least one). */
void statement_classify(Statement *ret, const SqlTokens *t);
