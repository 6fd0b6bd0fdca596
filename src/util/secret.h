#pragma once
/* Secrets: memory that is wiped when freed. They never reach a log, event, error or command line. */
#include "util/cleanup.h"
#include "util/error.h"

typedef struct Secret Secret;

int secret_new(Secret **ret, const char *value, Error *err); /* copies */
/* First line of a file of at most 64 KiB, without its line end. An empty one is an error. */
int secret_read_file(Secret **ret, const char *path, Error *err);
Secret *secret_free(Secret *s);
const char *secret_reveal(const Secret *s); /* "" for NULL; borrowed */
/* In constant time but for the length. NULL equals only NULL: check that a token is configured first. */
bool secret_equal(const Secret *a, const Secret *b);
void secret_wipe_string(char *s); /* wipes and frees; NULL is fine */
DEFINE_CLEANUP(Secret *, secret_free)
