#pragma once
/* What Flyway itself was seen to do: tests/vectors/flyway.json. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

static inline json_t *load_vectors(void)
{
        const char *dir = getenv("srcdir");
        char path[4096];
        json_error_t e;

        (void) snprintf(path, sizeof path, "%s/tests/vectors/flyway.json", dir ? dir : ".");
        json_t *v = json_load_file(path, 0, &e);
        if (!v)
                (void) fprintf(stderr, "# %s: %s\n", path, e.text);
        return v;
}

static inline const char *vector_text(const json_t *v, const char *key)
{
        const char *s = json_string_value(json_object_get(v, key));

        return s ? s : "";
}
