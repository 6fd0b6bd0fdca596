#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "format/changelog.h"
#include "format/flyway/flyway.h"
#include "format/script_text.h"
#include "loop/fiber.h"
#include "util/utf8.h"

/* More than anybody has, and what it takes in memory stays small. */
#define MAX_FILES 100000
#define MAX_CONF (64U << 10)

/* Everything that is wrong, so that one look mends it all. */
typedef struct Problems {
        Error first;
        Text others;
        size_t n;
} Problems;

typedef struct Reader {
        Changelog *changelog;
        const FormatOptions *options;
        Problems problems;
        char **confs; /* sidecars, relative */
        size_t n_confs, n_files;
} Reader;

static void reader_done(Reader *rd)
{
        for (size_t i = 0; i < rd->n_confs; i++)
                free(rd->confs[i]);
        free(rd->confs);
        text_done(&rd->problems.others);
        (void) changelog_free(rd->changelog);
}

/* The first one's place is told by the error's path and line; the others have to name theirs. */
static void add_problem(Reader *rd, const Error *e)
{
        const char *slash = strrchr(e->path, '/');
        Text *others = &rd->problems.others;

        if (rd->problems.n++ == 0)
                rd->problems.first = *e;
        else if (strstr(e->text, slash ? slash + 1 : e->path))
                text_printf(others, "; %s", e->text);
        else if (e->line)
                text_printf(others, "; %s:%lu: %s", e->path, e->line, e->text);
        else
                text_printf(others, "; %s: %s", e->path, e->text);
}

static int report_problems(const Problems *p, Error *err)
{
        char all[2 * sizeof err->text], more[64] = "";
        size_t len;

        *err = p->first;
        (void) snprintf(all, sizeof all, "%s%s", p->first.text, text_str(&p->others));
        if (p->others.bad || strlen(all) >= sizeof err->text)
                (void) snprintf(more, sizeof more, " ... (%zu files in all)", p->n);
        utf8_sanitize(err->text, sizeof err->text - strlen(more), all);
        len = strlen(err->text);
        (void) snprintf(err->text + len, sizeof err->text - len, "%s", more);
        return -(int) err->code;
}

static int name_problem(Reader *rd, const char *relative, const char *reason, const char *hint)
{
        Error e;
        char path[sizeof e.path];

        (void) error_set(&e, ERROR_CHANGELOG, "%s %s", relative, reason);
        (void) error_hint(&e, "%s", hint);
        (void) snprintf(path, sizeof path, "%s/%s", rd->options->folder, relative);
        (void) error_at(&e, path, 0, 0);
        add_problem(rd, &e);
        return 0;
}

/* ---- names ---- */

static int make_id(char **ret, const FlywayName *n)
{
        if (n->class == FLYWAY_NAME_HOOK)
                return *n->description ? asprintf(ret, "%s: %s", n->event->name, n->description)
                                       : asprintf(ret, "%s", n->event->name);
        switch (n->kind) {
        case MIGRATION_BASELINE:
                return asprintf(ret, "B:%s", n->version);
        case MIGRATION_UNDO:
                return asprintf(ret, "U:%s", n->version);
        case MIGRATION_REPEATABLE:
                return asprintf(ret, "R:%s", n->description);
        default:
                return asprintf(ret, "%s", n->version);
        }
}

static int add_script(Reader *rd, const char *relative, const FlywayName *n, Error *err)
{
        Migration m = { .kind = n->kind, .tx = TX_AUTO, .replace_placeholders = true };

        if (make_id(&m.id, n) < 0)
                m.id = NULL;
        if (asprintf(&m.path, "%s/%s", rd->changelog->folder, relative) < 0)
                m.path = NULL;
        m.version = *n->version ? strdup(n->version) : NULL;
        m.description = strdup(n->description);
        m.script = strdup(relative);
        m.checksum = strdup("");
        if (!m.id || !m.path || (*n->version && !m.version) || !m.description || !m.script ||
            !m.checksum) {
                migration_done(&m);
                return error_oom(err, relative);
        }
        if (n->class == FLYWAY_NAME_HOOK)
                return changelog_add_hook(rd->changelog, (HookEvent) n->event->event, m, err);
        return changelog_add(rd->changelog, m, err);
}

static int take_script(Reader *rd, const char *relative, const FlywayName *n, Error *err)
{
        if (n->class == FLYWAY_NAME_HOOK && n->event->event < 0)
                return changelog_warn(rd->changelog, err,
                                      "%s is never run: pgmigrated has no %s event", relative,
                                      n->event->name);
        if (utf8_count(n->version, strlen(n->version)) > FLYWAY_MAX_VERSION)
                return name_problem(rd, relative,
                                    "has a version of more than the 50 characters that the history "
                                    "table holds",
                                    "shorten the version");
        return add_script(rd, relative, n, err);
}

