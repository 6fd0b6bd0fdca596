#pragma once
/* What a changelog says once files, properties and includes are resolved: an ordered list of changesets. Facts: liquibase.md 1.
 * Everything in it lives in one arena. */
#include "format/format.h"
#include "format/liquibase/model/properties.h"
#include "format/liquibase/syntax/node.h"

typedef struct ChangeType ChangeType;
typedef struct ChangeSet ChangeSet;
typedef struct Object Object;

/* ---- changes ---- */

typedef enum FieldKind { FIELD_TEXT, FIELD_OBJECT, FIELD_LIST } FieldKind;

/* One attribute of a change or column, normalised as Liquibase keeps it (facts 4.4): booleans "true" or "false", integers decimal,
 * valueDate ISO, ... */
typedef struct Field {
        const char *name;
        FieldKind kind;
        const char *text; /* FIELD_TEXT */
        Object **items;   /* FIELD_LIST: columns, ...; FIELD_OBJECT: one: constraints */
        size_t n_items;
        bool unsummed; /* Liquibase leaves it out of checksums: it matters to the SQL only */
} Field;

struct Object {
        Field *fields;
        size_t n_fields;
        unsigned long line;
};

/* NULL: not there. */
const Field *object_field(const Object *o, const char *name);
const char *object_text(const Object *o, const char *name);
bool object_flag(const Object *o, const char *name, bool unset);
/* The nested object (constraints), NULL: none. */
const Object *object_object(const Object *o, const char *name);

typedef struct Change {
        const ChangeType *type;
        const ChangeSet *set;
        const Node *node; /* where it stands, and the text of sql */
        Object fields;
        const char *sql; /* sql and formatted SQL: the text, expanded; else NULL */
} Change;

/* modifySql: one text operation on each generated statement (facts 1.12). */
typedef enum VisitorKind {
        VISITOR_APPEND,
        VISITOR_PREPEND,
        VISITOR_REPLACE,
        VISITOR_REGEXP_REPLACE,
        VISITOR_APPEND_IF_NOT_PRESENT,
        _VISITOR_KIND_MAX,
} VisitorKind;

typedef struct Visitor {
        VisitorKind kind;
        const char *value, *replace, *with;
        const char *dbms, *contexts, *labels;
        bool to_rollback;
} Visitor;

/* ---- preconditions ---- */

typedef enum ConditionAction {
        CONDITION_HALT,
        CONDITION_CONTINUE, /* skip now, look again next time */
        CONDITION_MARK_RAN, /* write a row and never look again */
        CONDITION_WARN,     /* say so and run it */
} ConditionAction;

/* preConditions as written: nested conditions are the node's children. Their names and attributes were checked when read. */
typedef struct Preconditions {
        const Node *node;
        const struct ChangelogFile *file;
        ConditionAction on_fail, on_error;
        const char *fail_message, *error_message;
        struct Preconditions *next; /* of the changelog: those of the other files */
} Preconditions;

/* ---- changesets ---- */

typedef enum Quoting { QUOTING_LEGACY, QUOTING_ALL, QUOTING_RESERVED } Quoting;
const char *quoting_name(Quoting q); /* as changelogs call it */

/* One changelog file as often as it is included. */
typedef struct ChangelogFile {
        const char *path;     /* below the root, as it was asked for: what FILENAME comes from */
        const char *physical; /* to open it, and for errors */
        const char *logical;  /* facts 1.4: path, or logicalFilePath */
        const char *contexts,
                *labels; /* its own and those of the include that brought it in; NULL: none */
        const struct ChangelogFile *parent;
        Quoting quoting;
        const char *path_of_sets;             /* of those that do not say another */
        bool is_sql, is_xml, is_raw, ignored; /* raw: SQL without the header */
        const char *
                filter_reason; /* why nothing of it is meant for this run ("context", "label"); NULL: it is */
} ChangelogFile;

typedef enum RollbackKind {
        ROLLBACK_DERIVED, /* nothing written: the inverses of the changes */
        ROLLBACK_NOTHING, /* an empty rollback: nothing to do */
        ROLLBACK_CHANGES, /* rollback_changes */
} RollbackKind;

