#pragma once
/* From the text of sql, sqlFile and formatted SQL to statements, by the rules of Liquibase's own tokeniser. Facts: liquibase.md 2.6. */
#include "format/liquibase/syntax/java.h"

typedef struct Split {
        const char *sql; /* not terminated where it is part of the text; use len */
        size_t len;
        size_t at; /* byte of the text that it begins at */
} Split;

typedef struct SplitOptions {
        bool strip_comments, split;
        const char *delimiter; /* NULL: the default */
} SplitOptions;

/* Statements in order, in the arena. ERROR_CHANGELOG with the byte in err->line's stead never happens: *at (may be NULL) gets the byte
 * of a lexical error. */
int split_statements(Split **ret, size_t *n, Arena *a, const char *text, size_t size,
                     const SplitOptions *o, size_t *at, Error *err);
