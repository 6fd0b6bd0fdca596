#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/sql/sql.h"

/* What of the text in the changelog goes into PostgreSQL's type besides its name. */
typedef enum TypeForm {
        FORM_NAME,   /* nothing */
        FORM_PARAMS, /* "(a, b)" */
        FORM_FULL,   /* that and what follows the name ("not null", a collation) */
        FORM_CHAR,   /* the same, a length without " CHAR" */
        FORM_NVARCHAR,
        FORM_NUMERIC,   /* no parameters when PostgreSQL does not have that many digits */
        FORM_BLOB,      /* bytea, but for what is called just so */
        FORM_DATETIME,  /* without or with time zone, whatever is said besides */
        FORM_TIMESTAMP, /* the zone as it is written */
        FORM_UNKNOWN,
} TypeForm;

enum {
        TYPE_JAVA = 1,   /* also called java.sql.Types.NAME */
        TYPE_SERIAL = 2, /* its values come from a sequence */
};

typedef struct TypeName {
        const char *name; /* lower case */
        const char *text;
        TypeForm form;
        SqlTypeClass class;
        unsigned flags;
} TypeName;

/* Facts 5.2. */
static const TypeName type_names[] = {
        { "bigint", "BIGINT", FORM_NAME, TYPE_INTEGER, TYPE_JAVA },
        { "bigserial", "BIGINT", FORM_NAME, TYPE_INTEGER, TYPE_SERIAL },
        { "binary", "BYTEA", FORM_BLOB, TYPE_BLOB, TYPE_JAVA },
        { "bit", "BIT", FORM_PARAMS, TYPE_BOOLEAN, 0 },
        { "blob", "BYTEA", FORM_BLOB, TYPE_BLOB, TYPE_JAVA },
        { "bool", "BOOLEAN", FORM_FULL, TYPE_BOOLEAN, 0 },
        { "boolean", "BOOLEAN", FORM_FULL, TYPE_BOOLEAN, TYPE_JAVA },
        { "bpchar", "CHAR", FORM_CHAR, TYPE_TEXT, 0 },
        { "bytea", "BYTEA", FORM_BLOB, TYPE_BLOB, 0 },
        { "char", "CHAR", FORM_CHAR, TYPE_TEXT, TYPE_JAVA },
        { "character", "CHAR", FORM_CHAR, TYPE_TEXT, 0 },
        { "character varying", "VARCHAR", FORM_CHAR, TYPE_TEXT, 0 },
        { "clob", "TEXT", FORM_NAME, TYPE_TEXT, TYPE_JAVA },
        { "currency", "DECIMAL", FORM_NAME, TYPE_NUMERIC, 0 },
        { "date", "date", FORM_NAME, TYPE_DATE, TYPE_JAVA },
        { "datetime", "TIMESTAMP", FORM_DATETIME, TYPE_DATE, TYPE_JAVA },
        { "datetime2", "TIMESTAMP", FORM_DATETIME, TYPE_DATE, 0 },
        { "decimal", "DECIMAL", FORM_FULL, TYPE_NUMERIC, TYPE_JAVA },
        { "double", "DOUBLE PRECISION", FORM_NAME, TYPE_NUMERIC, TYPE_JAVA },
        { "float", "FLOAT", FORM_FULL, TYPE_NUMERIC, TYPE_JAVA },
        { "image", "BYTEA", FORM_BLOB, TYPE_BLOB, 0 },
        { "int", "INTEGER", FORM_NAME, TYPE_INTEGER, 0 },
        { "int2", "SMALLINT", FORM_NAME, TYPE_INTEGER, 0 },
        { "int4", "INTEGER", FORM_NAME, TYPE_INTEGER, 0 },
        { "int8", "BIGINT", FORM_NAME, TYPE_INTEGER, 0 },
        { "integer", "INTEGER", FORM_NAME, TYPE_INTEGER, TYPE_JAVA },
        { "integer8", "BIGINT", FORM_NAME, TYPE_INTEGER, 0 },
        { "java.lang.boolean", "BOOLEAN", FORM_FULL, TYPE_BOOLEAN, 0 },
        { "java.lang.double", "DOUBLE PRECISION", FORM_NAME, TYPE_NUMERIC, 0 },
        { "java.lang.float", "FLOAT", FORM_FULL, TYPE_NUMERIC, 0 },
        { "java.lang.integer", "INTEGER", FORM_NAME, TYPE_INTEGER, 0 },
        { "java.lang.long", "BIGINT", FORM_NAME, TYPE_INTEGER, 0 },
        { "java.lang.string", "VARCHAR", FORM_CHAR, TYPE_TEXT, 0 },
        { "java.math.bigdecimal", "DECIMAL", FORM_FULL, TYPE_NUMERIC, 0 },
        { "java.math.biginteger", "BIGINT", FORM_NAME, TYPE_INTEGER, 0 },
        { "java.sql.date", "date", FORM_NAME, TYPE_DATE, 0 },
        { "java.sql.time", "time", FORM_DATETIME, TYPE_DATE, 0 },
        { "java.sql.timestamp", "TIMESTAMP", FORM_TIMESTAMP, TYPE_DATE, 0 },
        { "java.sql.types.real", "FLOAT", FORM_FULL, TYPE_NUMERIC, 0 },
        { "java.util.date", "TIMESTAMP", FORM_DATETIME, TYPE_DATE, 0 },
        { "java.util.uuid", "UUID", FORM_NAME, TYPE_UUID, 0 },
        { "long binary", "BYTEA", FORM_BLOB, TYPE_BLOB, 0 },
        { "long nvarchar", "TEXT", FORM_NAME, TYPE_TEXT, 0 },
        { "long varbinary", "BYTEA", FORM_BLOB, TYPE_BLOB, 0 },
        { "long varchar", "TEXT", FORM_NAME, TYPE_TEXT, 0 },
        { "longblob", "BYTEA", FORM_BLOB, TYPE_BLOB, TYPE_JAVA },
        { "longnvarchar", "TEXT", FORM_NAME, TYPE_TEXT, TYPE_JAVA },
        { "longtext", "TEXT", FORM_NAME, TYPE_TEXT, 0 },
        { "longvarbinary", "BYTEA", FORM_BLOB, TYPE_BLOB, TYPE_JAVA },
        { "longvarchar", "TEXT", FORM_NAME, TYPE_TEXT, TYPE_JAVA },
        { "mediumblob", "BYTEA", FORM_BLOB, TYPE_BLOB, 0 },
        { "mediumint", "MEDIUMINT", FORM_FULL, TYPE_INTEGER, 0 },
        { "mediumtext", "TEXT", FORM_NAME, TYPE_TEXT, 0 },
        { "money", "DECIMAL", FORM_NAME, TYPE_NUMERIC, 0 },
        { "national", "VARCHAR", FORM_NVARCHAR, TYPE_TEXT, 0 },
        { "nchar", "NCHAR", FORM_CHAR, TYPE_TEXT, TYPE_JAVA },
        { "nchar2", "NCHAR", FORM_CHAR, TYPE_TEXT, 0 },
        { "nclob", "TEXT", FORM_NAME, TYPE_TEXT, TYPE_JAVA },
        { "ntext", "TEXT", FORM_NAME, TYPE_TEXT, 0 },
        { "number", "numeric", FORM_NUMERIC, TYPE_NUMERIC, 0 },
        { "numeric", "numeric", FORM_NUMERIC, TYPE_NUMERIC, TYPE_JAVA },
        { "nvarchar", "VARCHAR", FORM_NVARCHAR, TYPE_TEXT, TYPE_JAVA },
        { "nvarchar2", "VARCHAR", FORM_NVARCHAR, TYPE_TEXT, 0 },
        { "real", "REAL", FORM_NAME, TYPE_NUMERIC, 0 },
        { "serial", "INTEGER", FORM_NAME, TYPE_INTEGER, TYPE_SERIAL },
        { "serial4", "INTEGER", FORM_NAME, TYPE_INTEGER, TYPE_SERIAL },
        { "serial8", "BIGINT", FORM_NAME, TYPE_INTEGER, TYPE_SERIAL },
        { "smalldatetime", "TIMESTAMP", FORM_DATETIME, TYPE_DATE, 0 },
        { "smallint", "SMALLINT", FORM_NAME, TYPE_INTEGER, TYPE_JAVA },
        { "smallmoney", "DECIMAL", FORM_NAME, TYPE_NUMERIC, 0 },
        { "smallserial", "SMALLINT", FORM_NAME, TYPE_INTEGER, TYPE_SERIAL },
        { "text", "TEXT", FORM_NAME, TYPE_TEXT, 0 },
        { "time", "time", FORM_DATETIME, TYPE_DATE, TYPE_JAVA },
        { "time_with_timezone", "time", FORM_DATETIME, TYPE_DATE, TYPE_JAVA },
        { "timestamp", "TIMESTAMP", FORM_TIMESTAMP, TYPE_DATE, TYPE_JAVA },
        { "timestamp_with_timezone", "TIMESTAMP", FORM_TIMESTAMP, TYPE_DATE, TYPE_JAVA },
        { "timestamptz", "TIMESTAMP", FORM_TIMESTAMP, TYPE_DATE, 0 },
        { "timetz", "time", FORM_DATETIME, TYPE_DATE, 0 },
        { "tinyblob", "BYTEA", FORM_BLOB, TYPE_BLOB, 0 },
        { "tinyint", "SMALLINT", FORM_NAME, TYPE_INTEGER, TYPE_JAVA },
        { "tinytext", "TEXT", FORM_NAME, TYPE_TEXT, 0 },
        { "uniqueidentifier", "UUID", FORM_NAME, TYPE_UUID, 0 },
        { "uuid", "UUID", FORM_NAME, TYPE_UUID, 0 },
        { "varbinary", "BYTEA", FORM_BLOB, TYPE_BLOB, TYPE_JAVA },
        { "varchar", "VARCHAR", FORM_CHAR, TYPE_TEXT, TYPE_JAVA },
        { "varchar2", "VARCHAR", FORM_CHAR, TYPE_TEXT, 0 },
        { "xml", "XML", FORM_FULL, TYPE_XML, 0 },
        { "xmltype", "XML", FORM_FULL, TYPE_XML, 0 },
};

