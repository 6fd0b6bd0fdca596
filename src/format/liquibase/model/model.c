#include "format/liquibase/model/model.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "format/liquibase/model/loader.h"

#define ARENA_MAX ((size_t) 2 << 30)

/* ---- which file it is ---- */

static const char *const usual_names[] = { "changelog",        "db.changelog-master",
                                           "db.changelog",     "changelog-master",
                                           "master",           "databaseChangeLog",
                                           "databasechangelog" };
static const char *const usual_endings[] = { "xml", "yaml", "yml", "json", "sql" };

int model_find(char **ret, const char *folder, Error *err)
{
        _cleanup_text_ Text found = TEXT_INIT(600);
        _cleanup_free_ char *path = NULL;
        size_t n = 0;

        for (size_t i = 0; i < sizeof usual_names / sizeof *usual_names; i++)
                for (size_t k = 0; k < sizeof usual_endings / sizeof *usual_endings; k++) {
                        _cleanup_free_ char *candidate = NULL;
                        struct stat st;

                        if (asprintf(&candidate, "%s/%s.%s", folder, usual_names[i],
                                     usual_endings[k]) < 0) {
                                candidate = NULL;
                                return error_oom(err, "a path");
                        }
                        if (stat(candidate, &st) < 0 || !S_ISREG(st.st_mode))
                                continue;
                        text_printf(&found, "%s%s.%s", n++ > 0 ? ", " : "", usual_names[i],
                                    usual_endings[k]);
                        free(path);
                        path = TAKE_PTR(candidate);
                }
        if (n == 1) {
                *ret = TAKE_PTR(path);
                return 0;
        }
        (void) error_set(err, ERROR_CHANGELOG,
                         n ? "%.300s has several changelogs: %s" : "%.300s has no changelog%s",
                         folder, n ? text_str(&found) : "");
        (void) error_at(err, folder, 0, 0);
        return error_hint(err, n ? "name the file instead of the folder"
                                 : "name the file, or call it changelog.xml, db.changelog-master."
                                   "yaml, ... (.xml, .yaml, .yml, .json, .sql)");
}

static int refuse_path(Error *err, const char *path)
{
        (void) error_set(err, ERROR_CHANGELOG, "%.300s: %m", path);
        return error_at(err, path, 0, 0);
}

/* The folder that paths start at, and the changelog as seen from there. */
static int locate(Model *m, const char **ret, const FormatOptions *o, Error *err)
{
        _cleanup_free_ char *file = NULL, *real = NULL, *folder = NULL;
        char *slash;
        struct stat st;
        size_t len;
        int r;

        if (stat(o->folder, &st) < 0)
                return refuse_path(err, o->folder);
        r = S_ISDIR(st.st_mode) ? model_find(&file, o->folder, err) : 0;
        if (r < 0)
                return r;
        if (!file)
                file = strdup(o->folder);
        if (!file)
                return error_oom(err, "a path");
        slash = strrchr(file, '/');
        folder = slash ? strndup(file, (size_t) (slash - file) + 1) : strdup(".");
        real = folder ? realpath(folder, NULL) : NULL;
        if (!real)
                return refuse_path(err, file);
        m->root = realpath(o->root && *o->root ? o->root : real, NULL);
        if (!m->root)
                return refuse_path(err, o->root ? o->root : real);
        len = strcmp(m->root, "/") == 0 ? 0 : strlen(m->root);
        if (strncmp(real, m->root, len) != 0 || (real[len] != '/' && real[len])) {
                (void) error_set(err, ERROR_CONFIG,
                                 "the changelog %.300s is not below the folder that paths start "
                                 "at, %.300s",
                                 file, m->root);
                return error_at(err, file, 0, 0);
        }
        *ret = arena_printf(&m->arena, "%s/%s", real + len, slash ? slash + 1 : file);
        if (*ret)
                *ret += strspn(*ret, "/");
        return *ret ? 0 : error_oom(err, "a path");
}

/* ---- faults ---- */

static int grow_faults(Model *m)
{
        size_t size = m->faults_size ? 2 * m->faults_size : 16;
        Error *faults = arena_array(&m->arena, size, sizeof *faults);
        const ChangeSet **sets = arena_array(&m->arena, size, sizeof(const ChangeSet *));

        if (!faults || !sets)
                return -1;
        for (size_t i = 0; i < m->n_faults; i++) {
                faults[i] = m->faults[i];
                sets[i] = m->fault_sets[i];
        }
        m->faults = faults;
        m->fault_sets = sets;
        m->faults_size = size;
        return 0;
}

