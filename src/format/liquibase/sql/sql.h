#pragma once
/* The SQL that Liquibase would issue on PostgreSQL for each change. Facts: liquibase.md 5. */
#include "format/liquibase/model/model.h"

/* One statement, without a semicolon at its end, and where it comes from. */
typedef struct SqlStatement {
        const char *sql;
        size_t len;
        const char *path;   /* file at fault when it fails */
        unsigned long line; /* of its first line */
        const Node *
                node; /* text of the user's own: lines follow node_value_line() from byte `at` on; else NULL */
        const char *
                source; /* text of a file of its own (sqlFile): lines are counted from byte `at` of it; else NULL */
        size_t at;
} SqlStatement;

typedef struct SqlList {
        Arena *arena;
        SqlStatement *items;
        size_t n;
} SqlList;
/* Takes the text of t as one statement of the change. */
int sql_add(SqlList *out, const Change *c, Text *t, Error *err);
int sql_addf(SqlList *out, const Change *c, Error *err, const char *fmt, ...)
        __attribute__((__format__(__printf__, 4, 5)));

/* Column types of a table, read before loadData runs; NULL: not known (update-sql). */
typedef struct SqlTableColumns {
        const char *table; /* as qualified in the SQL */
        const char **names, **types;
        size_t n;
        struct SqlTableColumns *next;
} SqlTableColumns;

typedef struct SqlContext {
        const Model *model;
        const char *default_schema; /* not escaped */
        int server_version;
        const SqlTableColumns *tables;
        Quoting quoting; /* of the changeset */
} SqlContext;

/* ---- names: names.c ---- */
void sql_name(Text *t, const SqlContext *x, const char *name); /* escaped where it has to be */
void sql_qualified(Text *t, const SqlContext *x, const char *schema,
                   const char *name); /* schema NULL: the default one */
void sql_columns(Text *t, const SqlContext *x, const char *names); /* "a, b" */
bool sql_needs_quotes(const SqlContext *x, const char *name);
/* ---- types: types.c ---- */
typedef enum SqlTypeClass {
        TYPE_NUMERIC,
        TYPE_INTEGER,
        TYPE_BOOLEAN,
        TYPE_TEXT,
        TYPE_DATE,
        TYPE_BLOB,
        TYPE_UUID,
        TYPE_XML,
        TYPE_OTHER
} SqlTypeClass;
typedef struct SqlType {
        char text[256]; /* "VARCHAR(20)" */
        SqlTypeClass class;
        bool auto_increment; /* serial and its kin */
} SqlType;
int sql_type(SqlType *ret, const SqlContext *x, const char *type, bool auto_increment, Error *err);
/* ---- values: values.c ---- */
/* The value of a column of insert or update; false: it has none, or it is a file's content (valueClobFile, valueBlobFile). */
bool sql_value(Text *t, const SqlContext *x, const Change *c, const Object *column);
/* Text of the user's as a value: quoted, but NULL, NOW() and to_date(...) as they are. */
void sql_string(Text *t, const char *s);
/* nextval('public.s'); schema NULL: the default one. */
void sql_sequence(Text *t, const SqlContext *x, const char *function, const char *schema,
                  const char *sequence);
/* Appends " DEFAULT ..." for a column of that type (a sequence is one of the default schema, whatever the table's) and returns 1; 0: it has none; ERROR_CHANGELOG: no value of that type. */
int sql_default(Text *t, const SqlContext *x, const Object *column, const SqlType *type,
                Error *err);
/* The default of addDefaultValue, which does not look at the column's type: 1, 2 when it comes from a sequence, 0: it has none. */
int sql_untyped_default(Text *t, const SqlContext *x, const Change *c, Arena *a);
void sql_literal(Text *t, const char *s); /* 'it''s', backslashes as they are */
/* Files included. */
bool sql_has_value(const Object *column);
bool sql_has_default(const Object *column);

/* ---- whole changes ---- */
/* Statements of the changeset, modifySql applied, or those that take it back. ERROR_REFUSED when it cannot be taken back: says which
 * change is in the way, in Liquibase's words. */
int changeset_sql(SqlList *out, const ChangeSet *s, const SqlContext *x, Error *err);
int changeset_rollback_sql(SqlList *out, const ChangeSet *s, const SqlContext *x, Error *err);
