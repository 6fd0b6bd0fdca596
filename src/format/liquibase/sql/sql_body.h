#pragma once
/* Text that makes up a whole object: the query of a view, the definition of a procedure. */
#include "format/liquibase/sql/sql_content.h"

/* The text of the change: its attribute, or the file that `path` names, with properties put in. *ret NULL: there is none. */
int sql_body(const char **ret, Arena *a, const Change *c, const SqlContext *x,
             const char *attribute, Error *err);
/* Where the word begins, ignoring case, strings and comments left out; NULL: nowhere. */
const char *sql_find_word(const char *s, const char *word);
