/* From the model to the changelog that the engine works with. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "format/changelog.h"
#include "format/liquibase/change/checksum.h"
#include "format/liquibase/liquibase.h"
#include "format/liquibase/sql/sql_content.h"

LiquibaseLog *liquibase_log(const Changelog *c)
{
        return c->model;
}

const ChangeSet *liquibase_set(const Migration *m)
{
        return m->model;
}

void liquibase_forget(void *model)
{
        LiquibaseLog *log = model;

        free(log->undos);
        arena_done(&log->learnt);
        (void) model_free(log->model);
        free(log);
}

bool liquibase_marks_invalid(const Model *m, const ChangeSet *s)
{
        for (size_t i = 0; s->mark_ran_when_invalid && i < m->n_faults; i++)
                if (m->fault_sets[i] == s)
                        return true;
        return false;
}

/* ---- changesets as migrations ---- */

static bool asks_first(const ChangeSet *s)
{
        if (s->preconditions || s->mark_ran_when_invalid)
                return true;
        for (size_t i = 0; i < s->n_changes; i++)
                if (s->changes[i].type->runs_program || change_reads_columns(&s->changes[i]))
                        return true;
        return false;
}

static int describe(Migration *m, Model *model, const ChangeSet *s, Error *err)
{
        _cleanup_arena_ Arena arena = ARENA_INIT(64U << 20);
        const char *description = changeset_description(&arena, s);
        char sum[CHECKSUM_MAX];
        int r = changeset_checksum(sum, model, s, CHECKSUM_NEWEST, err);

        if (r < 0) {
                if (!*err->path)
                        (void) error_at(err, s->file->physical, s->node->line, 0);
                return error_prefix(err, "changeset %s::%s::%s", s->path, s->id, s->author);
        }
        *m = (Migration){ .kind = MIGRATION_CHANGESET,
                          .version = s->tag ? strdup(s->tag) : NULL,
                          .description = description ? strdup(description) : NULL,
                          .script = strdup(s->path),
                          .path = strdup(s->file->physical),
                          .line = s->node->line,
                          .checksum = strdup(sum),
                          .tx = s->in_transaction ? TX_AUTO : TX_NEVER,
                          .asks_first = asks_first(s),
                          .may_fail = !s->fail_on_error,
                          .model = s };
        if (asprintf(&m->id, "%s::%s::%s", s->path, s->id, s->author) < 0)
                m->id = NULL;
        return m->id && m->description && m->script && m->path && m->checksum &&
                               (m->version || !s->tag)
                       ? 0
                       : error_oom(err, "a changeset");
}

/* What takes a changeset back shares its strings. */
static int make_undos(LiquibaseLog *log, const Changelog *c, Error *err)
{
        log->undos = calloc(c->n_migrations + 1, sizeof *log->undos);
        if (!log->undos)
                return error_oom(err, "the changesets");
        for (size_t i = 0; i < c->n_migrations; i++) {
                log->undos[i] = c->migrations[i];
                log->undos[i].kind = MIGRATION_UNDO;
                log->undos[i].asks_first = log->undos[i].may_fail = false;
        }
        return 0;
}

static int fill(Changelog *c, const FormatOptions *o, const ModelDatabase *db, Error *err)
{
        LiquibaseLog *log = calloc(1, sizeof *log);
        int r;

        if (!log)
                return error_oom(err, "the changelog");
        log->learnt = ARENA_INIT((size_t) 256 << 20);
        c->model = log;
        r = model_load(&log->model, o, db, err);
        for (size_t i = 0; r >= 0 && i < log->model->n_sets; i++) {
                Migration m = { .id = NULL };

                r = describe(&m, log->model, log->model->sets[i], err);
                if (r >= 0)
                        r = changelog_add(c, m, err);
                else
                        migration_done(&m);
        }
        return r < 0 ? r : make_undos(log, c, err);
}

static int check_options(const FormatOptions *o, Error *err)
{
        if (o->group) {
                (void) error_set(err, ERROR_CONFIG, "group = yes means nothing to liquibase");
                return error_hint(err, "each changeset is a transaction of its own there");
        }
        return 0;
}