int model_fault(Model *m, const ChangeSet *set, const Error *fault, Error *err)
{
        Error *copy;

        if (m->n_faults >= MODEL_MAX_FAULTS || (set && set->filtered))
                return 0;
        if (m->n_faults == m->faults_size && grow_faults(m) < 0)
                return error_oom(err, "the faults of the changelog");
        copy = &m->faults[m->n_faults];
        *copy = *fault;
        m->fault_sets[m->n_faults++] = set;
        if (!set)
                return 0;
        if (strncmp(copy->text, set->path, strlen(set->path)) != 0)
                (void) error_prefix(copy, "%s::%s::%s", set->path, set->id, set->author);
        if (!copy->path[0])
                (void) error_at(copy, set->file->physical, set->node->line, set->node->column);
        return 0;
}

/* ---- all of it ---- */

static int preset_environment(Properties *all, Error *err)
{
        int r = 0;

        for (char **v = environ; r >= 0 && v && *v; v++) {
                char *equals = strchr(*v, '=');
                _cleanup_free_ char *name =
                        equals ? strndup(*v, (size_t) (equals - *v)) : strdup("");

                if (!name)
                        return error_oom(err, "the environment");
                if (equals)
                        r = property_preset(all, name, equals + 1, err);
        }
        return r;
}

/* What is known before the first file is read. The environment comes first, as in Liquibase. */
static int preset(Model *m, const FormatOptions *o, const ModelDatabase *db, Error *err)
{
        Properties *all = &m->properties;
        int r;

        all->arena = &m->arena;
        all->label_filter = o->labels ? arena_strdup(&m->arena, o->labels) : NULL;
        if (o->table && *o->table)
                all->history_table = java_lower(&m->arena, o->table);
        if (db && db->default_schema) {
                all->knows_database = true;
                all->server_version = db->server_version;
                all->default_schema = arena_strdup(&m->arena, db->default_schema);
        }
        if ((o->labels && !all->label_filter) || (all->knows_database && !all->default_schema))
                return error_oom(err, "a changelog");
        if (!all->default_schema)
                all->default_schema = "public";
        r = name_list_parse(&all->contexts, &m->arena, o->contexts, err);
        if (r >= 0 && o->allow_environment)
                r = preset_environment(all, err);
        for (size_t i = 0; r >= 0 && i < o->n_placeholders; i++)
                r = property_preset(all, o->placeholders[i].name, o->placeholders[i].value, err);
        return r;
}

static int flatten(Loader *l, Error *err)
{
        static const RunOrder orders[] = { RUN_FIRST, RUN_NORMAL, RUN_LAST };
        Model *m = l->model;
        size_t n = 0;

        for (size_t i = 0; i < _RUN_ORDER_MAX; i++)
                n += l->lists[i].n;
        m->sets = arena_array(&m->arena, n + 1, sizeof(ChangeSet *));
        if (!m->sets)
                return error_oom(err, "the changesets");
        for (size_t i = 0; i < _RUN_ORDER_MAX; i++) {
                const SetList *list = &l->lists[orders[i]];

                for (size_t k = 0; k < list->n; k++)
                        m->sets[m->n_sets++] = list->sets[k];
        }
        return 0;
}

int model_load(Model **ret, const FormatOptions *o, const ModelDatabase *db, Error *err)
{
        _cleanup_(model_freep) Model *m = calloc(1, sizeof *m);
        const char *path = NULL;
        Loader l = { .model = m };
        int r;

        if (!m)
                return error_oom(err, "a changelog");
        m->arena = ARENA_INIT(ARENA_MAX);
        m->allow_execute = o->allow_execute;
        l.last_precondition = &m->preconditions;
        r = preset(m, o, db, err);
        l.label_filter = m->properties.label_filter;
        if (r >= 0)
                r = locate(m, &path, o, err);
        if (r >= 0)
                r = load_changelog(&l, path, err);
        if (r >= 0)
                r = flatten(&l, err);
        if (r >= 0)
                r = loader_check_duplicates(&l, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

Model *model_free(Model *m)
{
        if (!m)
                return NULL;
        arena_done(&m->arena);
        free(m->root);
        free(m);
        return NULL;
}
