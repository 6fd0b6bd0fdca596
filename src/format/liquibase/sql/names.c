#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/sql/sql.h"

/* What Liquibase takes to be reserved: facts 5.1. Sorted. */
static const char *const reserved_words[] = {
        "ALL",
        "ANALYSE",
        "ANALYZE",
        "AND",
        "ANY",
        "ARRAY",
        "AS",
        "ASC",
        "ASYMMETRIC",
        "AUTHORIZATION",
        "BINARY",
        "BOTH",
        "CASE",
        "CAST",
        "CHECK",
        "COLLATE",
        "COLLATION",
        "COLUMN",
        "CONCURRENTLY",
        "CONSTRAINT",
        "CREATE",
        "CROSS",
        "CURRENT_CATALOG",
        "CURRENT_DATE",
        "CURRENT_ROLE",
        "CURRENT_SCHEMA",
        "CURRENT_TIME",
        "CURRENT_TIMESTAMP",
        "CURRENT_USER",
        "DEFAULT",
        "DEFERRABLE",
        "DESC",
        "DISTINCT",
        "DO",
        "ELSE",
        "END",
        "EXCEPT",
        "FALSE",
        "FETCH",
        "FOR",
        "FOREIGN",
        "FREEZE",
        "FROM",
        "FULL",
        "GRANT",
        "GROUP",
        "HAVING",
        "ILIKE",
        "IN",
        "INITIALLY",
        "INNER",
        "INTERSECT",
        "INTO",
        "IS",
        "ISNULL",
        "JOIN",
        "LATERAL",
        "LEADING",
        "LEFT",
        "LIKE",
        "LIMIT",
        "LOCALTIME",
        "LOCALTIMESTAMP",
        "NATURAL",
        "NOT",
        "NOTNULL",
        "NULL",
        "OFFSET",
        "ON",
        "ONLY",
        "OR",
        "ORDER",
        "OUTER",
        "OVERLAPS",
        "PLACING",
        "PRIMARY",
        "REFERENCES",
        "RETURNING",
        "RIGHT",
        "SELECT",
        "SESSION_USER",
        "SIMILAR",
        "SOME",
        "SYMMETRIC",
        "TABLE",
        "TABLESAMPLE",
        "THEN",
        "TO",
        "TRAILING",
        "TRUE",
        "UNION",
        "UNIQUE",
        "USER",
        "USING",
        "VARIADIC",
        "VERBOSE",
        "WHEN",
        "WHERE",
        "WINDOW",
        "WITH",
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static int compare_word(const void *name, const void *word)
{
        return strcasecmp(name, *(const char *const *) word);
}

static bool is_reserved(const char *name)
{
        return bsearch(name, reserved_words, sizeof(reserved_words) / sizeof(reserved_words[0]),
                       sizeof(reserved_words[0]), compare_word) != NULL;
}

bool sql_needs_quotes(const SqlContext *x, const char *name)
{
        if (x->quoting == QUOTING_ALL)
                return true;
        if (x->quoting == QUOTING_LEGACY && strpbrk(name, LOWER) && strpbrk(name, UPPER))
                return true;
        if (*name && strchr(DIGITS, *name))
                return true;
        return name[strspn(name, LOWER UPPER DIGITS "_")] != '\0' || is_reserved(name);
}

static void add_name(Text *t, const SqlContext *x, const char *name)
{
        if (sql_needs_quotes(x, name))
                text_add_sql_identifier(t, name);
        else
                text_add(t, name);
}

void sql_name(Text *t, const SqlContext *x, const char *name)
{
        add_name(t, x, name);
}

void sql_qualified(Text *t, const SqlContext *x, const char *schema, const char *name)
{
        if (!schema || !*schema)
                schema = x->default_schema;
        if (schema) {
                add_name(t, x, schema);
                text_addc(t, '.');
        }
        add_name(t, x, name);
}

/* One name of a list. */
static void add_part(Text *t, const SqlContext *x, const char *s, size_t len)
{
        _cleanup_text_ Text name = TEXT_INIT(len);

        s = java_trim_part(s, &len);
        text_append(&name, s, len);
        if (name.bad)
                t->bad = true;
        add_name(t, x, text_str(&name));
}

void sql_columns(Text *t, const SqlContext *x, const char *names)
{
        size_t len;

        for (;; names += len + 1) {
                len = strcspn(names, ",");
                add_part(t, x, names, len);
                if (!names[len])
                        return;
                text_add(t, ", ");
        }
}
