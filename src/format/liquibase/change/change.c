/* From a node of the changelog to a change with normalised fields. Facts: liquibase.md 4.4. */
#include <string.h>

#include "format/liquibase/change/object.h"

/* What createIndex takes from its columns is their names and order. */
static const char *const index_unsummed[] = {
        "type",      "autoIncrement", "constraints", "defaultValue", "value",
        "startWith", "incrementBy",   "encoding",    "remarks",      NULL
};

static size_t count_params(const ChangeType *t)
{
        size_t n = 0;

        while (t->params[n].name)
                n++;
        return n;
}

static bool is(const Change *c, const char *name)
{
        return strcmp(c->type->name, name) == 0;
}

/* ---- columns: <column> elements, or a `columns` list of them ---- */

static int add_column(Change *c, Model *m, const Node *n, Field *f, Error *err)
{
        bool index = is(c, "createIndex");
        Object *column = arena_alloc(&m->arena, sizeof *column);
        Object **items = arena_room(&m->arena, f->items, f->n_items, sizeof(Object *));

        if (!column || !items)
                return error_oom(err, "the columns of a change");
        f->items = items;
        f->items[f->n_items++] = column;
        return column_read(column, &m->arena, n, index || is(c, "addColumn"),
                           index ? index_unsummed : NULL, c->set->file->physical, err);
}

static int add_columns(Change *c, Model *m, const char *name, Error *err)
{
        Field *f = object_add(&c->fields, name, NULL);
        int r = 0;

        f->kind = FIELD_LIST;
        for (const Node *list = NULL; r >= 0 && (list = node_each(c->node, name, list));) {
                if (!node_child(list, "column"))
                        r = add_column(c, m, list, f, err);
                for (const Node *n = NULL; r >= 0 && (n = node_each(list, "column", n));)
                        r = add_column(c, m, n, f, err);
        }
        for (const Node *n = NULL; r >= 0 && (n = node_each(c->node, "column", n));)
                r = add_column(c, m, n, f, err);
        if (f->n_items == 0 && is(c, "dropColumn"))
                object_remove(&c->fields, name);
        return r;
}

/* ---- the other parameters ---- */

static int not_integer(const Change *c, const Node *n, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG,
                         "%s::%s::%s: %s of %s is \"%.100s\", which is no whole number",
                         c->set->path, c->set->id, c->set->author, n->name, c->type->name,
                         n->value);
        return error_at(err, c->set->file->physical, n->line, n->column);
}

static int add_param(Change *c, Model *m, const ChangeParam *p, Error *err)
{
        const Node *n = node_child(c->node, p->name);
        const char *value = n ? n->value : NULL;
        Field *f;

        if (n && node_count(c->node, p->name) > 1) {
                (void) error_set(err, ERROR_CHANGELOG, "%s has several of %s", c->type->name,
                                 p->name);
                return error_at(err, c->set->file->physical, n->line, n->column);
        }
        if (!value && strcmp(p->name, "procedureText") == 0)
                value = node_text(c->node, "procedureBody");
        if (!value && (p->flags & PARAM_DIRECT))
                value = c->node->value;
        if (value && p->type == PARAM_BOOLEAN)
                value = java_true(value) ? "true" : "false";
        else if (value && p->type == PARAM_INTEGER) {
                value = java_integer(&m->arena, value);
                if (!value)
                        return not_integer(c, n ? n : c->node, err);
        }
        if (!value)
                value = p->value;
        if (!value)
                return 0;
        f = object_add(&c->fields, p->name, value);
        f->unsummed = (p->flags & PARAM_UNSUMMED) != 0;
        return 0;
}

/* deleteCascade is a way to say onDelete, and one to lose it (facts 4.4). */
static void settle_cascade(Change *c)
{
        const char *cascade = object_text(&c->fields, "deleteCascade");

        if (cascade)
                object_set(&c->fields, "onDelete",
                           java_true(cascade) && !object_text(&c->fields, "onDelete") ? "CASCADE"
                                                                                      : NULL);
}

