#pragma once
/* UTF-8: checking, counting, and making bytes fit to be shown. */
#include <stdbool.h>
#include <stddef.h>

/* Length of the valid prefix: equals len when all of it is valid (no overlong forms, no surrogates). */
size_t utf8_valid_prefix(const char *s, size_t len);
/* Number of characters (code points) in valid UTF-8. */
size_t utf8_count(const char *s, size_t len);
/* Copies s into buf (size > 0), cut at a character's edge, invalid bytes as '?', terminated. */
void utf8_sanitize(char *buf, size_t size, const char *s);
/* Java's order of strings: by UTF-16 code unit. */
int utf8_compare_utf16(const char *a, const char *b);
