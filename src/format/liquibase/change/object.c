#include "format/liquibase/change/object.h"

#include <string.h>

const Field *object_field(const Object *o, const char *name)
{
        for (size_t i = 0; i < o->n_fields; i++)
                if (strcmp(o->fields[i].name, name) == 0)
                        return &o->fields[i];
        return NULL;
}

const char *object_text(const Object *o, const char *name)
{
        const Field *f = object_field(o, name);

        return f && f->kind == FIELD_TEXT ? f->text : NULL;
}

bool object_flag(const Object *o, const char *name, bool unset)
{
        const char *text = object_text(o, name);

        return text ? java_true(text) : unset;
}

const Object *object_object(const Object *o, const char *name)
{
        const Field *f = object_field(o, name);

        return f && f->kind == FIELD_OBJECT ? f->items[0] : NULL;
}

int object_start(Object *o, Arena *a, size_t max, unsigned long line, Error *err)
{
        *o = (Object){ .fields = arena_array(a, max + 1, sizeof *o->fields), .line = line };
        return o->fields ? 0 : error_oom(err, "a change");
}

Field *object_add(Object *o, const char *name, const char *text)
{
        Field *f = &o->fields[o->n_fields++];

        *f = (Field){ .name = name, .kind = FIELD_TEXT, .text = text };
        return f;
}

void object_remove(Object *o, const char *name)
{
        for (size_t i = 0; i < o->n_fields; i++)
                if (strcmp(o->fields[i].name, name) == 0) {
                        memmove(&o->fields[i], &o->fields[i + 1],
                                (o->n_fields - i - 1) * sizeof *o->fields);
                        o->n_fields--;
                        return;
                }
}

void object_set(Object *o, const char *name, const char *text)
{
        object_remove(o, name);
        if (text)
                (void) object_add(o, name, text);
}
