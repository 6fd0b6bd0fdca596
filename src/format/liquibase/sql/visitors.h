#pragma once
/* modifySql: what changelogs do to the text of generated statements. Facts: liquibase.md 1.12. */
#include "format/liquibase/sql/sql.h"

/* Applies those of the changeset to the statements from the first on; rollback: only those that say so. */
int visitors_apply(SqlList *list, size_t first, const ChangeSet *s, bool rollback, Error *err);
