#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/sql/sql_form.h"

void sql_literal(Text *t, const char *s)
{
        text_addc(t, '\'');
        for (const char *quote; (quote = strchr(s, '\'')); s = quote + 1) {
                text_append(t, s, (size_t) (quote - s) + 1);
                text_addc(t, '\'');
        }
        text_add(t, s);
        text_addc(t, '\'');
}

static bool starts_with(const char *s, const char *prefix)
{
        return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

/* Text that the author meant to be SQL; what asks for the time in another database's words is put in PostgreSQL's. */
static void add_function(Text *t, const char *s)
{
        if (starts_with(s, "current_timestamp") || starts_with(s, "current_datetime") ||
            strcasecmp(s, "now()") == 0)
                text_add(t, "NOW()");
        else
                text_add(t, s);
}

/* ISO text as PostgreSQL's own. */
static void add_date(Text *t, const char *s)
{
        const char *mark = strchr(s, 'T');

        text_addc(t, '\'');
        text_append(t, s, mark ? (size_t) (mark - s) : strlen(s));
        if (mark) {
                text_addc(t, ' ');
                text_add(t, mark + 1);
        }
        text_addc(t, '\'');
}

void sql_sequence(Text *t, const SqlContext *x, const char *function, const char *schema,
                  const char *sequence)
{
        _cleanup_text_ Text name = TEXT_INIT(SQL_FORM_MAX);

        sql_qualified(&name, x, schema, sequence);
        if (name.bad)
                t->bad = true;
        sql_form(t, x, "%S(%L)", function, text_str(&name));
}

void sql_string(Text *t, const char *s)
{
        if (strcasecmp(s, "NULL") == 0)
                text_add(t, "NULL");
        else if (strcasecmp(s, "NOW()") == 0 || starts_with(s, "to_date("))
                text_add(t, s);
        else
                sql_literal(t, s);
}

/* The ways of giving a value, in the order in which they are looked for. */
typedef enum ValueKind {
        VALUE_STRING,
        VALUE_BOOLEAN,
        VALUE_NUMERIC,
        VALUE_DATE,
        VALUE_COMPUTED,
        VALUE_FILE,
        VALUE_NEXT,
        VALUE_CURRENT,
} ValueKind;

typedef struct ValueField {
        const char *name;
        ValueKind kind;
} ValueField;

static const ValueField value_fields[] = {
        { "value", VALUE_STRING },
        { "valueBoolean", VALUE_BOOLEAN },
        { "valueNumeric", VALUE_NUMERIC },
        { "valueDate", VALUE_DATE },
        { "valueComputed", VALUE_COMPUTED },
        { "valueClobFile", VALUE_FILE },
        { "valueBlobFile", VALUE_FILE },
        { "valueSequenceNext", VALUE_NEXT },
        { "valueSequenceCurrent", VALUE_CURRENT },
        { NULL, VALUE_STRING },
};

static const ValueField default_fields[] = {
        { "defaultValue", VALUE_STRING },
        { "defaultValueBoolean", VALUE_BOOLEAN },
        { "defaultValueNumeric", VALUE_NUMERIC },
        { "defaultValueDate", VALUE_DATE },
        { "defaultValueComputed", VALUE_COMPUTED },
        { "defaultValueSequenceNext", VALUE_NEXT },
        { NULL, VALUE_STRING },
};

/* The first of the fields that is there; NULL: none. */
static const char *find_value(const Object *o, const ValueField *fields, ValueKind *kind)
{
        const char *s;

        for (; fields->name; fields++) {
                s = object_text(o, fields->name);
                if (!s)
                        continue;
                *kind = fields->kind;
                return s;
        }
        return NULL;
}

bool sql_has_value(const Object *column)
{
        ValueKind kind;

        return find_value(column, value_fields, &kind) != NULL;
}

bool sql_has_default(const Object *column)
{
        ValueKind kind;

        return find_value(column, default_fields, &kind) != NULL;
}

bool sql_value(Text *t, const SqlContext *x, const Change *c, const Object *column)
{
        ValueKind kind = VALUE_STRING;
        const char *s = find_value(column, value_fields, &kind);

        if (!s || kind == VALUE_FILE)
                return false;
        if (kind == VALUE_COMPUTED && strcasecmp(s, "NULL") == 0)
                text_add(t, "NULL");
        else if (kind == VALUE_STRING)
                sql_string(t, s);
        else if (kind == VALUE_BOOLEAN)
                text_add(t, java_true(s) ? "TRUE" : "FALSE");
        else if (kind == VALUE_NUMERIC)
                text_add(t, s);
        else if (kind == VALUE_DATE)
                add_date(t, s);
        else if (kind == VALUE_COMPUTED)
                add_function(t, s);
        else
                sql_sequence(t, x, kind == VALUE_NEXT ? "nextval" : "currval",
                             sql_attribute(c, "schemaName"), s);
        return true;
}

/* Without ".000" at its end. */
static void add_number(Text *t, const char *s)
{
        size_t len = strlen(s), end = len;

        while (end > 0 && s[end - 1] == '0')
                end--;
        if (end > 0 && end < len && s[end - 1] == '.')
                len = end - 1;
        text_append(t, s, len);
}

static int add_boolean(Text *t, ValueKind kind, const char *s, Error *err)
{
        static const char *const yes[] = { "true", "t", "1" }, *const no[] = { "false", "f", "0" };

        if (kind == VALUE_NUMERIC) {
                text_add(t, strcmp(s, "1") == 0 || strcmp(s, "1.0") == 0 ? "TRUE" : "FALSE");
                return 0;
        }
        for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
                if (strcasecmp(s, yes[i]) == 0 || strcasecmp(s, no[i]) == 0) {
                        text_add(t, strcasecmp(s, yes[i]) == 0 ? "TRUE" : "FALSE");
                        return 0;
                }
        (void) error_set(err, ERROR_CHANGELOG, "unknown boolean value: %s", s);
        return error_hint(err, "write true or false");
}

/* Text that a column of a date or time has for its default: quoted, unless it is a function. */
static void add_date_default(Text *t, ValueKind kind, const char *s)
{
        size_t len = strlen(s);

        if (kind == VALUE_DATE)
                add_date(t, s);
        else if (len > 2 && strcmp(s + len - 2, "()") == 0)
                text_add(t, s);
        else
                sql_literal(t, s);
}

static int add_typed(Text *t, ValueKind kind, const char *s, SqlTypeClass class, Error *err)
{
        if (strcasecmp(s, "null") == 0) {
                text_add(t, "null");
                return 0;
        }
        switch (class) {
        case TYPE_BOOLEAN:
                return add_boolean(t, kind, s, err);
        case TYPE_NUMERIC:
        case TYPE_INTEGER:
                add_number(t, s);
                break;
        case TYPE_UUID:
                text_add(t, s);
                break;
        case TYPE_DATE:
                add_date_default(t, kind, s);
                break;
        case TYPE_XML:
                text_add(t, "xml ");
                sql_literal(t, s);
                break;
        default:
                if (kind == VALUE_DATE)
                        add_date(t, s);
                else
                        sql_literal(t, s);
        }
        return 0;
}

int sql_default(Text *t, const SqlContext *x, const Object *column, const SqlType *type, Error *err)
{
        ValueKind kind = VALUE_STRING;
        const char *s = find_value(column, default_fields, &kind);
        int r = 0;

        if (!s)
                return 0;
        text_add(t, starts_with(s, "GENERATED ALWAYS ") ? " " : " DEFAULT ");
        if (kind == VALUE_COMPUTED)
                add_function(t, s);
        else if (kind == VALUE_NEXT)
                sql_sequence(t, x, "nextval", NULL, s);
        else
                r = add_typed(t, kind, s, type->class, err);
        return r < 0 ? r : 1;
}

/* What a number is once Java has read it: without grouping commas and what follows it, an integer or a double. NULL: it is none. */
static const char *read_number(Arena *a, const char *s)
{
        _cleanup_text_ Text digits = TEXT_INIT(400);
        size_t len, sign = *s == '-' ? 1 : 0;
        long long whole;
        char *end;

        len = sign + strspn(s + sign, "0123456789.,");
        for (size_t i = 0; i < len; i++)
                if (s[i] != ',')
                        text_addc(&digits, s[i]);
        if (s[len] == 'E')
                text_add(&digits, s + len);
        if (digits.bad || digits.len == sign)
                return NULL;
        errno = 0;
        whole = strtoll(text_str(&digits), &end, 10);
        if (!*end && errno == 0)
                return arena_printf(a, "%lld", whole);
        return java_double(a, strtod(text_str(&digits), NULL));
}

int sql_untyped_default(Text *t, const SqlContext *x, const Change *c, Arena *a)
{
        ValueKind kind = VALUE_STRING;
        const char *s = find_value(&c->fields, default_fields, &kind), *read = s;

        if (!s)
                return 0;
        if (kind == VALUE_NUMERIC)
                read = read_number(a, s);
        else if (kind == VALUE_DATE)
                read = java_iso_date(a, s);
        if (!read || kind == VALUE_COMPUTED)
                add_function(t, s);
        else if (kind == VALUE_NUMERIC)
                add_number(t, read);
        else if (kind == VALUE_DATE)
                add_date(t, read);
        else if (kind == VALUE_BOOLEAN)
                text_add(t, java_true(s) ? "TRUE" : "FALSE");
        else if (kind == VALUE_NEXT)
                sql_sequence(t, x, "nextval", sql_attribute(c, "schemaName"), s);
        else if (strcasecmp(s, "null") == 0)
                text_add(t, "null");
        else
                sql_literal(t, s);
        return kind == VALUE_NEXT ? 2 : 1;
}
