#include "main/config_file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "util/log.h"
#include "util/utf8.h"

typedef struct Parser {
        ConfigFile *file;
        const char *path;
        char *base;    /* folder of path */
        char *section; /* borrowed from file->sections; NULL above the first */
        size_t first;  /* of this file's settings */
        unsigned long line;
} Parser;

void config_file_done(ConfigFile *f)
{
        setting_list_done(&f->settings);
        for (size_t i = 0; i < f->n_sections; i++) {
                free(f->sections[i].name);
                free(f->sections[i].path);
        }
        free(f->sections);
        *f = (ConfigFile){ .sections = NULL };
}

bool database_name_valid(const char *name)
{
        size_t len =
                strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

        return len > 0 && len <= DATABASE_NAME_MAX && !name[len] && name[0] != '.' &&
               name[0] != '-';
}

static int fault(const Parser *p, Error *err)
{
        return error_at(err, p->path, p->line, 0);
}

/* Cuts white space off both ends, in place. */
static char *trim(char *s)
{
        char *end;

        while (isspace((unsigned char) *s))
                s++;
        end = s + strlen(s);
        while (end > s && isspace((unsigned char) end[-1]))
                *--end = '\0';
        return s;
}

static int unquote(const Parser *p, char *value, Error *err)
{
        char *out = value, *in = value + 1;

        for (; *in && *in != '"'; in++) {
                if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
                        in++;
                *out++ = *in;
        }
        if (*in != '"' || in[1]) {
                (void) error_set(err, ERROR_CONFIG,
                                 "the value begins with a double quote but does not end with one");
                (void) error_hint(
                        err,
                        "inside double quotes write \\\" for a quote and \\\\ for a backslash");
                return fault(p, err);
        }
        *out = '\0';
        return 0;
}

static int check_duplicate(const Parser *p, const Setting *s, Error *err)
{
        for (size_t i = p->first; i < p->file->settings.n; i++) {
                const Setting *old = &p->file->settings.rows[i];
                bool same_section = s->section
                                            ? old->section && strcmp(s->section, old->section) == 0
                                            : !old->section;
                bool same_key = s->option ? s->option == old->option
                                          : old->placeholder && strcasecmp(s->placeholder,
                                                                           old->placeholder) == 0;

                if (!same_section || !same_key)
                        continue;
                (void) error_set(err, ERROR_CONFIG, "%s%s is set twice: in line %lu already",
                                 s->option ? "" : "placeholder.",
                                 s->option ? s->option->name : s->placeholder, old->line);
                return fault(p, err);
        }
        return 0;
}

static int parse_assignment(Parser *p, char *key, char *value, Error *err)
{
        const char *placeholder;
        Setting s = { .section = p->section, .value = value, .base = p->base, .line = p->line };
        int r;

        r = setting_resolve(key, &s.option, &placeholder, err);
        if (r < 0)
                return fault(p, err);
        if (s.option && s.option->scope == OPTION_SERVICE && p->section) {
                (void) error_set(err, ERROR_CONFIG,
                                 "%s is an option of the service, not of a database", key);
                (void) error_hint(err, "put it above the first section");
                return fault(p, err);
        }
        if (*value == '"') {
                r = unquote(p, value, err);
                if (r < 0)
                        return r;
        } else if (strstr(value, " #") || strstr(value, "\t#")) {
                (void) error_set(err, ERROR_CONFIG,
                                 "the value of %s contains what looks like a comment", key);
                (void) error_hint(err, "comments stand on lines of their own; put the value in "
                                       "double quotes when the # belongs to it");
                return fault(p, err);
        }
        s.placeholder = (char *) (uintptr_t) placeholder;
        s.path = (char *) (uintptr_t) p->path;
        r = check_duplicate(p, &s, err);
        return r < 0 ? r : setting_list_add(&p->file->settings, &s, err);
}

static int add_section(Parser *p, const char *name, Error *err)
{
        ConfigFile *f = p->file;
        _cleanup_free_ char *n = strdup(name), *path = strdup(p->path);
        ConfigSection *sections;

        for (size_t i = 0; i < f->n_sections; i++)
                if (strcmp(f->sections[i].name, name) == 0) {
                        (void) error_set(err, ERROR_CONFIG,
                                         "[database %s] is there twice: at %s:%lu already", name,
                                         f->sections[i].path, f->sections[i].line);
                        return fault(p, err);
                }
        if (f->n_sections >= CONFIG_MAX_DATABASES) {
                (void) error_set(err, ERROR_CONFIG, "more than %d databases", CONFIG_MAX_DATABASES);
                return fault(p, err);
        }
        sections = reallocarray(f->sections, f->n_sections + 1, sizeof *sections);
        if (sections)
                f->sections = sections;
        if (!sections || !n || !path)
                return error_oom(err, "the configuration");
        p->section = n;
        sections[f->n_sections++] =
                (ConfigSection){ .name = TAKE_PTR(n), .path = TAKE_PTR(path), .line = p->line };
        return 0;
}

