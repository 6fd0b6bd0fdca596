#pragma once
/* Placeholders in the text of migrations, for the formats that have them. */
#include "format/format.h"

/* PostgreSQL takes no string of 1 GiB or more. */
#define SCRIPT_TEXT_MAX ((size_t) 1 << 30)

/* Takes over the file. A byte order mark at its very start is no part of the text. */
int script_text_start(ScriptText *ret, FileView *file, Error *err);

/* The value of a placeholder (not terminated, len bytes), or NULL when there is none by that name. The value
 * lives until the next call. */
typedef const char *(*PlaceholderLookup)(void *userdata, const char *name, size_t len);

/* Replaces every prefix + name + suffix, also in strings and comments; values are not looked at again. Copies
 * nothing when the prefix does not occur. An undefined or unterminated one is ERROR_CHANGELOG at its place. */
int script_text_replace(ScriptText *t, const char *prefix, const char *suffix,
                        PlaceholderLookup lookup, void *userdata, const char *path, Error *err);

/* For generated text: in the order of their offsets. The generated text itself is t->replaced, which t frees, and t->data. */
/* A copy of the path for places, which lives as long as t; NULL: out of memory. */
const char *script_text_keep_path(ScriptText *t, const char *path);
int script_text_add_place(ScriptText *t, struct ScriptPlace place, Error *err);

/* 1-based line, and column in characters, of byte `at` of a file. A byte order mark takes no column. */
void script_position(const char *data, size_t at, unsigned long *line, unsigned long *column);
