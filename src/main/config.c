#include "main/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "main/conninfo.h"
#include "main/nearest.h"
#include "util/log.h"

#define PREFIX "PGMIGRATED_"
#define PLACEHOLDER_PREFIX "PLACEHOLDER_"
#define OPTION_NAME_MAX 64

const EnvironmentName environment_names[] = {
        { PREFIX "CONFIG", "the configuration file, as --config" },
        { PREFIX "DATABASE", "the database to work on, as --database" },
        { PREFIX "CTL_URL", "where ctl finds the service, as ctl --url" },
        { NULL, NULL },
};

const char *environment_get(const char *const *environment, const char *wanted)
{
        size_t len = strlen(wanted);

        for (; environment && *environment; environment++)
                if (strncmp(*environment, wanted, len) == 0 && (*environment)[len] == '=')
                        return *environment + len + 1;
        return NULL;
}

void config_done(Config *c)
{
        service_settings_done(&c->service);
        for (size_t i = 0; i < c->n_databases; i++)
                database_settings_done(&c->databases[i]);
        free(c->databases);
        free(c->file);
        *c = (Config){ .databases = NULL };
}

/* ---- layers ---- */

static int add_environment(SettingList *l, const char *variable, const Option *o,
                           const char *placeholder, const char *value, Error *err)
{
        char origin[OPTION_NAME_MAX + 64];

        (void) snprintf(origin, sizeof origin, "environment variable %.*s", OPTION_NAME_MAX,
                        variable);
        return setting_list_add(l,
                                &(Setting){ .option = o,
                                            .placeholder = (char *) (uintptr_t) placeholder,
                                            .value = (char *) (uintptr_t) value,
                                            .origin = origin },
                                err);
}

static void lower(char *to, size_t size, const char *from, size_t len)
{
        size_t n = 0;

        for (; n < len && n + 1 < size; n++)
                to[n] = (char) tolower((unsigned char) from[n]);
        to[n] = '\0';
}

static int unknown_variable(const char *name, const char *option, Error *err)
{
        Nearest n = nearest_begin(name);
        const char *near = option_nearest(option);
        char upper[OPTION_NAME_MAX] = "";

        for (const EnvironmentName *e = environment_names; e->name; e++)
                nearest_offer(&n, e->name);
        (void) error_set(err, ERROR_CONFIG,
                         "environment variable %.100s is not one of pgmigrated's", name);
        for (size_t i = 0; near && near[i] && i + 1 < sizeof upper; i++)
                upper[i] = (char) toupper((unsigned char) near[i]);
        if (near)
                return error_hint(err, "did you mean " PREFIX "%s?", upper);
        return n.best ? error_hint(err, "did you mean %s?", n.best)
                      : error_hint(err, "names that begin with " PREFIX
                                        " are options; pgmigrated help lists them");
}

/* PLACEHOLDER_PREFIX and its like are options; any other PLACEHOLDER_X is the placeholder x. */
static int read_variable(SettingList *l, const char *entry, Error *err)
{
        size_t len = strcspn(entry, "="), skip = strlen(PREFIX);
        char name[2 * OPTION_NAME_MAX], key[2 * OPTION_NAME_MAX];
        const char *value = entry + len + 1;
        const Option *o;

        if (len >= sizeof name)
                return error_set(err, ERROR_CONFIG,
                                 "environment variable %.60s... is not one of pgmigrated's", entry);
        memcpy(name, entry, len);
        name[len] = '\0';
        lower(key, sizeof key, name + skip, len - skip);
        for (const EnvironmentName *e = environment_names; e->name; e++)
                if (strcmp(e->name, name) == 0)
                        return 0;
        o = option_find(key);
        if (o)
                return add_environment(l, name, o, NULL, value, err);
        if (strncmp(name + skip, PLACEHOLDER_PREFIX, strlen(PLACEHOLDER_PREFIX)) == 0)
                return add_environment(l, name, NULL, key + strlen(PLACEHOLDER_PREFIX), value, err);
        return unknown_variable(name, key, err);
}

/* DATABASE_URL is what hosting platforms set; the variable of our own name wins. */
static int read_environment(SettingList *l, const char *const *environment, Error *err)
{
        const char *url = environment_get(environment, "DATABASE_URL");
        int r = 0;

        if (url && !environment_get(environment, PREFIX "URL"))
                r = add_environment(l, "DATABASE_URL", option_find("url"), NULL, url, err);
        for (; r >= 0 && environment && *environment; environment++)
                if (strncmp(*environment, PREFIX, strlen(PREFIX)) == 0)
                        r = read_variable(l, *environment, err);
        return r;
}