struct ChangeSet {
        const char *id, *author;
        const char *path; /* FILENAME */
        const char *key;  /* normalised path::id::author (facts 1.4) */
        const ChangelogFile *file;
        const Node *node;
        bool run_always, run_on_change, fail_on_error, in_transaction, ignored;
        bool mark_ran_when_invalid; /* onValidationFail */
        bool filtered;              /* contexts, labels or dbms do not match this run */
        const char *filter_reason;  /* "context", "label", "dbms", "ignore": static */
        const char *dbms;
        const char *contexts_column, *labels_column; /* as stored; NULL: none */
        const char *comments;                        /* "" none */
        const char *tag;                             /* of its first tagDatabase; NULL: none */
        const char *
                *valid_checksums; /* "N:text", as Liquibase reads them; "any" accepts everything */
        size_t n_valid_checksums;
        Quoting quoting;
        Change *changes;
        size_t n_changes;
        Visitor *visitors; /* those that match this run */
        size_t n_visitors;
        Preconditions *preconditions; /* NULL: none */
        RollbackKind rollback;
        Change *rollback_changes;
        size_t n_rollback_changes;
};

typedef struct Model {
        Arena arena;
        Properties properties;
        char *root; /* folder that paths start at */
        bool allow_execute;
        ChangeSet **sets; /* in the order in which they run */
        size_t n_sets;
        Preconditions *preconditions; /* of the changelogs */
        Error *faults; /* what validation finds wrong without a database: every one of them */
        /* As many: the changeset that a fault is of, where it is one only for as long as that has yet to run; NULL: always one. */
        const ChangeSet **fault_sets;
        size_t n_faults, faults_size; /* how many there are, and there is room for */
} Model;
#define MODEL_MAX_FAULTS 1000

/* Takes a copy of the fault; beyond MODEL_MAX_FAULTS they are dropped. set: see fault_sets. What is filtered out of this run has
 * none. The text is prefixed with the set's identity, and a position that is missing becomes the set's. */
int model_fault(Model *m, const ChangeSet *set, const Error *fault, Error *err);

/* What only the database knows, NULL until it is known. */
typedef struct ModelDatabase {
        int server_version;
        const char *default_schema;
} ModelDatabase;

/* Reads the changelog of o->folder with all that it includes. Errors name file, line and changeset. */
int model_load(Model **ret, const FormatOptions *o, const ModelDatabase *db, Error *err);
Model *model_free(Model *m);
/* The changelog in the folder, by the names people use; the caller frees. ERROR_CHANGELOG that lists them when there is none or
 * there are several. */
int model_find(char **ret, const char *folder, Error *err);
DEFINE_CLEANUP(Model *, model_free)

/* Opens a file that a changelog names, relative to the root or to the changelog that names it; refuses what leads out of the root,
 * also through symbolic links. shown (may be NULL) becomes the path below the root. */
int model_open(FileView *ret, const Model *m, const ChangelogFile *from, const char *name,
               bool relative, const char **shown, Error *err);
/* Facts 1.4: path as compared. */
char *path_normalise(Arena *a, const char *path);

/* ---- the table of change types: change_types.c ---- */

typedef enum ParamType {
        PARAM_STRING,
        PARAM_BOOLEAN,
        PARAM_INTEGER,
        PARAM_COLUMNS,
        PARAM_FUNCTION,
        PARAM_MAP
} ParamType;
enum {
        PARAM_REQUIRED = 1,
        PARAM_UNSUMMED = 2,   /* no checksum covers it */
        PARAM_UNSUMMED_9 = 4, /* none of version 9 does */
        PARAM_DIRECT = 8,     /* the element's own text stands for it too */
};

typedef struct ChangeParam {
        const char *name;
        ParamType type;
        unsigned flags;
        const char *value; /* default, NULL: none */
} ChangeParam;

struct SqlList;
struct SqlContext;
typedef int (*ChangeSql)(struct SqlList *out, const Change *c, const struct SqlContext *x,
                         Error *err);

struct ChangeType {
        const char *name;
        const ChangeParam *params; /* ended by name NULL */
        ChangeSql sql;             /* NULL: none is issued (tagDatabase, empty) */
        ChangeSql inverse;         /* NULL: Liquibase derives none */
        const char *refused;       /* why it cannot be done here, NULL: it can */
        bool no_inverse_needed;    /* nothing to take back: empty, tagDatabase, output */
        bool runs_program;         /* refused unless the changelog may */
        bool reads_database;       /* its SQL depends on what is in the database */
        bool unknown_sum;          /* what its checksum covers is not known here */
};

extern const ChangeType change_types[]; /* ended by name NULL */
/* Names are compared exactly; NULL: none is called so. */
const ChangeType *change_type_find(const char *name);
/* Fills c->fields and c->sql from the node (facts 4.4); missing required parameters are no error here but a fault of validation. */
int change_read(Change *c, Model *m, Error *err);
/* Adds what is missing or wrong in it to m->faults. */
int change_validate(const Change *c, Model *m, Error *err);