static int take_conf(Reader *rd, const char *relative, Error *err)
{
        char **room = array_room(rd->confs, rd->n_confs, sizeof *room), *s = strdup(relative);

        if (room)
                rd->confs = room;
        if (!room || !s) {
                free(s);
                return error_oom(err, relative);
        }
        rd->confs[rd->n_confs++] = s;
        return 0;
}

static int take_invalid(Reader *rd, const char *relative, const FlywayName *n, Error *err)
{
        if (rd->options->validate_naming)
                return name_problem(rd, relative, n->reason,
                                    "rename it, or set validate_naming = no");
        return changelog_warn(rd->changelog, err, "%s is passed over: it %s", relative, n->reason);
}

static int visit(const char *relative, void *userdata, Error *err)
{
        Reader *rd = userdata;
        const char *slash = strrchr(relative, '/');
        FlywayName n;

        if (++rd->n_files > MAX_FILES) {
                (void) error_set(err, ERROR_CHANGELOG, "%s holds more than %d files",
                                 rd->changelog->folder, MAX_FILES);
                return error_at(err, rd->changelog->folder, 0, 0);
        }
        if (utf8_valid_prefix(relative, strlen(relative)) != strlen(relative))
                return changelog_warn(rd->changelog, err,
                                      "a file whose name is not valid UTF-8 is passed over");
        flyway_name_parse(&n, slash ? slash + 1 : relative);
        switch (n.class) {
        case FLYWAY_NAME_NONE:
                return 0;
        case FLYWAY_NAME_MIGRATION:
        case FLYWAY_NAME_HOOK:
                return take_script(rd, relative, &n, err);
        case FLYWAY_NAME_CONF:
                return take_conf(rd, relative, err);
        case FLYWAY_NAME_INVALID:
                return take_invalid(rd, relative, &n, err);
        case FLYWAY_NAME_LOOKALIKE:
                return changelog_warn(rd->changelog, err,
                                      "%s is passed over: it is named like a migration, but its "
                                      "suffix is not .sql",
                                      relative);
        case FLYWAY_NAME_REFUSED:
                return name_problem(rd, relative, n.reason,
                                    "move it out of the folder, or write it as a .sql file");
        }
        return error_set(err, ERROR_INTERNAL, "%s: unknown class of name", relative);
}

/* ---- sidecars ---- */

static Migration *owner_of(const Changelog *c, const char *conf)
{
        size_t len = strlen(conf) - strlen(".conf");

        for (size_t i = 0; i < c->n_migrations; i++)
                if (strlen(c->migrations[i].script) == len &&
                    memcmp(c->migrations[i].script, conf, len) == 0)
                        return &c->migrations[i];
        for (size_t i = 0; i < c->n_hooks; i++)
                if (strlen(c->hooks[i].script.script) == len &&
                    memcmp(c->hooks[i].script.script, conf, len) == 0)
                        return &c->hooks[i].script;
        return NULL;
}

/* Only what is named like the sidecar of a migration is worth a word: flyway.conf and others are not ours. */
static int warn_of_conf(Reader *rd, const char *conf, Error *err)
{
        const char *slash = strrchr(conf, '/');
        FlywayName n;
        char base[FLYWAY_MAX_NAME + 1];

        (void) snprintf(base, sizeof base, "%s", slash ? slash + 1 : conf);
        base[strlen(base) - strlen(".conf")] = '\0';
        flyway_name_parse(&n, base);
        if (n.class != FLYWAY_NAME_MIGRATION && n.class != FLYWAY_NAME_HOOK)
                return 0;
        return changelog_warn(rd->changelog, err, "%s has no effect: there is no %s beside it",
                              conf, base);
}

static int read_conf(Reader *rd, const char *conf, Error *err)
{
        Migration *m = owner_of(rd->changelog, conf);
        _cleanup_free_ char *text = NULL, *path = NULL;
        FlywayConf settings;
        int r;

        if (!m)
                return warn_of_conf(rd, conf, err);
        if (asprintf(&path, "%s.conf", m->path) < 0) {
                path = NULL;
                return error_oom(err, conf);
        }
        r = file_read_text(&text, path, MAX_CONF, err);
        if (r >= 0)
                r = flyway_conf_parse(&settings, text, rd->options, path, err);
        if (r < 0) {
                if (err->code == ERROR_OOM)
                        return r;
                if (!*err->path)
                        (void) error_at(err, path, 0, 0);
                add_problem(rd, err);
                return 0;
        }
        m->tx = settings.tx;
        m->replace_placeholders = settings.replace_placeholders;
        return 0;
}

/* ---- contents ---- */

static int bad_byte(const Migration *m, const FileView *f, size_t at, const char *what, Error *err)
{
        unsigned long line, column;

        script_position(f->data, at, &line, &column);
        (void) error_set(err, ERROR_CHANGELOG, "%s", what);
        (void) error_hint(err, "save the file as UTF-8");
        return error_at(err, m->path, line, column);
}