static int parse_section(Parser *p, char *s, Error *err)
{
        size_t len = strlen(s);
        char *name;

        if (s[len - 1] != ']') {
                (void) error_set(err, ERROR_CONFIG, "a section's name ends with ]");
                return fault(p, err);
        }
        s[len - 1] = '\0';
        s = trim(s + 1);
        if (strncmp(s, "database", 8) != 0 || !isspace((unsigned char) s[8])) {
                (void) error_set(err, ERROR_CONFIG, "no section is called [%.100s]", s);
                (void) error_hint(err, "the sections are [database NAME]");
                return fault(p, err);
        }
        name = trim(s + 8);
        if (!database_name_valid(name)) {
                (void) error_set(err, ERROR_CONFIG,
                                 "\"%.100s\" cannot be the name of a database here", name);
                (void) error_hint(err,
                                  "up to %d letters, digits, '_', '-' and '.'; it need not be the "
                                  "name that the server knows",
                                  DATABASE_NAME_MAX);
                return fault(p, err);
        }
        return add_section(p, name, err);
}

static int parse_line(Parser *p, char *line, Error *err)
{
        char *s = trim(line), *equals;

        if (!*s || *s == '#' || *s == ';')
                return 0;
        if (*s == '[')
                return parse_section(p, s, err);
        equals = strchr(s, '=');
        if (!equals || equals == s) {
                (void) error_set(
                        err, ERROR_CONFIG,
                        "this line is neither key = value nor [database NAME] nor a # comment");
                return fault(p, err);
        }
        *equals = '\0';
        return parse_assignment(p, trim(s), trim(equals + 1), err);
}

static int check_bytes(Parser *p, const char *text, size_t size, Error *err)
{
        size_t good = utf8_valid_prefix(text, size);
        const char *nul = memchr(text, '\0', size);

        if (good == size && !nul)
                return 0;
        if (nul && (size_t) (nul - text) < good)
                good = (size_t) (nul - text);
        p->line = 1;
        for (size_t i = 0; i < good; i++)
                p->line += text[i] == '\n';
        (void) error_set(err, ERROR_CONFIG, "this line is not text in UTF-8");
        return fault(p, err);
}

static char *folder_of(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? strndup(path, slash == path ? 1 : (size_t) (slash - path)) : strdup(".");
}

static int parse_lines(Parser *p, char *text, Error *err)
{
        char *next;

        if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
                text += 3;
        for (char *line = text; line; line = next) {
                int r;

                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                p->line++;
                r = parse_line(p, line, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int config_file_parse(ConfigFile *f, const char *path, const char *text, size_t size, Error *err)
{
        Parser p = { .file = f, .path = path, .first = f->settings.n };
        char *copy;
        int r = check_bytes(&p, text, size, err);

        if (r < 0)
                return r;
        p.line = 0;
        p.base = strchr(path, '/') ? folder_of(path) : NULL; /* beside us: as it is */
        copy = malloc(size + 1);
        if (copy && (p.base || !strchr(path, '/'))) {
                memcpy(copy, text, size);
                copy[size] = '\0';
                r = parse_lines(&p, copy, err);
        } else
                r = error_oom(err, "the configuration file");
        if (copy)
                explicit_bzero(copy, size); /* may hold passwords, whose ends were cut by then */
        free(copy);
        free(p.base);
        return r;
}

static int read_one(ConfigFile *f, const char *path, Error *err)
{
        _cleanup_file_view_ FileView v = { .data = NULL };
        int r = file_view_open(&v, AT_FDCWD, path, path, err);

        if (r < 0) {
                err->code = err->code == ERROR_OOM ? ERROR_OOM : ERROR_CONFIG;
                return error_prefix(err, "configuration file");
        }
        if (v.size > CONFIG_FILE_MAX)
                return error_set(err, ERROR_CONFIG, "configuration file %s is bigger than %d bytes",
                                 path, CONFIG_FILE_MAX);
        return config_file_parse(f, path, v.data, v.size, err);
}

static int is_conf(const struct dirent *e)
{
        size_t len = strlen(e->d_name);

        return e->d_name[0] != '.' && len > 5 && strcmp(e->d_name + len - 5, ".conf") == 0;
}

/* alphasort() would ask the locale. */
static int by_bytes(const struct dirent **a, const struct dirent **b)
{
        return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_folder(ConfigFile *f, const char *folder, Error *err)
{
        struct dirent **entries = NULL;
        int n = scandir(folder, &entries, is_conf, by_bytes), r = 0;

        if (n < 0)
                return errno == ENOENT || errno == ENOTDIR
                               ? 0
                               : error_set(err, ERROR_CONFIG, "configuration folder %s: %m",
                                           folder);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;

                if (r >= 0 && asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0) {
                        path = NULL;
                        r = error_oom(err, "the configuration");
                }
                if (r >= 0)
                        r = read_one(f, path, err);
                free(entries[i]);
        }
        free(entries);
        return r;
}

int config_file_read(ConfigFile *f, const char *path, Error *err)
{
        _cleanup_free_ char *base = folder_of(path), *folder = NULL;
        int r = read_one(f, path, err);

        if (r < 0)
                return r;
        if (!base || asprintf(&folder, "%s/conf.d", base) < 0) {
                folder = NULL;
                return error_oom(err, "the configuration");
        }
        return read_folder(f, folder, err);
}
