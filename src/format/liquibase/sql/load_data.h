#pragma once
/* What loadData and loadUpdateData share: columns of the file, and values. Facts: liquibase.md 5.6. */
#include "format/liquibase/sql/csv.h"
#include "format/liquibase/sql/sql_content.h"

typedef enum LoadType {
        LOAD_UNTYPED, /* not known: text, and nothing for an empty field */
        LOAD_BOOLEAN,
        LOAD_NUMERIC,
        LOAD_DATE,
        LOAD_DATETIME,
        LOAD_TIME,
        LOAD_STRING,
        LOAD_COMPUTED,
        LOAD_SEQUENCE,
        LOAD_BLOB,
        LOAD_CLOB,
        LOAD_SKIP,
} LoadType;

typedef struct LoadColumn {
        const char *name;     /* of the table's column */
        const Object *config; /* what the change says about it; NULL: nothing */
        LoadType type;
        bool prepared; /* Liquibase would use a prepared statement for it: one statement for each row */
} LoadColumn;

/* One for each field of the header. The change's schema and table tell the types that the change does not. */
int load_column_read(LoadColumn *ret, Arena *a, const SqlContext *x, const Change *c, size_t index,
                     const char *header, Error *err);
/* The field as a value of SQL; 1: it is NULL. */
int load_value(Text *t, Arena *a, const SqlContext *x, const Change *c, const LoadColumn *column,
               const char *field, Error *err);

/* A file of data that is read row by row. */
typedef struct Load {
        SqlList *out;
        const Change *c;
        const SqlContext *x;
        Csv csv;
        CsvRecord record;
        LoadColumn *columns;
        size_t n_columns;
        const char *comment;  /* what lines that are no data begin with; NULL: there are none */
        bool prepared;        /* each row is a statement of its own */
        unsigned long number; /* of the record, as Liquibase counts them */
        Text values;          /* of the row, one after another */
        size_t *starts;       /* where each begins, and where the last one ends */
        bool *nulls;          /* which of them are NULL */
} Load;

#define LOAD_INIT(list, change, context)    \
        ((Load){ .out = (list),             \
                 .c = (change),             \
                 .x = (context),            \
                 .record = CSV_RECORD_INIT, \
                 .values = TEXT_INIT(SQL_DATA_MAX) })
void load_done(Load *l);
#define _cleanup_load_ _cleanup_(load_done)
/* Opens the file that the change names and reads its header. */
int load_open(Load *l, Error *err);
/* 1: the values are those of the next row; 0: there is none. */
int load_next(Load *l, Error *err);
/* Value of the column, as SQL. */
void load_add_value(Text *t, const Load *l, size_t i);