/* In pieces, so that a big file does not keep the loop. */
static size_t valid_prefix(const char *data, size_t size)
{
        const size_t piece = (size_t) 1 << 18;
        Error ignored;
        size_t at = 0;

        while (at < size) {
                size_t n = size - at < piece ? size - at : piece;
                size_t valid = utf8_valid_prefix(data + at, n);

                at += valid;
                if (valid < n &&
                    (n < piece || n - valid >= 4)) /* no character cut by the piece's end */
                        break;
                (void) fiber_breathe(&ignored);
        }
        return at;
}

static int check_text(const Migration *m, const FileView *f, Error *err)
{
        const char *nul = f->size ? memchr(f->data, '\0', f->size) : NULL;
        size_t valid = valid_prefix(f->data, f->size);

        if (f->size >= 2 &&
            (memcmp(f->data, "\xff\xfe", 2) == 0 || memcmp(f->data, "\xfe\xff", 2) == 0))
                return bad_byte(m, f, 0, "the text is UTF-16, not UTF-8", err);
        if (nul && (size_t) (nul - f->data) < valid)
                return bad_byte(m, f, (size_t) (nul - f->data), "the text has a NUL byte", err);
        if (valid < f->size)
                return bad_byte(m, f, valid, "the text is not valid UTF-8", err);
        return 0;
}

static int read_text(Reader *rd, Migration *m, bool repeatable, Error *err)
{
        _cleanup_file_view_ FileView file = { 0 };
        char *checksum;
        int32_t crc;
        int r = file_view_open(&file, AT_FDCWD, m->path, m->path, err);

        (void) fiber_breathe(&(Error){ .code = ERROR_NONE });
        if (r >= 0)
                r = check_text(m, &file, err);
        if (r < 0) {
                if (err->code == ERROR_OOM)
                        return r;
                if (!*err->path)
                        (void) error_at(err, m->path, 0, 0);
                add_problem(rd, err);
                return 0;
        }
        crc = flyway_checksum(file.data, file.size);
        if (asprintf(&checksum, "%d", crc) < 0)
                return error_oom(err, m->path);
        free(m->checksum);
        m->checksum = checksum;
        m->checksum_alt = crc;
        m->has_checksum_alt = repeatable;
        return 0;
}

static int read_texts(Reader *rd, Error *err)
{
        Changelog *c = rd->changelog;
        int r = 0;

        for (size_t i = 0; i < rd->n_confs && r >= 0; i++)
                r = read_conf(rd, rd->confs[i], err);
        for (size_t i = 0; i < c->n_migrations && r >= 0; i++)
                r = read_text(rd, &c->migrations[i], c->migrations[i].kind == MIGRATION_REPEATABLE,
                              err);
        for (size_t i = 0; i < c->n_hooks && r >= 0; i++)
                r = read_text(rd, &c->hooks[i].script, false, err);
        return r;
}

int flyway_read(Changelog **ret, const FormatOptions *o, Error *err)
{
        _cleanup_(reader_done)
                Reader rd = { .options = o, .problems.others = TEXT_INIT(sizeof err->text) };
        int r = flyway_check_options(o, err);

        if (r < 0)
                return r;
        rd.changelog = calloc(1, sizeof *rd.changelog);
        if (!rd.changelog)
                return error_oom(err, "the changelog");
        rd.changelog->format = &flyway_format;
        rd.changelog->folder = strdup(o->folder);
        if (!rd.changelog->folder)
                return error_oom(err, "the changelog");
        for (size_t n = strlen(o->folder); n > 1 && o->folder[n - 1] == '/'; n--)
                rd.changelog->folder[n - 1] = '\0';
        r = file_walk(o->folder, visit, &rd, err);
        if (r >= 0)
                r = read_texts(&rd, err);
        if (r < 0)
                return r;
        if (rd.problems.n > 0)
                return report_problems(&rd.problems, err);
        r = flyway_arrange(rd.changelog, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(rd.changelog);
        return 0;
}

/* ---- detection ---- */

static int weigh(const char *relative, void *userdata, Error *err)
{
        const char *slash = strrchr(relative, '/');
        int *surety = userdata, weight = 0;
        FlywayName n;

        (void) err;
        flyway_name_parse(&n, slash ? slash + 1 : relative);
        if (n.class == FLYWAY_NAME_MIGRATION)
                weight = n.kind == MIGRATION_VERSIONED || n.kind == MIGRATION_BASELINE ? 100 : 50;
        else if (n.class == FLYWAY_NAME_HOOK)
                weight = 20;
        if (weight > *surety)
                *surety = weight;
        return *surety == 100 ? -1 : 0; /* nothing can be surer: enough seen */
}

int flyway_detect(const char *folder)
{
        int surety = 0;
        Error err;

        (void) file_walk(folder, weigh, &surety, &err);
        return surety;
}
