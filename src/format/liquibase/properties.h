#pragma once
/* ${name} in changelogs: where the values come from, and how they are put in. Facts: liquibase.md 1.7. */
#include "format/liquibase/match.h"

typedef struct Property {
        const char *name, *value;
        const char *contexts, *labels, *dbms; /* NULL: any */
        const char *scope; /* logical path of the changelog that it is local to; NULL: global */
        struct Property *next;
} Property;

typedef struct Properties {
        Arena *arena;
        NameList contexts; /* of the run */
        const char *label_filter;
        Property *globals, *last_global, *locals; /* locals: newest first */
        /* A value that only the database knows was asked for while it was not known: read again once it is. */
        bool wants_database;
        bool knows_database;
} Properties;

/* p takes its place behind those of its kind that are there: the first that matches wins. */
int property_add(Properties *all, Property p, Error *err);
/* A Java .properties file. */
int property_add_file(Properties *all, const char *text, Property model, const char *path,
                      Error *err);
/* NULL: not defined. scope: the changelog that asks. */
const char *property_find(Properties *all, const char *name, const char *scope);
/* Text with its ${...} replaced; the same pointer when there is none. Nested and recursive; a value that contains itself is an error. */
int property_expand(const char **ret, Properties *all, const char *text, const char *scope,
                    Error *err);
