#pragma once
/* ${name} in changelogs: where the values come from, and how they are put in. Facts: liquibase.md 1.7. */
#include "format/liquibase/model/match.h"

typedef struct Property {
        const char *name, *value;
        const char *contexts, *labels, *dbms; /* NULL: any */
        const char *scope; /* logical path of the changelog that it is local to; NULL: global */
        struct Property *next;
} Property;

#define PROPERTY_BUCKETS 1024
typedef struct Properties {
        Arena *arena;
        NameList contexts; /* of the run */
        const char *label_filter;
        /* By hash of the name in lower case; of the globals the first of each name, the locals newest first. */
        Property *globals[PROPERTY_BUCKETS], *locals[PROPERTY_BUCKETS];
        /* A value that only the database knows was asked for while it was not known: read again once it is. */
        bool wants_database;
        bool knows_database;
        int server_version;         /* both meaningful only when it is known */
        const char *default_schema; /* where the history is too */
        const char *history_table;  /* NULL: Liquibase's own name */
} Properties;

/* One that comes before all that changelogs say: of the options or the environment. Of the same name, the first one added counts. */
int property_preset(Properties *all, const char *name, const char *value, Error *err);
/* p takes its place behind those of its kind that are there: the first that matches wins. One that does not match this run is left
 * out. */
int property_add(Properties *all, Property p, Error *err);
/* A Java .properties file: ISO 8859-1, size bytes. Each entry is added like model. */
int property_add_file(Properties *all, const char *text, size_t size, Property model,
                      const char *path, Error *err);
/* NULL: not defined. scope: the changelog that asks. */
const char *property_find(Properties *all, const char *name, const char *scope);
/* Text with its ${...} replaced; the same pointer when there is none. Nested and recursive; a value that contains itself is an error. */
int property_expand(const char **ret, Properties *all, const char *text, const char *scope,
                    Error *err);
