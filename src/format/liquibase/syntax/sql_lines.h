#pragma once
/* What a line of formatted SQL is (facts 2.2, 2.3). Expressions are those of Liquibase, matched against the whole line ignoring case. */
#include "format/liquibase/syntax/node.h"

typedef enum SqlLine {
        SQL_LINE_TEXT, /* none of the others: SQL */
        SQL_LINE_PROPERTY,
        SQL_LINE_IGNORE,
        SQL_LINE_CHANGESET,
        SQL_LINE_COMMENT,
        SQL_LINE_VALID_CHECKSUM,
        SQL_LINE_ROLLBACK,
        SQL_LINE_ROLLBACK_BLOCK,
        SQL_LINE_PRECONDITIONS,
        SQL_LINE_PRECONDITION,
        _SQL_LINE_MAX,
} SqlLine;

typedef struct SqlLineMatch {
        SqlLine kind;
        const char *
                mistaken; /* it looks like a directive and is none: what one would look like; NULL: it is not so */
        const char *groups[2]; /* what the expression captured, in the arena */
} SqlLineMatch;

/* inside: whether a changeset has begun; before that only some lines mean something. -1: out of memory, or the line
 * is too long to tell. */
int sql_line_match(SqlLineMatch *ret, Arena *a, const char *line, size_t len, bool inside);
bool sql_line_is_header(const char *line, size_t len);
/* Whether a block of rollback ends here; *before: how many bytes of the line still belong to it. */
bool sql_line_ends_block(const char *line, size_t len, size_t *before);

/* The value of an attribute such as runOnChange:true, of the last that is anywhere in the line, also as the end of a longer name; NULL:
 * none. name: one that is known here. */
char *sql_line_attribute(Arena *a, const char *line, size_t len, const char *name);
