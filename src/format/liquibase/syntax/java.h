#pragma once
/* Rules that Liquibase has from Java, and that reach the history through texts and checksums. Facts: liquibase.md 1.1, 4.1. */
#include <stdbool.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/error.h"
#include "util/text.h"

/* String.trim(): everything up to U+0020 off both ends. The first gives where the rest begins and its length; the second NULL for NULL
 * and for what is empty once trimmed. */
const char *java_trim(const char *s, size_t *len);
char *java_trimmed(Arena *a, const char *s);
/* java_trim() of a part of a text: *len is its length, before and after. */
const char *java_trim_part(const char *s, size_t *len);
/* Order and length of strings: by UTF-16 code unit. */
int java_compare(const char *a, const char *b);
size_t java_length(const char *s);
/* Longer than max units: the first max - 3 and "...". */
char *java_limit(Arena *a, const char *s, size_t max);
/* Double.toString() of the number. */
char *java_double(Arena *a, double value);
/* Boolean.parseBoolean(): "true", ignoring case. */
bool java_true(const char *s);
/* String.toLowerCase() of ASCII; other letters as they are. */
char *java_lower(Arena *a, const char *s);
/* ISO text of a date, a time or both after a lenient parse (facts 4.4: valueDate), NULL when it is none. */
char *java_iso_date(Arena *a, const char *s);