int liquibase_read(Changelog **ret, const FormatOptions *o, Error *err)
{
        _cleanup_(changelog_freep) Changelog *c = calloc(1, sizeof *c);
        int r = check_options(o, err);

        if (r < 0)
                return r;
        if (!c)
                return error_oom(err, "the changelog");
        c->format = &liquibase_format;
        c->folder = strdup(o->folder);
        if (!c->folder)
                return error_oom(err, "the changelog");
        r = fill(c, o, &(ModelDatabase){ .default_schema = NULL }, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(c);
        return 0;
}

/* A changelog that asks for what only the database knows is read again, now that it is known. */
int liquibase_bind(Changelog *c, const FormatContext *ctx, Error *err)
{
        LiquibaseLog *log = liquibase_log(c);

        if (!log->model->properties.wants_database)
                return 0;
        liquibase_forget(log);
        c->model = NULL;
        for (size_t i = 0; i < c->n_migrations; i++)
                migration_done(&c->migrations[i]);
        free(c->migrations);
        c->migrations = NULL;
        c->n_migrations = 0;
        return fill(c, ctx->options,
                    &(ModelDatabase){ .server_version = ctx->server_version,
                                      .default_schema = ctx->schema },
                    err);
}

int liquibase_resolve(FormatContext *ctx, Error *err)
{
        const FormatOptions *o = ctx->options;
        const char *schema = o->default_schema && *o->default_schema ? o->default_schema
                             : o->schemas && *o->schemas             ? o->schemas
                                                                     : ctx->current_schema;
        size_t len = strcspn(schema, ",");

        while (len > 0 && schema[len - 1] == ' ')
                len--;
        if (len == 0) {
                (void) error_set(err, ERROR_REFUSED,
                                 "database %s: no schema of the search_path exists", ctx->database);
                return error_hint(err, "set default_schema");
        }
        (void) snprintf(ctx->schema_buf, sizeof ctx->schema_buf, "%.*s", (int) len, schema);
        ctx->schema = ctx->schema_buf;
        ctx->table = o->table && *o->table ? o->table : LIQUIBASE_TABLE;
        return 0;
}

/* ---- detection ---- */

static bool has_suffix(const char *name, const char *suffix)
{
        size_t n = strlen(name), s = strlen(suffix);

        return n > s && strcasecmp(name + n - s, suffix) == 0;
}

static int surety(const char *name, bool alone)
{
        static const char *const stems[] = { "changelog.", "db.changelog", "changelog-master",
                                             "databasechangelog.", "master." };
        bool tree = has_suffix(name, ".xml") || has_suffix(name, ".yaml") ||
                    has_suffix(name, ".yml") || has_suffix(name, ".json");

        for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
                if (strncasecmp(name, stems[i], strlen(stems[i])) == 0 &&
                    (tree || has_suffix(name, ".sql")))
                        return 90;
        return alone ? tree ? 80 : has_suffix(name, ".sql") ? 40 : 0 : 0;
}

int liquibase_detect(const char *folder)
{
        const char *base = strrchr(folder, '/');
        struct dirent *d;
        struct stat st;
        int best = 0;
        DIR *dir;

        if (stat(folder, &st) < 0)
                return 0;
        if (!S_ISDIR(st.st_mode))
                return surety(base ? base + 1 : folder, true);
        dir = opendir(folder);
        while (dir && (d = readdir(dir))) {
                int s = surety(d->d_name, false);

                best = s > best ? s : best;
        }
        if (dir)
                (void) closedir(dir);
        return best;
}

int liquibase_new_name(char **ret, const Changelog *c, const char *name, Error *err)
{
        (void) ret;
        (void) c;
        (void) error_set(err, ERROR_REFUSED, "%s: a changeset is added to a changelog by hand",
                         name);
        return error_hint(
                err, "append \"--changeset AUTHOR:ID\" and its SQL to a formatted SQL file, or a "
                     "<changeSet> to an XML one");
}
