/* Columns and constraints as Liquibase keeps them. Facts: liquibase.md 4.4. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/change/object.h"

/* clang-format off */
static const char *const texts[] = {
        "name", "type", "encoding", "remarks", "valueBlobFile", "valueClobFile", "valueComputed", "valueSequenceNext",
        "valueSequenceCurrent", "defaultValueConstraintName", "defaultValue", "defaultValueComputed",
        "defaultValueSequenceNext", "generationType", NULL,
};
static const char *const flags[] = {
        "computed", "autoIncrement", "descending", "valueBoolean", "defaultValueBoolean", "defaultOnNull", NULL,
};
static const char *const integers[] = { "startWith", "incrementBy", NULL };
static const char *const constraint_texts[] = {
        "notNullConstraintName", "primaryKeyName", "primaryKeyTablespace", "references", "referencedTableCatalogName",
        "referencedTableSchemaName", "referencedTableName", "referencedColumnNames", "uniqueConstraintName", "checkConstraint",
        "foreignKeyName", NULL,
};
static const char *const constraint_flags[] = {
        "nullable", "primaryKey", "unique", "deleteCascade", "initiallyDeferred", "deferrable", "validateNullable",
        "validateUnique", "validatePrimaryKey", "validateForeignKey", NULL,
};
/* For columns of changes that load data: how the file is read. They reach no checksum. */
static const char *const data_texts[] = { "header", "index", "allowUpdate", NULL };
static const char *const positions[] = { "beforeColumn", "afterColumn", NULL };
static const char *const position[] = { "position", NULL };
/* clang-format on */

#define MAX_FIELDS 40

static const char *flag_text(const char *value)
{
        return java_true(value) ? "true" : "false";
}

static void add_texts(Object *o, const Node *n, const char *const *names, bool as_flags)
{
        for (; *names; names++) {
                const char *value = node_text(n, *names);

                if (value)
                        (void) object_add(o, *names, as_flags ? flag_text(value) : value);
        }
}

char *java_integer(Arena *a, const char *s)
{
        const char *sign = "";

        if (*s == '-' || *s == '+') {
                sign = *s == '-' ? "-" : "";
                s++;
        }
        if (!*s || s[strspn(s, "0123456789")])
                return NULL;
        while (*s == '0' && s[1])
                s++;
        return arena_printf(a, "%s%s", strcmp(s, "0") == 0 ? "" : sign, s);
}

static int add_integers(Object *o, Arena *a, const Node *n, const char *const *names,
                        const char *path, Error *err)
{
        for (const char *const *name = names; *name; name++) {
                const char *value = node_text(n, *name), *number;

                if (!value)
                        continue;
                number = java_integer(a, value);
                if (!number) {
                        (void) error_set(err, ERROR_CHANGELOG, "%s=\"%.100s\" is no whole number",
                                         *name, value);
                        return error_at(err, path, n->line, n->column);
                }
                (void) object_add(o, *name, number);
        }
        return 0;
}

/* Java's idea of what looks like a number: only its beginning is checked. */
static bool looks_numeric(const char *s)
{
        s += *s == '-';
        return isdigit((unsigned char) *s) ||
               ((*s == '.' || *s == ',') && isdigit((unsigned char) s[1]));
}

/* A number stays as it is written; what is none was meant to be computed. */
static int add_numeric(Object *o, Arena *a, const Node *n, const char *name, const char *computed,
                       Error *err)
{
        const char *value = node_text(n, name), *bare = value;
        bool is_default = name[0] == 'd';

        if (!value || strcasecmp(value, "null") == 0)
                return 0;
        if (is_default && strcmp(value, "GENERATED_BY_DEFAULT") == 0) {
                object_set(o, "autoIncrement", "true");
                return 0;
        }
        if (*value == '(') {
                size_t len = strlen(value) - 1;

                bare = arena_strndup(a, value + 1, len > 0 && value[len] == ')' ? len - 1 : len);
                if (!bare)
                        return error_oom(err, "a column");
        }
        if (looks_numeric(bare))
                (void) object_add(o, name, bare);
        else if (!object_field(o, computed))
                (void) object_add(o, computed, is_default ? bare : value);
        return 0;
}

