/* The statements of a changeset, and those that take it back. Facts: liquibase.md 1.11, 1.12, 5.5. */
#include <stdio.h>
#include <string.h>

#include "format/liquibase/sql/sql_constraint.h"
#include "format/liquibase/sql/visitors.h"

static bool is_change(const Change *c, const char *name)
{
        return strcmp(c->type->name, name) == 0;
}

/* Changes for other databases issue nothing, and there is nothing of them to take back. */
static bool is_meant(const Change *c)
{
        return match_dbms(object_text(&c->fields, "dbms"));
}

static int refuse_change(const Change *c, Error *err)
{
        (void) error_set(err, ERROR_REFUSED, "%s cannot be run here: %s", c->type->name,
                         c->type->refused);
        return error_hint(err, "let Liquibase run this changeset, or replace it by SQL");
}

/* Where an error does not know better, it is where the change stands. */
static int at_change(const Change *c, Error *err)
{
        if (!*err->path && c->node)
                (void) error_at(err, c->set->file->physical, c->node->line, c->node->column);
        return -(int) err->code;
}

static int add_change(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        int r = 0;

        if (!is_meant(c))
                return 0;
        if (c->type->refused)
                r = refuse_change(c, err);
        else if (c->type->sql)
                r = c->type->sql(out, c, x, err);
        return r < 0 ? at_change(c, err) : 0;
}

static int add_changes(SqlList *out, const Change *all, size_t n, const SqlContext *x, Error *err)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++)
                r = add_change(out, &all[i], x, err);
        return r;
}

int changeset_sql(SqlList *out, const ChangeSet *s, const SqlContext *x, Error *err)
{
        size_t first = out->n;
        int r = add_changes(out, s->changes, s->n_changes, x, err);

        return r < 0 ? r : visitors_apply(out, first, s, false, err);
}

/* ---- taking it back ---- */

/* Liquibase names the class: that of the change, but for these. */
static const char *class_name(const Change *c, char *buf, size_t size)
{
        static const char *const others[][2] = {
                { "sql", "RawSQL" },
                { "sqlFile", "SQLFile" },
                { "insert", "InsertData" },
                { "update", "UpdateData" },
                { "delete", "DeleteData" },
                { "mergeColumns", "MergeColumn" },
                { "executeCommand", "ExecuteShellCommand" },
        };

        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
                if (is_change(c, others[i][0]))
                        return others[i][1];
        (void) snprintf(buf, size, "%s", c->type->name);
        if (*buf >= 'a' && *buf <= 'z')
                *buf = (char) (*buf - 'a' + 'A');
        return buf;
}

static int refuse_rollback(const Change *c, Error *err)
{
        char buf[64];

        if (!c->set->file->is_sql)
                return sql_no_inverse(class_name(c, buf, sizeof buf),
                                      "write a rollback into the changeset; an empty one says that "
                                      "there is nothing to take back",
                                      err);
        (void) error_set(err, ERROR_REFUSED,
                         "Liquibase does not support automatic rollback generation for raw sql "
                         "changes (did you mean to specify keyword \"empty\" to ignore rolling "
                         "back this change?)");
        return error_hint(err, "add a line \"--rollback ...\" to the changeset");
}

static int add_inverse(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        int r = 0;

        if (c->type->no_inverse_needed || !is_meant(c))
                return 0;
        r = c->type->inverse ? c->type->inverse(out, c, x, err) : refuse_rollback(c, err);
        return r < 0 ? at_change(c, err) : 0;
}

static int refuse_program(const Change *c, Error *err)
{
        (void) error_set(err, ERROR_REFUSED, "its rollback runs a program with %s", c->type->name);
        (void) error_hint(err, "run the program yourself, and take it out of the rollback");
        return at_change(c, err);
}

int changeset_rollback_sql(SqlList *out, const ChangeSet *s, const SqlContext *x, Error *err)
{
        size_t first = out->n;
        int r = 0;

        /* A program is run before a changeset, never as part of its SQL. */
        for (size_t i = 0; r >= 0 && i < s->n_rollback_changes; i++)
                if (s->rollback_changes[i].type->runs_program)
                        r = refuse_program(&s->rollback_changes[i], err);
        if (r >= 0 && s->rollback == ROLLBACK_CHANGES)
                r = add_changes(out, s->rollback_changes, s->n_rollback_changes, x, err);
        else if (s->rollback == ROLLBACK_DERIVED)
                for (size_t i = s->n_changes; r >= 0 && i > 0; i--)
                        r = add_inverse(out, &s->changes[i - 1], x, err);
        return r < 0 ? r : visitors_apply(out, first, s, true, err);
}
