#include <string.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_form.h"

/* A clause from an attribute: text for a value, or for true and false. */
typedef struct SequenceClause {
        const char *attribute;
        const char *before;      /* the value comes behind it; NULL: a flag */
        const char *set, *unset; /* what true and false read as */
        const char *without;     /* a value that is as good as none */
} SequenceClause;

static const SequenceClause create_clauses[] = {
        { "dataType", " AS ", NULL, NULL, NULL },
        { "startValue", " START WITH ", NULL, NULL, NULL },
        { "incrementBy", " INCREMENT BY ", NULL, NULL, NULL },
        { "minValue", " MINVALUE ", NULL, NULL, NULL },
        { "maxValue", " MAXVALUE ", NULL, NULL, NULL },
        { "cacheSize", " CACHE ", NULL, NULL, "0" },
        { "ordered", NULL, " ORDER", "", NULL },
        { "cycle", NULL, " CYCLE", "", NULL },
        { NULL, NULL, NULL, NULL, NULL },
};

static const SequenceClause alter_clauses[] = {
        { "dataType", " AS ", NULL, NULL, NULL },
        { "incrementBy", " INCREMENT BY ", NULL, NULL, NULL },
        { "minValue", " MINVALUE ", NULL, NULL, NULL },
        { "maxValue", " MAXVALUE ", NULL, NULL, NULL },
        { "ordered", NULL, " ORDER", " NOORDER", NULL },
        { "cacheSize", " CACHE ", NULL, NULL, NULL },
        { "cycle", NULL, " CYCLE", " NO CYCLE", NULL },
        { NULL, NULL, NULL, NULL, NULL },
};

static int add_sequence(SqlList *out, const Change *c, const SqlContext *x, const char *form,
                        const SequenceClause *clauses, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_FORM_MAX);

        sql_form(&t, x, form, sql_attribute(c, "schemaName"), sql_attribute(c, "sequenceName"));
        for (; clauses->attribute; clauses++) {
                const char *value = sql_attribute(c, clauses->attribute);

                if (!value || (clauses->without && strcmp(value, clauses->without) == 0))
                        continue;
                if (clauses->before)
                        text_printf(&t, "%s%s", clauses->before, value);
                else
                        text_add(&t, java_true(value) ? clauses->set : clauses->unset);
        }
        return sql_add(out, c, &t, err);
}

int change_sql_create_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return add_sequence(out, c, x, "CREATE SEQUENCE  IF NOT EXISTS %T", create_clauses, err);
}

int change_sql_alter_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return add_sequence(out, c, x, "ALTER SEQUENCE %T", alter_clauses, err);
}

int change_sql_drop_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit(out, c, x, err, "DROP SEQUENCE %T CASCADE", sql_attribute(c, "schemaName"),
                        sql_attribute(c, "sequenceName"));
}

int change_inverse_create_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return change_sql_drop_sequence(out, c, x, err);
}

static int rename_sequence(SqlList *out, const Change *c, const SqlContext *x, const char *from,
                           const char *to, Error *err)
{
        return sql_emit(out, c, x, err, "ALTER SEQUENCE %T RENAME TO %N",
                        sql_attribute(c, "schemaName"), sql_attribute(c, from),
                        sql_attribute(c, to));
}

int change_sql_rename_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_sequence(out, c, x, "oldSequenceName", "newSequenceName", err);
}

int change_inverse_rename_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return rename_sequence(out, c, x, "newSequenceName", "oldSequenceName", err);
}
