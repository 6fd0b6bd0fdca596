#include <string.h>
#include <strings.h>

#include "format/liquibase/model/loader.h"

typedef struct Condition {
        const char *name;
        const char *attributes; /* separated by spaces; those with a star are required */
        bool container;
} Condition;

static const Condition conditions[] = {
        { "and", "", true },
        { "or", "", true },
        { "not", "", true },
        { "dbms", "*type", false },
        { "runningAs", "*username", false },
        { "changeSetExecuted", "*id *author changeLogFile", false },
        { "tableExists", "*tableName schemaName catalogName", false },
        { "viewExists", "*viewName schemaName catalogName", false },
        { "columnExists", "*tableName *columnName schemaName catalogName", false },
        { "indexExists", "indexName tableName columnNames schemaName catalogName", false },
        { "primaryKeyExists", "primaryKeyName tableName schemaName catalogName", false },
        { "foreignKeyConstraintExists",
          "foreignKeyName foreignKeyTableName schemaName catalogName foreignKeyTableSchemaName "
          "foreignKeyTableCatalogName",
          false },
        { "uniqueConstraintExists", "*tableName constraintName columnNames schemaName catalogName",
          false },
        { "sequenceExists", "*sequenceName schemaName catalogName", false },
        { "sqlCheck", "expectedResult sql", false },
        { "tableIsEmpty", "*tableName schemaName catalogName", false },
        { "rowCount", "*tableName *expectedRows schemaName catalogName", false },
        { "changeLogPropertyDefined", "*property value", false },
        { "expectedQuotingStrategy", "strategy", false },
        { "customPrecondition", "*className param", false },
};
#define N_CONDITIONS (sizeof conditions / sizeof *conditions)

static const char settings[] =
        "onFail onError onSqlOutput onUpdateSQL onFailMessage onErrorMessage";

typedef struct Reading {
        Loader *loader;
        const ChangelogFile *file;
        const ChangeSet *set;
} Reading;

static int at_node(Error *err, const Reading *x, const Node *n)
{
        return err->path[0] ? -(int) err->code
                            : error_at(err, x->file->physical, n->line, n->column);
}

/* The word is in the list, with a star or without: 2, 1, or 0. */
static int find_word(const char *words, const char *word)
{
        size_t n = strlen(word);

        for (const char *s = words; *s; s += strspn(s, " ")) {
                int star = *s == '*';
                size_t len = strcspn(s, " ");

                if (len - (size_t) star == n && strncasecmp(s + star, word, n) == 0)
                        return 1 + star;
                s += len;
        }
        return 0;
}

static int check_required(const Condition *c, const Reading *x, const Node *n, Error *err)
{
        for (const char *s = c->attributes; *s; s += strspn(s, " ")) {
                size_t len = strcspn(s, " ");
                char name[64];
                const char *value;

                if (*s == '*') {
                        (void) snprintf(name, sizeof name, "%.*s", (int) len - 1, s + 1);
                        value = node_text(n, name);
                        if (!value || !*value) {
                                (void) error_set(err, ERROR_CHANGELOG, "precondition %s has no %s",
                                                 c->name, name);
                                return at_node(err, x, n);
                        }
                }
                s += len;
        }
        return 0;
}

static int check_condition(const Condition *c, const Reading *x, const Node *n, Error *err)
{
        Error fault = { 0 };

        for (const Node *a = n->children; a; a = a->next)
                if (x->file->is_xml && find_word(c->attributes, a->name) == 0) {
                        (void) error_set(err, ERROR_CHANGELOG,
                                         "\"%.100s\" is no attribute of precondition %s", a->name,
                                         c->name);
                        return at_node(err, x, a->attribute ? n : a);
                }
        if (strcmp(c->name, "customPrecondition") != 0)
                return check_required(c, x, n, err);
        (void) error_set(&fault, ERROR_CHANGELOG,
                         "precondition customPrecondition names a Java class, which pgmigrated "
                         "cannot load");
        (void) at_node(&fault, x, n);
        (void) error_hint(&fault, "use sqlCheck instead");
        return model_fault(x->loader->model, x->set, &fault, err);
}

/* Depth is that of the node, which readers bound. */
static int check_children(const Reading *x, const Node *n, bool outermost, Error *err)
{
        int r = 0;

        for (const Node *c = n->children; r >= 0 && c; c = c->next) {
                size_t i = 0;

                if (outermost && find_word(settings, c->name))
                        continue;
                while (i < N_CONDITIONS && strcmp(conditions[i].name, c->name) != 0)
                        i++;
                if (i < N_CONDITIONS && !c->attribute) {
                        r = conditions[i].container ? check_children(x, c, false, err)
                                                    : check_condition(&conditions[i], x, c, err);
                        continue;
                }
                if (strcmp(c->name, "preConditions") == 0) {
                        r = check_children(x, c, true, err);
                        continue;
                }
                /* Liquibase takes no notice of unknown scalars in YAML. */
                if (!x->file->is_xml && !c->children)
                        continue;
                (void) error_set(err, ERROR_CHANGELOG, "unknown precondition \"%.100s\"", c->name);
                r = at_node(err, x, c);
        }
        return r;
}

static int read_action(ConditionAction *ret, const Reading *x, const Node *n, const char *name,
                       Error *err)
{
        static const char *const names[] = { [CONDITION_HALT] = "HALT",
                                             [CONDITION_CONTINUE] = "CONTINUE",
                                             [CONDITION_MARK_RAN] = "MARK_RAN",
                                             [CONDITION_WARN] = "WARN" };
        const char *value = node_text(n, name);
        size_t i = 0;

        *ret = CONDITION_HALT;
        if (!value || !*value)
                return 0;
        while (i < sizeof names / sizeof *names && strcasecmp(names[i], value) != 0)
                i++;
        if (i < sizeof names / sizeof *names) {
                *ret = (ConditionAction) i;
                return 0;
        }
        (void) error_set(err, ERROR_CHANGELOG,
                         "%s of preConditions is \"%.50s\"; it has to be HALT, CONTINUE, MARK_RAN "
                         "or WARN",
                         name, value);
        return at_node(err, x, n);
}

int preconditions_read(Preconditions **ret, Loader *l, const ChangelogFile *file,
                       const ChangeSet *set, const Node *n, Error *err)
{
        const Reading x = { .loader = l, .file = file, .set = set };
        Preconditions *p = arena_alloc(&l->model->arena, sizeof *p);
        int r;

        if (!p)
                return error_oom(err, "preconditions");
        *p = (Preconditions){ .node = n,
                              .file = file,
                              .fail_message = node_text(n, "onFailMessage"),
                              .error_message = node_text(n, "onErrorMessage") };
        r = read_action(&p->on_fail, &x, n, "onFail", err);
        if (r >= 0)
                r = read_action(&p->on_error, &x, n, "onError", err);
        if (r >= 0)
                r = check_children(&x, n, true, err);
        if (r < 0)
                return r;
        *ret = p;
        return 0;
}