/* What single types do differently from the table. */
static void settle(Change *c, Model *m)
{
        const char *own = java_trimmed(&m->arena, c->node->value);
        Object *f = &c->fields;

        if (is(c, "addForeignKeyConstraint"))
                settle_cascade(c);
        if (is(c, "sql")) {
                if (own)
                        object_set(f, "sql", c->node->value);
                c->sql = object_text(f, "sql");
        } else if (is(c, "createView") && own) {
                object_set(f, "selectQuery", c->node->value);
        } else if (is(c, "stop")) {
                object_set(f, "message",
                           c->node->value ? own
                                          : java_trimmed(&m->arena, object_text(f, "message")));
        } else if (is(c, "output")) {
                const char *target = java_trimmed(&m->arena, object_text(f, "target"));

                object_set(f, "message", java_trimmed(&m->arena, object_text(f, "message")));
                object_set(f, "target", target ? target : "STDERR");
        }
}

int change_read(Change *c, Model *m, Error *err)
{
        int r = object_start(&c->fields, &m->arena, count_params(c->type) + 2, c->node->line, err);

        for (const ChangeParam *p = c->type->params; r >= 0 && p->name; p++) {
                if (p->type == PARAM_COLUMNS)
                        r = add_columns(c, m, p->name, err);
                else if (p->type != PARAM_MAP)
                        r = add_param(c, m, p, err);
        }
        if (r >= 0)
                settle(c, m);
        return r;
}

/* ---- validation ---- */

static int fault(const Change *c, Model *m, Error *fault, Error *err)
{
        (void) error_at(fault, c->set->file->physical, c->node->line, c->node->column);
        return model_fault(m, c->set, fault, err);
}

static int missing(const Change *c, Model *m, const char *param, Error *err)
{
        Error e = { .code = ERROR_NONE };

        (void) error_set(&e, ERROR_CHANGELOG, "%s is required for %s on postgresql", param,
                         c->type->name);
        return fault(c, m, &e, err);
}

static bool is_there(const Change *c, const char *name)
{
        const Field *f = object_field(&c->fields, name);

        return f && (f->kind == FIELD_TEXT ? f->text != NULL : f->n_items > 0);
}

static int check_file(const Change *c, Model *m, Error *err)
{
        const char *name = object_text(&c->fields, "path") ?: object_text(&c->fields, "file");
        _cleanup_file_view_ FileView view = { .data = NULL };
        Error e = { .code = ERROR_NONE };

        if (!name)
                return 0;
        if (model_open(&view, m, c->set->file, name,
                       object_flag(&c->fields, "relativeToChangelogFile", false), NULL, &e) >= 0)
                return 0;
        (void) error_prefix(&e, "%s", c->type->name);
        return fault(c, m, &e, err);
}

/* Programs run before the transaction of their changeset begins. */
static bool refuse_program(Error *e, const Change *c, const Model *m)
{
        if (!m->allow_execute) {
                (void) error_set(e, ERROR_CHANGELOG, "%s runs a program, which is not allowed",
                                 c->type->name);
                (void) error_hint(e,
                                  "let Liquibase run this changeset, or set allow_execute = yes");
                return true;
        }
        for (size_t i = 0; i < c->set->n_changes; i++)
                if (!c->set->changes[i].type->runs_program) {
                        (void) error_set(
                                e, ERROR_CHANGELOG,
                                "%s comes after other changes, before which it would run here",
                                c->type->name);
                        (void) error_hint(e, "give it a changeset of its own");
                        return true;
                }
        return false;
}

int change_validate(const Change *c, Model *m, Error *err)
{
        Error e = { .code = ERROR_NONE };
        int r = 0;

        if (c->type->refused) {
                (void) error_set(&e, ERROR_CHANGELOG, "%s cannot be run here: %s", c->type->name,
                                 c->type->refused);
                (void) error_hint(&e, "let Liquibase run this changeset, or replace it by SQL");
                return fault(c, m, &e, err);
        }
        if (c->type->runs_program && refuse_program(&e, c, m))
                return fault(c, m, &e, err);
        for (const ChangeParam *p = c->type->params; r >= 0 && p->name; p++)
                if ((p->flags & PARAM_REQUIRED) && !is_there(c, p->name))
                        r = missing(c, m, p->name, err);
        if (r >= 0 && is(c, "createProcedure") && !is_there(c, "path") &&
            !is_there(c, "procedureText"))
                r = missing(c, m, "procedureText", err);
        return r < 0 ? r : check_file(c, m, err);
}
