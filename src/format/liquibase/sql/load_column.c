#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/sql/load_data.h"

typedef struct TypeName {
        const char *name;
        LoadType type;
} TypeName;

/* As changelogs have them. What they have besides is no type to Liquibase. */
static const TypeName written_types[] = {
        { "BOOLEAN", LOAD_BOOLEAN },    { "NUMERIC", LOAD_NUMERIC },
        { "DATE", LOAD_DATE },          { "DATETIME", LOAD_DATETIME },
        { "TIMESTAMP", LOAD_DATETIME }, { "TIME", LOAD_TIME },
        { "STRING", LOAD_STRING },      { "COMPUTED", LOAD_COMPUTED },
        { "SEQUENCE", LOAD_SEQUENCE },  { "BLOB", LOAD_BLOB },
        { "CLOB", LOAD_CLOB },          { "SKIP", LOAD_SKIP },
        { NULL, LOAD_UNTYPED },
};

/* As PostgreSQL has them, and as createTable makes them; text to Liquibase is all that it does not know, such as float8 and jsonb. */
static const TypeName known_types[] = {
        { "integer", LOAD_NUMERIC },
        { "bigint", LOAD_NUMERIC },
        { "smallint", LOAD_NUMERIC },
        { "decimal", LOAD_NUMERIC },
        { "boolean", LOAD_BOOLEAN },
        { "int2", LOAD_NUMERIC },
        { "int4", LOAD_NUMERIC },
        { "int8", LOAD_NUMERIC },
        { "numeric", LOAD_NUMERIC },
        { "money", LOAD_NUMERIC },
        { "bool", LOAD_BOOLEAN },
        { "bit", LOAD_BOOLEAN },
        { "date", LOAD_DATE },
        { "time", LOAD_TIME },
        { "timetz", LOAD_TIME },
        { "timestamp", LOAD_DATETIME },
        { "timestamptz", LOAD_DATETIME },
        { "uuid", LOAD_UNTYPED },
        { "bytea", LOAD_BLOB },
        { "oid", LOAD_BLOB },
        { "text", LOAD_CLOB },
        { "xml", LOAD_CLOB },
        { NULL, LOAD_STRING },
};

/* The row of that name, or the last one. */
static LoadType find_type(const TypeName *types, const char *name)
{
        while (types->name && strcasecmp(types->name, name) != 0)
                types++;
        return types->type;
}

static bool is_named(const Object *config, const char *attribute, const char *header)
{
        const char *name = sql_attribute_of(config, attribute);

        return name && strcasecmp(name, header) == 0;
}

static bool is_at(const Object *config, size_t index)
{
        const char *text = sql_attribute_of(config, "index");
        char *end;

        return text && strtoull(text, &end, 10) == index && !*end;
}

static const Object *find_config(const Change *c, size_t index, const char *header)
{
        const Field *columns = object_field(&c->fields, "columns");

        for (size_t i = 0; columns && i < columns->n_items; i++) {
                const Object *config = columns->items[i];

                if (is_at(config, index) || is_named(config, "header", header) ||
                    is_named(config, "name", header))
                        return config;
        }
        return NULL;
}

/* By the first word of the type. An array is text. */
static LoadType find_known(const SqlType *type)
{
        char word[64];
        size_t len = strcspn(type->text, " (");

        if (len >= sizeof word)
                return LOAD_STRING;
        memcpy(word, type->text, len);
        word[len] = '\0';
        return find_type(known_types, word);
}

int load_column_read(LoadColumn *ret, Arena *a, const SqlContext *x, const Change *c, size_t index,
                     const char *header, Error *err)
{
        const char *trimmed = java_trimmed(a, header), *name, *type;
        SqlType known;

        *ret = (LoadColumn){ .config = find_config(c, index, trimmed ? trimmed : "") };
        name = sql_attribute_of(ret->config, "name");
        type = sql_attribute_of(ret->config, "type");
        ret->name = name ? name : trimmed;
        if (!ret->name)
                return error_set(err, ERROR_CHANGELOG, "column %zu has no name", index + 1);
        if (type)
                ret->type = find_type(written_types, type);
        else if (sql_known_type(&known, x, c, ret->name))
                ret->type = find_known(&known);
        ret->prepared = ret->type == LOAD_BLOB || ret->type == LOAD_CLOB;
        return 0;
}
