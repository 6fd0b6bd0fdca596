#pragma once
/* Where strings, quoted names and comments of PostgreSQL's SQL end: for what has to look at the text between them. */
#include <stdbool.h>
#include <stddef.h>

/* The end of the '...', E'...', "...", $tag$...$tag$ or comment that begins at byte `at`; `at` when none does. What does not end goes
 * to the end of the text. */
size_t sql_lexeme_skip(const char *s, size_t len, size_t at);
/* The same, comments only. */
size_t sql_comment_skip(const char *s, size_t len, size_t at);
/* What names are made of; bytes of other alphabets count. */
bool sql_is_name_char(char c);
