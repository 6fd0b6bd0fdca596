#pragma once
/* What the parts that make a model share: load.c, changeset.c, precondition_read.c, path.c. */
#include "format/liquibase/model.h"

/* Sets that Liquibase puts first or last, whatever file they are in (runOrder). */
typedef enum RunOrder { RUN_FIRST, RUN_NORMAL, RUN_LAST, _RUN_ORDER_MAX } RunOrder;

typedef struct SetList {
        ChangeSet **sets;
        size_t n, size;
} SetList;

/* removeChangeSetProperty of a file: a field that columns of addColumn lose. */
typedef struct Removal {
        const char *field;
        struct Removal *next;
} Removal;

typedef struct Loader {
        Model *model;
        const FormatOptions *options;
        SetList lists[_RUN_ORDER_MAX];
        ChangeSet **
                index; /* by hash of the key in lower case, open addressing; index_size is a power of 2 */
        size_t n_index, index_size;
        size_t n_files, depth;
        Preconditions **last_precondition;
} Loader;

/* What a file is read with besides itself. */
typedef struct LoadContext {
        ChangelogFile *file;
        const Removal *removals;
        const char *end_delimiter, *strip_comments; /* modifyChangeSets; NULL: as they are */
} LoadContext;

/* ---- path.c ---- */
/* `\` as `/`, and one leading `/` less: logical paths as Liquibase keeps them. */
char *path_clean(Arena *a, const char *path);
/* name from the folder of the changelog, normalised. */
char *path_beside(Arena *a, const ChangelogFile *from, const char *name);
/* Path below the root of what a changelog names; refuses what leads out of it by its name alone. */
int path_resolve(const char **ret, const Model *m, const ChangelogFile *from, const char *name,
                 bool relative, Error *err);
/* A descriptor of what is there, refusing what is not below the root, also through symbolic links. flags: those of open(). */
int path_open(const Model *m, const char *path, uint64_t flags, Error *err);

/* ---- changeset.c ---- */
/* The node is expanded. *ret NULL: its dbms leaves PostgreSQL out, so that Liquibase does not know it. */
int changeset_read(ChangeSet **ret, RunOrder *order, Loader *l, const LoadContext *x, Node *n,
                   Error *err);
/* The one that has been loaded, by its identity as Liquibase compares it; NULL: none. */
ChangeSet *loader_find(const Loader *l, const char *path, const char *id, const char *author);

/* ---- precondition_read.c ---- */
int preconditions_read(Preconditions **ret, Loader *l, const ChangelogFile *file,
                       const ChangeSet *set, const Node *n, Error *err);