static int add_date(Object *o, Arena *a, const Node *n, const char *name, const char *computed)
{
        const Node *child = node_child(n, name);
        const char *iso;

        if (!child || !child->value)
                return 0;
        iso = child->iso ? child->iso : java_iso_date(a, child->value);
        if (iso)
                (void) object_add(o, name, iso);
        else if (!node_text(n, computed))
                object_set(o, computed, child->value);
        return 0;
}

static int add_constraints(Object *o, Arena *a, const Node *n, Error *err)
{
        const Node *child = node_child(n, "constraints");
        Object *constraints;
        Field *f;
        int r;

        if (!child)
                return 0;
        constraints = arena_alloc(a, sizeof *constraints);
        f = object_add(o, "constraints", NULL);
        f->kind = FIELD_OBJECT;
        f->items = arena_array(a, 1, sizeof(Object *));
        if (!constraints || !f->items)
                return error_oom(err, "a column");
        r = object_start(constraints, a, MAX_FIELDS, child->line, err);
        if (r < 0)
                return r;
        add_texts(constraints, child, constraint_texts, false);
        add_texts(constraints, child, constraint_flags, true);
        f->items[0] = constraints;
        f->n_items = 1;
        return 0;
}

static void mark_unsummed(Object *o, const char *const *names)
{
        for (; names && *names; names++)
                for (size_t i = 0; i < o->n_fields; i++)
                        if (strcmp(o->fields[i].name, *names) == 0)
                                o->fields[i].unsummed = true;
}

static bool is_among(const char *name, const char *const *names)
{
        for (; *names; names++)
                if (strcasecmp(name, *names) == 0)
                        return true;
        return false;
}

/* XML is checked by its table of elements; what YAML and JSON have beyond that is refused here, as Liquibase does. */
static int check_names(const Node *n, const char *path, Error *err)
{
        static const char *const others[] = {
                "value",     "valueNumeric",     "defaultValueNumeric",
                "valueDate", "defaultValueDate", "constraints",
                NULL
        };

        for (const Node *c = n->children; c; c = c->next)
                if (!is_among(c->name, texts) && !is_among(c->name, flags) &&
                    !is_among(c->name, integers) && !is_among(c->name, data_texts) &&
                    !is_among(c->name, positions) && !is_among(c->name, position) &&
                    !is_among(c->name, others)) {
                        (void) error_set(err, ERROR_CHANGELOG,
                                         "column %s: %s is nothing that a column has",
                                         node_text(n, "name") ?: "", c->name);
                        return error_at(err, path, c->line, c->column);
                }
        return 0;
}

int column_read(Object *ret, Arena *a, const Node *n, bool positioned, const char *const *unsummed,
                const char *path, Error *err)
{
        const char *value = node_text(n, "value");
        int r = object_start(ret, a, MAX_FIELDS, n->line, err);

        if (r >= 0)
                r = check_names(n, path, err);
        if (r < 0)
                return r;
        add_texts(ret, n, texts, false);
        add_texts(ret, n, flags, true);
        r = add_integers(ret, a, n, integers, path, err);
        if (!value)
                value = java_trimmed(a, n->value);
        if (value)
                (void) object_add(ret, "value", value);
        if (r >= 0)
                r = add_numeric(ret, a, n, "valueNumeric", "valueComputed", err);
        if (r >= 0)
                r = add_numeric(ret, a, n, "defaultValueNumeric", "defaultValueComputed", err);
        if (r >= 0)
                r = add_date(ret, a, n, "valueDate", "valueComputed");
        if (r >= 0)
                r = add_date(ret, a, n, "defaultValueDate", "defaultValueComputed");
        if (positioned)
                add_texts(ret, n, positions, false);
        if (r >= 0 && positioned)
                r = add_integers(ret, a, n, position, path, err);
        if (r >= 0)
                r = add_constraints(ret, a, n, err);
        add_texts(ret, n, data_texts, false);
        mark_unsummed(ret, data_texts);
        mark_unsummed(ret, unsummed);
        return r;
}
