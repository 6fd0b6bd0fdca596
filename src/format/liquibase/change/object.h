#pragma once
/* Building the normalised fields of changes and columns; reading them is in model.h. */
#include "format/liquibase/model/model.h"

/* An empty one with room for max fields. */
int object_start(Object *o, Arena *a, size_t max, unsigned long line, Error *err);
/* Adds a text field; there has to be room. name and text are borrowed and live as long as the arena. */
Field *object_add(Object *o, const char *name, const char *text);
void object_remove(Object *o, const char *name);
/* Replaces it; NULL removes it. */
void object_set(Object *o, const char *name, const char *text);

/* One column element of a change (facts 4.4). positioned: it may say where it stands. unsummed: names that its change leaves out of
 * checksums, ended by NULL; NULL: none. */
int column_read(Object *ret, Arena *a, const Node *n, bool positioned, const char *const *unsummed,
                const char *path, Error *err);
/* A whole number of any size as Java's BigInteger prints it; NULL: it is none. */
char *java_integer(Arena *a, const char *s);