static int read_file(Config *c, ConfigFile *f, const ConfigSource *source, Error *err)
{
        const char *path =
                source->file ? source->file : environment_get(source->environment, PREFIX "CONFIG");

        if (!path) {
                path = source->default_file;
                if (!path || (access(path, F_OK) < 0 && errno == ENOENT))
                        return 0;
        }
        c->file = strdup(path);
        if (!c->file)
                return error_oom(err, "the configuration");
        return config_file_read(f, path, err);
}

/* ---- building ---- */

static int apply_list(const SettingList *l, const char *section, ServiceSettings *service,
                      DatabaseSettings *d, Error *err)
{
        int r = 0;

        for (size_t i = 0; r >= 0 && i < l->n; i++) {
                const Setting *s = &l->rows[i];
                bool here = section ? s->section && strcmp(s->section, section) == 0 : !s->section;

                if (here)
                        r = setting_apply(s, service, d, err);
        }
        return r;
}

static int build_database(DatabaseSettings *d, const char *name, const ConfigFile *f,
                          const SettingList *env, const SettingList *args, Error *err)
{
        int r = database_settings_init(d, err);

        if (r >= 0)
                r = apply_list(&f->settings, NULL, NULL, d, err);
        if (r >= 0 && name)
                r = apply_list(&f->settings, name, NULL, d, err);
        if (r >= 0)
                r = apply_list(env, NULL, NULL, d, err);
        if (r >= 0 && args)
                r = apply_list(args, NULL, NULL, d, err);
        return r;
}

static int set_name(DatabaseSettings *d, const char *name, Error *err)
{
        char *copy = strdup(name);

        if (!copy)
                return error_oom(err, "the configuration");
        free(d->name);
        d->name = copy;
        return 0;
}

/* Without sections the one database goes by the name that the server knows it by. */
static int name_database(DatabaseSettings *d, const char *const *environment, Error *err)
{
        _cleanup_conninfo_ PQconninfoOption *o = NULL;
        const char *name = NULL;
        int r = conninfo_parse(&o, secret_reveal(d->url), err);

        if (r < 0)
                return r;
        name = conninfo_get(o, "dbname");
        if (!name)
                name = environment_get(environment, "PGDATABASE");
        return set_name(d, name && database_name_valid(name) ? name : "default", err);
}

static int check_database(const DatabaseSettings *d, Error *err)
{
        _cleanup_conninfo_ PQconninfoOption *o = NULL;
        int r = conninfo_parse(&o, secret_reveal(d->url), err);

        if (r < 0)
                return error_prefix(err, "database %s", d->name);
        if (conninfo_has_password(o) && *d->password_file) {
                (void) error_set(err, ERROR_CONFIG,
                                 "database %s: there is a password in url and a password_file",
                                 d->name);
                return error_hint(err, "leave one of them out");
        }
        return 0;
}

static int unknown_database(const ConfigFile *f, const char *wanted, const DatabaseSettings *only,
                            Error *err)
{
        Nearest n = nearest_begin(wanted);

        for (size_t i = 0; i < f->n_sections; i++)
                nearest_offer(&n, f->sections[i].name);
        (void) error_set(err, ERROR_USAGE, "no database called \"%.100s\" is configured", wanted);
        if (only)
                return error_hint(
                        err, "there are no [database NAME] sections; the one database is called %s",
                        only->name);
        return n.best ? error_hint(err, "did you mean %s?", n.best) : -ERROR_USAGE;
}

/* One URL for several databases can only be a mistake. */
static int check_single_url(const SettingList *l, const char *wanted, size_t n, Error *err)
{
        for (size_t i = 0; l && n > 1 && !wanted && i < l->n; i++) {
                const Setting *s = &l->rows[i];

                if (!s->option || strcmp(s->option->name, "url") != 0)
                        continue;
                (void) error_set(err, ERROR_CONFIG,
                                 "sets one url for all of the %zu databases that are configured",
                                 n);
                (void) error_hint(err, "say which one with --database NAME");
                return setting_blame(s, err);
        }
        return 0;
}

static int build_databases(Config *c, const ConfigFile *f, const SettingList *env,
                           const ConfigSource *source, const char *wanted, Error *err)
{
        size_t n = f->n_sections ? f->n_sections : 1;
        int r = check_single_url(env, wanted, n, err);

        if (r >= 0)
                r = check_single_url(source->arguments, wanted, n, err);
        if (r < 0)
                return r;
        c->databases = calloc(n, sizeof *c->databases);
        if (!c->databases)
                return error_oom(err, "the configuration");
        for (size_t i = 0; i < n; i++) {
                const char *name = f->n_sections ? f->sections[i].name : NULL;
                DatabaseSettings *d = &c->databases[c->n_databases];

                if (name && wanted && strcmp(name, wanted) != 0)
                        continue;
                c->n_databases++;
                r = build_database(d, name, f, env, source->arguments, err);
                if (r >= 0)
                        r = name ? set_name(d, name, err)
                                 : name_database(d, source->environment, err);
                if (r >= 0)
                        r = check_database(d, err);
                if (r < 0)
                        return r;
        }
        if (c->n_databases == 0)
                return unknown_database(f, wanted, NULL, err);
        if (wanted && !f->n_sections && strcmp(c->databases[0].name, wanted) != 0)
                return unknown_database(f, wanted, c->databases, err);
        return 0;
}

