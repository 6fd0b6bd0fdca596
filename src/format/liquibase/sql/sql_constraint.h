#pragma once
/* Constraints that more than one change makes. */
#include "format/liquibase/sql/sql_form.h"

typedef struct ForeignKey {
        const char *schema, *table, *columns;
        const char *name; /* NULL: PostgreSQL chooses one */
        const char *referenced_schema, *referenced_table, *referenced_columns;
        const char *on_update, *on_delete; /* NULL: nothing is said */
        bool deferrable, initially_deferred, not_valid;
} ForeignKey;

/* ALTER TABLE ... ADD CONSTRAINT ... FOREIGN KEY ... */
int sql_emit_foreign_key(SqlList *out, const Change *c, const SqlContext *x, const ForeignKey *k,
                         Error *err);
/* "CONSTRAINT name ", nothing for NULL. */
void sql_constraint_name(Text *t, const SqlContext *x, const char *name);
/* That Liquibase has no inverse for the change, as it says it: DropTable. */
int sql_no_inverse(const char *class, const char *hint, Error *err);