/* A type as it is written, taken apart. */
typedef struct TypeText {
        const char *raw;    /* as it is written, trimmed */
        char base[256];     /* its name */
        const char *more;   /* in base: what follows the name; NULL: nothing */
        const char *params; /* in raw: what is between the parentheses; NULL: none */
        size_t params_len;
        bool auto_increment; /* "identity", "{autoIncrement:true}" */
} TypeText;

static int compare_name(const void *name, const void *row)
{
        return strcasecmp(name, ((const TypeName *) row)->name);
}

static const TypeName *find_name(const char *name)
{
        return bsearch(name, type_names, sizeof(type_names) / sizeof(type_names[0]),
                       sizeof(type_names[0]), compare_name);
}

static const TypeName *find_type(const char *name)
{
        static const char java[] = "java.sql.Types.";
        const TypeName *row = find_name(name);

        if (row || strncasecmp(name, java, sizeof(java) - 1) != 0)
                return row;
        row = find_name(name + sizeof(java) - 1);
        return row && row->flags & TYPE_JAVA ? row : NULL;
}

static void trim_end(char *s)
{
        size_t len = strlen(s);

        while (len > 0 && isspace((unsigned char) s[len - 1]))
                s[--len] = '\0';
}

/* What is quoted is named without its quotes. */
static void unquote(char *s)
{
        static const char *const pairs[] = { "\"\"", "[]", "``", "''" };
        char *end;

        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
                if (*s != pairs[i][0])
                        continue;
                end = strchr(s + 1, pairs[i][1]);
                if (!end || strchr(end + 1, pairs[i][1]))
                        continue;
                memmove(end, end + 1, strlen(end));
                memmove(s, s + 1, strlen(s));
                return;
        }
}

