#include "engine/settings.h"

void database_settings_done(DatabaseSettings *s)
{
        FormatOptions *f = &s->changelog;

        free(s->name);
        secret_free(s->url);
        free(s->password_file);
        free(s->format);
        free(s->role);
        free(f->folder);
        free(f->table);
        free(f->schemas);
        free(f->default_schema);
        free(f->baseline_version);
        free(f->baseline_description);
        free(f->ignore_migration_patterns);
        free(f->installed_by);
        free(f->placeholder_prefix);
        free(f->placeholder_suffix);
        free(f->placeholder_separator);
        for (size_t i = 0; i < f->n_placeholders; i++) {
                free(f->placeholders[i].name);
                free(f->placeholders[i].value);
        }
        free(f->placeholders);
        free(f->target);
        free(f->contexts);
        free(f->labels);
        free(f->root);
        *s = (DatabaseSettings){ .name = NULL };
}

void service_settings_done(ServiceSettings *s)
{
        free(s->listen);
        free(s->socket);
        free(s->state_directory);
        free(s->log_level);
        free(s->log_format);
        *s = (ServiceSettings){ .listen = NULL };
}
