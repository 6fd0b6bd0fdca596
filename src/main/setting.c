#include "main/setting.h"

#include <string.h>

#define PLACEHOLDER_KEY "placeholder."

static void setting_done(Setting *s)
{
        free(s->placeholder);
        free(s->section);
        secret_wipe_string(s->value);
        free(s->base);
        free(s->path);
        free(s->origin);
}

void setting_list_done(SettingList *l)
{
        for (size_t i = 0; i < l->n; i++)
                setting_done(&l->rows[i]);
        free(l->rows);
        *l = (SettingList){ .rows = NULL };
}

static char *copy(const char *s, bool *bad)
{
        char *c = s ? strdup(s) : NULL;

        *bad |= s && !c;
        return c;
}

static int grow(SettingList *l, Error *err)
{
        size_t size = l->size ? 2 * l->size : 16;
        Setting *rows;

        if (l->n < l->size)
                return 0;
        if (l->n >= SETTING_MAX)
                return error_set(err, ERROR_CONFIG, "more than %d settings", SETTING_MAX);
        rows = reallocarray(l->rows, size, sizeof *rows);
        if (!rows)
                return error_oom(err, "the configuration");
        l->rows = rows;
        l->size = size;
        return 0;
}

int setting_list_add(SettingList *l, const Setting *s, Error *err)
{
        bool bad = false;
        Setting row = *s;
        int r = grow(l, err);

        if (r < 0)
                return r;
        row.placeholder = copy(s->placeholder, &bad);
        row.section = copy(s->section, &bad);
        row.value = copy(s->value, &bad);
        row.base = copy(s->base, &bad);
        row.path = copy(s->path, &bad);
        row.origin = copy(s->origin, &bad);
        if (bad) {
                setting_done(&row);
                return error_oom(err, "the configuration");
        }
        l->rows[l->n++] = row;
        return 0;
}

int setting_resolve(const char *key, const Option **option, const char **placeholder, Error *err)
{
        const char *near;

        *option = NULL;
        *placeholder = NULL;
        if (strncmp(key, PLACEHOLDER_KEY, strlen(PLACEHOLDER_KEY)) == 0) {
                *placeholder = key + strlen(PLACEHOLDER_KEY);
                return 0;
        }
        *option = option_find(key);
        if (*option)
                return 0;
        near = option_nearest(key);
        (void) error_set(err, ERROR_CONFIG, "no option is called \"%s\"", key);
        return near ? error_hint(err, "did you mean %s?", near) : -ERROR_CONFIG;
}

int setting_blame(const Setting *s, Error *err)
{
        if (s->usage && err->code == ERROR_CONFIG)
                err->code = ERROR_USAGE;
        if (s->path)
                return error_at(err, s->path, s->line, 0);
        return error_prefix(err, "%s", s->origin);
}

int setting_apply(const Setting *s, ServiceSettings *service, DatabaseSettings *database,
                  Error *err)
{
        int r = 0;

        if (!s->option)
                r = database ? placeholder_set(database, s->placeholder, s->value, err) : 0;
        else if (s->option->scope == OPTION_SERVICE)
                r = service ? option_set(s->option, service, s->value, s->base, err) : 0;
        else
                r = database ? option_set(s->option, database, s->value, s->base, err) : 0;
        return r < 0 ? setting_blame(s, err) : 0;
}