/* Names that consist of several words. */
static bool has_long_name(const char *s)
{
        static const char *const names[] = {
                "bit varying",   "character varying", "long varchar",
                "long nvarchar", "long binary",       "long varbinary"
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (strncasecmp(s, names[i], strlen(names[i])) == 0)
                        return true;
        return false;
}

/* Splits the name from what follows it. */
static void split_name(TypeText *w)
{
        size_t len;

        if (has_long_name(w->base))
                return;
        len = strcspn(w->base, " \t\n\r\f\v");
        if (!w->base[len])
                return;
        w->base[len] = '\0';
        w->more = w->base + len + 1;
        w->more += strspn(w->more, " \t\n\r\f\v");
}

static void cut_braces(TypeText *w)
{
        char *brace = strchr(w->base, '{');

        if (!brace || brace == w->base)
                return;
        w->auto_increment = strncasecmp(brace, "{autoIncrement:true", 19) == 0;
        *brace = '\0';
        trim_end(w->base);
}

static int read_type(TypeText *w, const char *type, Error *err)
{
        const char *open = strchr(type, '('), *close = open ? strchr(open, ')') : NULL;
        size_t len = strlen(type), head = len;

        if (len >= sizeof(w->base)) {
                (void) error_set(err, ERROR_CHANGELOG, "the type \"%.40s...\" is too long", type);
                return error_hint(err, "a type may have %zu bytes", sizeof(w->base) - 1);
        }
        w->raw = type;
        if (open && open != type) {
                w->params = open + 1;
                w->params_len = close ? (size_t) (close - open) - 1 : strlen(open + 1);
        }
        if (open && open != type && close) {
                head = (size_t) (open - type);
                memcpy(w->base, type, head);
                trim_end(w->base);
                head = strlen(w->base);
                memcpy(w->base + head, close + 1, strlen(close));
        } else {
                memcpy(w->base, type, len + 1);
        }
        cut_braces(w);
        len = strlen(w->base);
        if (len > 9 && strcmp(w->base + len - 9, " identity") == 0) {
                w->base[len - 9] = '\0';
                w->auto_increment = true;
        }
        unquote(w->base);
        trim_end(w->base);
        split_name(w);
        return 0;
}

/* Length of a parameter without " CHAR" at its end. */
static size_t without_unit(const char *s, size_t len)
{
        return len > 5 && strncasecmp(s + len - 5, " CHAR", 5) == 0 ? len - 5 : len;
}

/* "(a, b)"; nothing when there are none. */
static void add_params(Text *t, const TypeText *w, bool chars, size_t max)
{
        const char *s = w->params, *end = s ? s + w->params_len : NULL, *part;
        size_t len, part_len, n = 0;

        for (; s && s < end && n < max; s += len + 1) {
                len = strcspn(s, ",");
                if (len > (size_t) (end - s))
                        len = (size_t) (end - s);
                part_len = len;
                part = java_trim_part(s, &part_len);
                if (part_len == 0)
                        continue;
                if (chars)
                        part_len = without_unit(part, part_len);
                text_add(t, n++ ? ", " : "(");
                text_append(t, part, part_len);
        }
        if (n)
                text_addc(t, ')');
}

static void add_more(Text *t, const TypeText *w)
{
        if (!w->more || !*w->more)
                return;
        text_addc(t, ' ');
        text_add(t, w->more);
}

static bool contains(const char *s, const char *part)
{
        return strcasestr(s, part) != NULL;
}

static const char *time_zone(const TypeText *w)
{
        return contains(w->raw, "tz") || contains(w->raw, "with time zone") ||
                               contains(w->raw, "_with_timezone")
                       ? " WITH TIME ZONE"
                       : " WITHOUT TIME ZONE";
}

static int add_timestamp(Text *t, const TypeText *w, Error *err)
{
        if (w->params && strtol(w->params, NULL, 10) > 6) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "PostgreSQL does not keep %s: 6 digits of a second at most",
                                 w->raw);
                return error_hint(err, "write timestamp(6)");
        }
        add_params(t, w, false, SIZE_MAX);
        if (!w->more)
                text_add(t, time_zone(w));
        else if (strcasecmp(w->more, "with timezone") == 0)
                text_add(t, " WITH TIME ZONE");
        else if (strcasecmp(w->more, "without timezone") == 0)
                text_add(t, " WITHOUT TIME ZONE");
        else
                add_more(t, w);
        return 0;
}

