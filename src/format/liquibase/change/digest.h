#pragma once
/* MD5 in the ways in which Liquibase uses it. Facts: liquibase.md 4.1, 4.5. */
#include "format/liquibase/change/checksum.h"

/* "V:hex" of the bytes as they are. */
int digest_raw(char buf[CHECKSUM_MAX], int version, const char *data, size_t size, Error *err);
/* "V:hex" of text: line ends as LF, without U+FFFD, in Unicode's composed form. */
int digest_text(char buf[CHECKSUM_MAX], int version, const char *text, size_t size, Error *err);
/* Runs of space, tab, CR and LF as one space and none at the ends; or none at all. The caller frees. */
char *collapse_space(const char *data, size_t size, size_t *ret_size);
char *squeeze_space(const char *data, size_t size, size_t *ret_size);
/* What the checksum of a CSV file covers: without CR, blank lines and comments. The caller frees. */
char *skip_comments(const char *data, size_t size, const char *comment, size_t *ret_size);
