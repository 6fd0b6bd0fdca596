#pragma once
/* Changes written as JSON, as YAML changelogs have them: {"tableName": "t", "columns": [{"name": "id", "constraints": {...}}]}. */
#include <jansson.h>

#include "format/liquibase/sql/sql.h"

static Object *json_object_of(Arena *a, json_t *fields);

static void json_field(Field *f, Arena *a, const char *name, json_t *value)
{
        size_t n = json_is_array(value) ? json_array_size(value) : 1;

        f->name = arena_strdup(a, name);
        if (json_is_string(value)) {
                f->kind = FIELD_TEXT;
                f->text = arena_strdup(a, json_string_value(value));
                return;
        }
        f->kind = json_is_array(value) ? FIELD_LIST : FIELD_OBJECT;
        f->items = arena_array(a, n ? n : 1, sizeof(*f->items));
        for (f->n_items = 0; f->n_items < n; f->n_items++)
                f->items[f->n_items] = json_object_of(
                        a, json_is_array(value) ? json_array_get(value, f->n_items) : value);
}

static Object *json_object_of(Arena *a, json_t *fields)
{
        Object *o = arena_alloc(a, sizeof(*o));
        const char *name;
        json_t *value;

        o->fields = arena_array(a, json_object_size(fields) + 1, sizeof(*o->fields));
        json_object_foreach(fields, name, value)
                json_field(&o->fields[o->n_fields++], a, name, value);
        return o;
}

/* `quotes` are read as "quotes". What is no JSON has no attributes: the caller's assertions on the SQL tell. */
static Change json_change(Arena *a, const char *text)
{
        char *quoted = arena_strdup(a, text);
        Change c = { 0 };
        json_t *fields;

        for (char *p = quoted; *p; p++)
                if (*p == '`')
                        *p = '"';
        fields = json_loads(quoted, 0, NULL);
        c.fields = *json_object_of(a, fields);
        json_decref(fields);
        return c;
}
