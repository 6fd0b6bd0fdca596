#pragma once
/* Values that changes write, files included. */
#include "format/liquibase/sql/sql_content.h"

/* The value of a column of insert or update; NULL when it has none. */
int sql_add_value(Text *t, Arena *a, const SqlContext *x, const Change *c, const Object *column,
                  Error *err);
/* One row's "DELETE FROM T WHERE ..." and the like are built around it: appends " WHERE condition" of the change, its placeholders filled
 * in from whereParams; nothing when it has no condition. */
int sql_add_where(Text *t, Arena *a, const SqlContext *x, const Change *c, Error *err);
