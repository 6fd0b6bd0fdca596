#include <string.h>
#include <strings.h>

#include "format/liquibase/model/loader.h"

/* What the XML schema allows, as far as it matters: a name that is not known is a mistake that would otherwise go unnoticed. Names
 * are separated by spaces. */
static const struct {
        const char *element, *attributes;
} elements[] = {
        { "databaseChangeLog",
          "logicalFilePath contextFilter context objectQuotingStrategy changeLogId changelogId "
          "schemaLocation noNamespaceSchemaLocation" },
        { "changeSet",
          "id author context contextFilter labels dbms runAlways alwaysRun runOnChange "
          "failOnError runInTransaction logicalFilePath objectQuotingStrategy created "
          "runOrder ignore onValidationFail runWith runWithSpoolFile" },
        { "include", "file relativeToChangelogFile errorIfMissing context contextFilter labels "
                     "ignore" },
        { "includeAll", "path relativeToChangelogFile errorIfMissingOrEmpty filter resourceFilter "
                        "resourceComparator minDepth maxDepth endsWithFilter context contextFilter "
                        "labels ignore" },
        { "property", "name value file relativeToChangelogFile errorIfMissing global dbms context "
                      "contextFilter labels" },
        { "modifyChangeSets", "runWith runWithSpoolFile endDelimiter stripComments" },
        { "removeChangeSetProperty", "change dbms remove" },
        { "comment", "" },
        { "validCheckSum", "" },
        { "rollback", "changeSetId changeSetAuthor changeSetPath" },
        { "modifySql", "dbms context contextFilter labels applyToRollback" },
        { "append", "value" },
        { "prepend", "value" },
        { "appendSqlIfNotPresent", "value" },
        { "replace", "replace with" },
        { "regExpReplace", "replace with" },
        { "column",
          "name type value valueNumeric valueBoolean valueDate valueComputed valueBlobFile "
          "valueClobFile valueSequenceNext valueSequenceCurrent defaultValue defaultValueNumeric "
          "defaultValueBoolean defaultValueDate defaultValueComputed defaultValueSequenceNext "
          "defaultValueConstraintName autoIncrement startWith incrementBy generationType "
          "defaultOnNull computed descending encoding remarks beforeColumn afterColumn position "
          "header index allowUpdate included" },
        { "constraints",
          "nullable notNullConstraintName primaryKey primaryKeyName primaryKeyTablespace unique "
          "uniqueConstraintName references referencedTableCatalogName referencedTableSchemaName "
          "referencedTableName referencedColumnNames checkConstraint foreignKeyName deleteCascade "
          "initiallyDeferred deferrable validateNullable validateUnique validatePrimaryKey "
          "validateForeignKey" },
};
#define N_ELEMENTS (sizeof elements / sizeof *elements)

static bool has_word(const char *words, const char *word)
{
        size_t n = strlen(word);

        for (const char *s = words; *s; s += strspn(s, " ")) {
                size_t len = strcspn(s, " ");

                if (len == n && strncasecmp(s, word, n) == 0)
                        return true;
                s += len;
        }
        return false;
}

/* Aliases that the tables of parameters do not list. */
static bool is_param(const ChangeType *type, const char *name)
{
        for (const ChangeParam *p = type->params; p && p->name; p++)
                if (strcasecmp(p->name, name) == 0)
                        return true;
        return has_word("procedureBody os", name);
}

static int refuse_attribute(const Node *n, const Node *attribute, const ChangelogFile *f,
                            Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "\"%.100s\" is no attribute of %.100s",
                         attribute->name, n->name);
        return error_at(err, f->physical, n->line, n->column);
}

static int check_attributes(const Node *n, const char *known, const ChangeType *type,
                            const ChangelogFile *f, Error *err)
{
        for (const Node *c = n->children; c; c = c->next)
                if (c->attribute && !(type ? is_param(type, c->name) : has_word(known, c->name)))
                        return refuse_attribute(n, c, f, err);
        return 0;
}

/* A changeset's change: its attributes, and those of its columns. */
static int check_change(const Node *n, const ChangelogFile *f, Error *err)
{
        const ChangeType *type = change_type_find(n->name);
        int r = type && !type->refused ? check_attributes(n, NULL, type, f, err) : 0;

        for (const Node *c = n->children; r >= 0 && c; c = c->next)
                if (!c->attribute && strcmp(c->name, "column") == 0)
                        r = element_check(c, f, err);
        return r;
}

static bool is_within(const Node *n, const char *child)
{
        if (strcmp(n->name, "changeSet") == 0)
                return has_word("comment validCheckSum rollback modifySql preConditions changes",
                                child);
        if (strcmp(n->name, "rollback") == 0)
                return has_word("comment", child);
        if (strcmp(n->name, "modifySql") == 0)
                return has_word("append prepend replace regExpReplace appendSqlIfNotPresent",
                                child);
        if (strcmp(n->name, "modifyChangeSets") == 0)
                return has_word("include includeAll", child);
        return true;
}

static int check_child(const Node *n, const Node *c, const ChangelogFile *f, Error *err)
{
        bool changes = strcmp(n->name, "changeSet") == 0 || strcmp(n->name, "rollback") == 0;

        if (changes && change_type_find(c->name))
                return check_change(c, f, err);
        if (is_within(n, c->name))
                return strcmp(c->name, "preConditions") == 0 ? 0 : element_check(c, f, err);
        (void) error_set(err, ERROR_CHANGELOG,
                         changes ? "unknown change type \"%.100s\" in %.100s"
                                 : "unknown element \"%.100s\" in %.100s",
                         c->name, n->name);
        (void) error_at(err, f->physical, c->line, c->column);
        return error_hint(err, "check the spelling; extensions of Liquibase are not supported");
}

int element_check(const Node *n, const ChangelogFile *f, Error *err)
{
        size_t i = 0;
        int r;

        while (i < N_ELEMENTS && strcmp(elements[i].element, n->name) != 0)
                i++;
        if (i == N_ELEMENTS)
                return 0;
        r = check_attributes(n, elements[i].attributes, NULL, f, err);
        if (strcmp(n->name, "databaseChangeLog") == 0)
                return r;
        for (const Node *c = n->children; r >= 0 && c; c = c->next)
                if (!c->attribute)
                        r = check_child(n, c, f, err);
        return r;
}
