#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "format/flyway/flyway.h"
#include "format/script_text.h"

typedef struct Values {
        const FormatContext *ctx;
        const Migration *migration;
        char *directory; /* once it was asked for */
} Values;

static void values_done(Values *v)
{
        free(v->directory);
}

static const char *file_name(const Values *v)
{
        const char *slash = strrchr(v->migration->script, '/');

        return slash ? slash + 1 : v->migration->script;
}
static const char *working_directory(Values *v)
{
        if (!v->directory)
                v->directory = getcwd(NULL, 0);
        return v->directory;
}

/* flyway:defaultSchema and the like. What pgmigrated has no notion of has the value that a plain Flyway gives it. */
static const char *built_in(Values *v, const char *name, size_t len)
{
        const struct {
                const char *name, *value;
        } all[] = {
                { "defaultSchema", v->ctx->schema }, { "user", v->ctx->user },
                { "database", v->ctx->database },    { "timestamp", v->ctx->timestamp },
                { "filename", file_name(v) },        { "table", flyway_table(v->ctx->options) },
                { "environment", "default" },
        };

        for (size_t i = 0; i < sizeof all / sizeof *all; i++)
                if (strlen(all[i].name) == len && strncasecmp(all[i].name, name, len) == 0)
                        return all[i].value;
        if (len == strlen("workingDirectory") && strncasecmp("workingDirectory", name, len) == 0)
                return working_directory(v);
        return NULL;
}

static const char *look_up(void *userdata, const char *name, size_t len)
{
        Values *v = userdata;
        const FormatOptions *o = v->ctx->options;
        const char *separator = o->placeholder_separator ?: ":";
        size_t n = strlen("flyway"), m = strlen(separator);

        if (len > n + m && strncasecmp(name, "flyway", n) == 0 &&
            strncmp(name + n, separator, m) == 0) {
                const char *value = built_in(v, name + n + m, len - n - m);

                if (value)
                        return value;
        }
        for (size_t i = 0; i < o->n_placeholders; i++)
                if (strlen(o->placeholders[i].name) == len &&
                    strncasecmp(o->placeholders[i].name, name, len) == 0)
                        return o->placeholders[i].value;
        return NULL;
}

/* Unlike the checksum of the history, that of the bytes in the file, as read() saw them. */
static int32_t raw_checksum(const Migration *m)
{
        return m->has_checksum_alt ? m->checksum_alt : (int32_t) strtol(m->checksum, NULL, 10);
}

static int open_text(ScriptText *ret, const Migration *m, const FormatContext *ctx, Error *err)
{
        _cleanup_(values_done) Values v = { .ctx = ctx, .migration = m };
        _cleanup_file_view_ FileView file = { 0 };
        const FormatOptions *o = ctx->options;
        int r = file_view_open(&file, AT_FDCWD, m->path, m->path, err);

        if (r < 0) {
                if (err->code == ERROR_IO)
                        err->code = ERROR_CHANGELOG;
                return error_at(err, m->path, 0, 0);
        }
        if (flyway_checksum(file.data, file.size) != raw_checksum(m)) {
                (void) error_set(err, ERROR_CHANGELOG, "the file changed while it was in use");
                (void) error_at(err, m->path, 0, 0);
                return error_hint(err, "run again, once all files are in place");
        }
        r = script_text_start(ret, &file, err);
        if (r >= 0 && o->placeholder_replacement && m->replace_placeholders)
                r = script_text_replace(ret, o->placeholder_prefix, o->placeholder_suffix, look_up,
                                        &v, m->path, err);
        return r;
}

int flyway_open_script(ScriptText *ret, const Changelog *c, const Migration *m,
                       const FormatContext *ctx, Error *err)
{
        _cleanup_(script_text_done) ScriptText text = { 0 };
        int r = open_text(&text, m, ctx, err);

        (void) c;
        if (r < 0)
                return r;
        *ret = text;
        text = (ScriptText){ 0 };
        return 0;
}

/* Of a repeatable, the history has the checksum of what ran: of the text with its placeholders replaced. */
static int bind_one(Migration *m, const FormatContext *ctx, Error *err)
{
        _cleanup_(script_text_done) ScriptText text = { 0 };
        char *checksum;
        int r = open_text(&text, m, ctx, err);

        if (r < 0)
                return r;
        if (asprintf(&checksum, "%d", flyway_checksum(text.data, text.size)) < 0)
                return error_oom(err, m->path);
        free(m->checksum);
        m->checksum = checksum;
        return 0;
}

int flyway_bind(Changelog *c, const FormatContext *ctx, Error *err)
{
        if (!ctx->options->placeholder_replacement)
                return 0;
        for (size_t i = 0; i < c->n_migrations; i++) {
                Migration *m = &c->migrations[i];

                if (m->kind != MIGRATION_REPEATABLE || !m->replace_placeholders)
                        continue;
                int r = bind_one(m, ctx, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