/* What Liquibase does not know it prints in capitals. */
static void add_unknown(Text *t, const TypeText *w)
{
        bool list = strcasecmp(w->base, "enum") == 0 || strcasecmp(w->base, "set") == 0;
        const char *s = strncasecmp(w->base, "interval", 8) == 0 ? w->raw : w->base;

        for (; *s; s++)
                text_addc(t, *s >= 'a' && *s <= 'z' ? (char) (*s - 'a' + 'A') : *s);
        add_params(t, w, false, list ? SIZE_MAX : 2);
        add_more(t, w);
}

static void add_char(Text *t, const TypeText *w, const char *name)
{
        static const char unlimited[] = "2147483647";

        if (strcmp(name, "VARCHAR") == 0 && w->params_len == sizeof(unlimited) - 1 &&
            strncmp(w->params, unlimited, w->params_len) == 0) {
                text_add(t, "CHARACTER VARYING");
        } else {
                text_add(t, name);
                add_params(t, w, true, SIZE_MAX);
        }
        add_more(t, w);
}

static bool is_blob(const TypeText *w)
{
        return strncasecmp(w->raw, "blob", 4) == 0 ||
               strncasecmp(w->raw, "java.sql.Types.BLOB", 19) == 0;
}

static int add_known(Text *t, const TypeText *w, const TypeName *row, Error *err)
{
        if (row->form == FORM_CHAR) {
                add_char(t, w, row->text);
                return 0;
        }
        text_add(t, row->form == FORM_BLOB && is_blob(w) ? "OID" : row->text);
        if (row->form == FORM_TIMESTAMP)
                return add_timestamp(t, w, err);
        if (row->form == FORM_NUMERIC && w->params && strtol(w->params, NULL, 10) > 1000)
                return 0;
        if (row->form == FORM_NAME || row->form == FORM_BLOB)
                return 0;
        add_params(t, w, row->form == FORM_NVARCHAR, SIZE_MAX);
        if (row->form == FORM_DATETIME)
                text_add(t, time_zone(w));
        else if (row->form == FORM_FULL)
                add_more(t, w);
        return 0;
}

