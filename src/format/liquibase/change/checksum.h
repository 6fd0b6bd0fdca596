#pragma once
/* What Liquibase writes about a changeset: MD5SUM, DESCRIPTION. Facts: liquibase.md 3.2, 3.7, 4. */
#include "format/liquibase/model/model.h"

#define CHECKSUM_MAX 64 /* "9:" and 32 digits, with room to spare */
#define CHECKSUM_NEWEST 9

/* "9:hex" of the version (1 to 9) into buf. Reads the files that the changes name. */
int changeset_checksum(char buf[CHECKSUM_MAX], const Model *m, const ChangeSet *s, int version,
                       Error *err);
/* The same of version 9 as Liquibase before 4.26 had it, which expanded properties in the files of sqlFile. 0: there are none. */
int changeset_checksum_expanded(char buf[CHECKSUM_MAX], const Model *m, const ChangeSet *s,
                                Error *err);
/* Whether a sum can be computed at all: not with changes of Java or of the commercial edition in it. */
bool changeset_has_checksum(const ChangeSet *s);
/* The version that a stored sum was computed with: 1 when it has none; 0 when it is one that nobody knows. */
int checksum_version(const char *stored);
char *changeset_description(Arena *a, const ChangeSet *s);
/* As stored: cut at 250. */
char *changeset_comments(Arena *a, const ChangeSet *s);
