#pragma once
/* The tokens of Liquibase's own SQL tokeniser (facts 2.6): for its splitter only. Dollar quotes are unknown to it. */
#include <stdint.h>

#include "format/liquibase/sql/splitter.h"

typedef enum SqlTokenKind { SQL_TOKEN_SPACE, SQL_TOKEN_COMMENT, SQL_TOKEN_OTHER } SqlTokenKind;

typedef struct SqlTokens {
        const char *text;
        size_t size, at;
        /* Where a search for a closing character ended without one: it is not looked for again before that. */
        size_t no_comment_end, no_string_end[2], no_name_end[3];
} SqlTokens;

/* The next token: its length, and *kind; 0 at the end; -1 when no token begins here. */
long sql_tokens_next(SqlTokens *t, SqlTokenKind *kind);