/* An empty state_directory means the usual place. */
static int find_state_directory(ServiceSettings *s, const char *const *environment, Error *err)
{
        const char *given = environment_get(environment, "STATE_DIRECTORY"), *home;
        char *path = NULL;
        int n;

        if (*s->state_directory)
                return 0;
        if (given && *given)
                n = asprintf(&path, "%.*s", (int) strcspn(given, ":"), given);
        else if (geteuid() == 0)
                n = asprintf(&path, "/var/lib/pgmigrated");
        else if ((home = environment_get(environment, "XDG_STATE_HOME")) && *home == '/')
                n = asprintf(&path, "%s/pgmigrated", home);
        else if ((home = environment_get(environment, "HOME")) && *home == '/')
                n = asprintf(&path, "%s/.local/state/pgmigrated", home);
        else
                return 0; /* only the service needs one, and says so */
        if (n < 0)
                return error_oom(err, "the configuration");
        free(s->state_directory);
        s->state_directory = path;
        return 0;
}

static int build_service(ServiceSettings *s, const ConfigFile *f, const SettingList *env,
                         const ConfigSource *source, Error *err)
{
        int r = service_settings_init(s, err);

        if (r >= 0)
                r = apply_list(&f->settings, NULL, s, NULL, err);
        if (r >= 0)
                r = apply_list(env, NULL, s, NULL, err);
        if (r >= 0 && source->arguments)
                r = apply_list(source->arguments, NULL, s, NULL, err);
        return r < 0 ? r : find_state_directory(s, source->environment, err);
}

static bool holds_password(const Setting *s)
{
        _cleanup_conninfo_ PQconninfoOption *o = NULL;
        Error ignored;

        return s->option && s->option->flags & OPTION_HIDDEN &&
               conninfo_parse(&o, s->value, &ignored) >= 0 && conninfo_has_password(o);
}

/* A password in a file that everybody can read is worth a word, once per file. */
static void warn_of_readable_secrets(const ConfigFile *f)
{
        const char *said = "";

        for (size_t i = 0; i < f->settings.n; i++) {
                const Setting *s = &f->settings.rows[i];
                struct stat st;

                if (strcmp(s->path, said) == 0 || !holds_password(s) || stat(s->path, &st) < 0)
                        continue;
                said = s->path;
                if (st.st_mode & S_IROTH)
                        log_warning("configuration file with a password can be read by everybody",
                                    LOG_S("FILE", s->path), LOG_N("LINE", s->line),
                                    LOG_S("HINT", "chmod o-r, or use password_file"));
        }
}

int config_load(Config *ret, const ConfigSource *source, Error *err)
{
        _cleanup_config_file_ ConfigFile file = { .sections = NULL };
        _cleanup_settings_ SettingList env = { .rows = NULL };
        _cleanup_config_ Config c = { .databases = NULL };
        const char *wanted = source->database
                                     ? source->database
                                     : environment_get(source->environment, PREFIX "DATABASE");
        int r = read_file(&c, &file, source, err);

        if (r >= 0)
                r = read_environment(&env, source->environment, err);
        if (r >= 0)
                r = build_service(&c.service, &file, &env, source, err);
        if (r >= 0)
                r = build_databases(&c, &file, &env, source, wanted && *wanted ? wanted : NULL,
                                    err);
        if (r < 0)
                return r;
        warn_of_readable_secrets(&file);
        *ret = c;
        c = (Config){ .databases = NULL };
        return 0;
}

int config_load_service(ServiceSettings *ret, const ConfigSource *source, Error *err)
{
        _cleanup_config_file_ ConfigFile file = { .sections = NULL };
        _cleanup_settings_ SettingList env = { .rows = NULL };
        _cleanup_config_ Config c = { .databases = NULL };
        int r = read_file(&c, &file, source, err);

        if (r >= 0)
                r = read_environment(&env, source->environment, err);
        if (r >= 0)
                r = build_service(&c.service, &file, &env, source, err);
        if (r < 0)
                return r;
        *ret = c.service;
        c.service = (ServiceSettings){ .listen = NULL };
        return 0;
}