/* Before PostgreSQL 10 there are no identity columns. */
static const char *serial_name(const char *text)
{
        if (strcmp(text, "BIGINT") == 0)
                return "BIGSERIAL";
        return strcmp(text, "SMALLINT") == 0 ? "SMALLSERIAL" : "SERIAL";
}

int sql_type(SqlType *ret, const SqlContext *x, const char *type, bool auto_increment, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(sizeof(ret->text) - 1);
        TypeText w = { 0 };
        const TypeName *row;
        int r;

        if (!type || !*type)
                return error_set(err, ERROR_CHANGELOG, "a column has no type");
        type += strspn(type, " \t\n\r\f\v");
        r = read_type(&w, type, err);
        if (r < 0)
                return r;
        row = find_type(w.base);
        if (row)
                r = add_known(&t, &w, row, err);
        else
                add_unknown(&t, &w);
        if (r < 0)
                return r;
        ret->class = row ? row->class : TYPE_OTHER;
        ret->auto_increment = auto_increment || (row && row->flags & TYPE_SERIAL) ||
                              (row && row->class == TYPE_INTEGER && w.auto_increment);
        if (t.bad)
                return error_set(err, ERROR_CHANGELOG, "the type \"%.40s...\" is too long", type);
        (void) snprintf(ret->text, sizeof(ret->text), "%s", text_str(&t));
        if (ret->auto_increment && ret->class == TYPE_INTEGER && x->server_version > 0 &&
            x->server_version < 100000)
                (void) snprintf(ret->text, sizeof(ret->text), "%s", serial_name(ret->text));
        return 0;
}
