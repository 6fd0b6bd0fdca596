#pragma once
/* Whether something of a changelog is meant for this run: contexts, labels, dbms. Facts: liquibase.md 1.9, 1.10. */
#include "format/liquibase/syntax/java.h"

/* A list of names: what --contexts gives, or a labels attribute. */
typedef struct NameList {
        const char **names; /* lower-cased, trimmed */
        size_t n;
} NameList;
/* At most NAME_LIST_MAX names; each once, empty ones at the end dropped. */
#define NAME_LIST_MAX 1000
int name_list_parse(NameList *ret, Arena *a, const char *text, Error *err);

/* Whether the expression holds for the names: 1, 0, or an error when it cannot be parsed (the caller adds where). expression may be NULL. */
int match_expression(const char *expression, const NameList *names, Error *err);
/* What a label filter says to the labels of something: nothing at all, or no filter, matches. */
int match_labels(const char *filter, const char *labels, Arena *a, Error *err);
/* Whether a list such as "postgresql, !h2" covers PostgreSQL. NULL and "" do. */
bool match_dbms(const char *list);
/* The first name of the list that is no database Liquibase knows, "" when all are known; into buf. */
const char *match_unknown_dbms(const char *list, char *buf, size_t size);
