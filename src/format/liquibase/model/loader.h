#pragma once
/* What the parts that make a model share: model.c, load.c, folder.c, index.c, changeset.c, audience.c, element.c, precondition_read.c, path.c. */
#include "format/liquibase/model/model.h"

/* Sets that Liquibase puts first or last, whatever file they are in (runOrder). */
typedef enum RunOrder { RUN_NORMAL, RUN_FIRST, RUN_LAST, _RUN_ORDER_MAX } RunOrder;

typedef struct SetList {
        ChangeSet **sets;
        size_t n, size;
} SetList;

/* removeChangeSetProperty of a file: a field that columns of addColumn lose. */
typedef struct Removal {
        const char *field;
        const struct Removal *next;
} Removal;

typedef struct Loader {
        Model *model;
        const char *label_filter;
        SetList lists[_RUN_ORDER_MAX];
        /* Those loaded so far by their identity: a hash with open addressing, index_size is a power of 2 or 0. */
        ChangeSet **index;
        size_t n_index, index_size;
        size_t n_files;
        Preconditions **last_precondition;
} Loader;

/* What a file is read with besides itself. */
typedef struct LoadContext {
        ChangelogFile *file;
        const Removal *removals;
        const char *end_delimiter, *strip_comments; /* modifyChangeSets; NULL: as they are */
        bool missing_is_error;                      /* for an includeAll that does not say it */
} LoadContext;

/* By the name's ending. */
typedef enum Syntax { SYNTAX_NONE, SYNTAX_XML, SYNTAX_YAML, SYNTAX_SQL } Syntax;

/* The changelogs in a folder and those below it. */
typedef struct FolderWalk {
        const char *folder, *ending; /* below the root; what names have to end with */
        unsigned long min_depth, max_depth;
        char **paths; /* below the root, in the order in which Liquibase includes them */
        size_t n, size, n_folders;
} FolderWalk;

/* ---- folder.c ---- */
Syntax syntax_of(const char *path);
/* 0 when there is no such folder, 1 when there is. Refuses links that lead out of the root. */
int folder_walk(FolderWalk *w, const Model *m, Error *err);

/* ---- load.c ---- */
/* Reads the changelog, path below the root, and what it includes into the lists of the loader. */
int load_changelog(Loader *l, const char *path, Error *err);

/* ---- path.c ---- */
/* `\` as `/`, and one leading `/` less: logical paths as Liquibase keeps them. */
char *path_clean(Arena *a, const char *path);
/* name from the folder of the changelog, normalised. */
char *path_beside(Arena *a, const ChangelogFile *from, const char *name);
/* Path below the root of what a changelog names; refuses what leads out of it by its name alone. */
int path_resolve(const char **ret, const Model *m, const ChangelogFile *from, const char *name,
                 bool relative, Error *err);
/* The same, and it may be the root: "". */
int path_resolve_folder(const char **ret, const Model *m, const ChangelogFile *from,
                        const char *name, bool relative, Error *err);
/* A descriptor of what is there, refusing what is not below the root, also through symbolic links. flags: those of open(). Leaves
 * errno: ENOENT when nothing is there. */
int path_open(const Model *m, const char *path, uint64_t flags, Error *err);

/* ---- changeset.c ---- */
/* The node is expanded. *ret NULL: its dbms leaves PostgreSQL out, so that Liquibase does not know it. */
int changeset_read(ChangeSet **ret, RunOrder *order, Loader *l, const LoadContext *x, Node *n,
                   Error *err);
int quoting_read(Quoting *ret, const char *text, Error *err);

/* ---- index.c ---- */
/* From now on loader_find() knows it. -1: out of memory. */
int loader_add(Loader *l, ChangeSet *s);
/* The one that has been loaded, by its identity as Liquibase compares it; NULL: none. */
ChangeSet *loader_find(const Loader *l, const char *path, const char *id, const char *author);
/* Faults for those that share path::id::author with one before them. */
int loader_check_duplicates(Loader *l, Error *err);

/* ---- audience.c ---- */
/* Adds an expression to the text of the column, in front of it or at its end, and where it does not match this run gives the
 * reason, unless there is one already. */
int audience_add_contexts(const char **column, const char **reason, Loader *l, const char *text,
                          bool at_end, Error *err);
int audience_add_labels(const char **column, const char **reason, Loader *l, const char *text,
                        bool at_end, Error *err);

/* ---- element.c ---- */
/* Whether an element of XML and those within it are known, and their attributes: what the schema would tell. */
int element_check(const Node *n, const ChangelogFile *f, Error *err);

/* ---- precondition_read.c ---- */
/* set NULL: those of the changelog. */
int preconditions_read(Preconditions **ret, Loader *l, const ChangelogFile *file,
                       const ChangeSet *set, const Node *n, Error *err);
