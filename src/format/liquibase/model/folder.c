#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "format/liquibase/model/loader.h"

#define NAMES_MAX 100000
#define DEPTH_MAX 32

Syntax syntax_of(const char *path)
{
        static const struct {
                const char *end;
                Syntax syntax;
        } rows[] = {
                { "xml", SYNTAX_XML },    { ".yaml", SYNTAX_YAML }, { ".yml", SYNTAX_YAML },
                { ".json", SYNTAX_YAML }, { ".sql", SYNTAX_SQL },
        };
        size_t len = strlen(path);

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
                size_t n = strlen(rows[i].end);

                if (len >= n && strcasecmp(path + len - n, rows[i].end) == 0)
                        return rows[i].syntax;
        }
        return SYNTAX_NONE;
}

static Arena *arena_of(const Model *m)
{
        return (Arena *) (uintptr_t) &m->arena;
}

static int too_much(const FolderWalk *w, Error *err)
{
        return error_set(err, ERROR_CHANGELOG,
                         "%.200s: more than %d files or folders, or folders more than %d deep",
                         *w->folder ? w->folder : "the folder of the changelog", NAMES_MAX,
                         DEPTH_MAX);
}

static int add_file(FolderWalk *w, const Model *m, char *path, unsigned long depth, Error *err)
{
        size_t len = strlen(path), n = strlen(w->ending);

        if (depth < w->min_depth || len < n || strcasecmp(path + len - n, w->ending) != 0)
                return 0;
        if (w->n == NAMES_MAX)
                return too_much(w, err);
        if (w->n == w->size) {
                size_t size = w->size ? 2 * w->size : 64;
                char **grown = arena_array(arena_of(m), size, sizeof *grown);

                if (!grown)
                        return error_oom(err, w->folder);
                if (w->n > 0)
                        memcpy(grown, w->paths, w->n * sizeof *grown);
                w->paths = grown;
                w->size = size;
        }
        w->paths[w->n++] = path;
        return 0;
}

static int walk(FolderWalk *w, const Model *m, const char *folder, int fd, unsigned long depth,
                Error *err);

/* What is called so may be a link: it is looked at as seen from the root. */
static int visit(FolderWalk *w, const Model *m, const char *folder, const struct dirent *e,
                 unsigned long depth, Error *err)
{
        _cleanup_close_ int fd = -1;
        bool is_changelog = syntax_of(e->d_name) != SYNTAX_NONE;
        char *path;
        struct stat st;

        if (e->d_type == DT_REG && !is_changelog)
                return 0;
        if (e->d_name[0] == '.' && (e->d_type != DT_REG || !is_changelog))
                return 0;
        path = *folder ? arena_printf(arena_of(m), "%s/%s", folder, e->d_name)
                       : arena_strdup(arena_of(m), e->d_name);
        if (!path)
                return error_oom(err, "the names of a folder");
        if (e->d_type == DT_REG)
                return add_file(w, m, path, depth, err);
        fd = path_open(m, path, O_PATH, err);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return error_set(err, ERROR_CHANGELOG, "%.200s: %m", path);
        if (S_ISREG(st.st_mode))
                return is_changelog ? add_file(w, m, path, depth, err) : 0;
        if (!S_ISDIR(st.st_mode) || depth >= w->max_depth)
                return 0;
        return walk(w, m, path, fd, depth + 1, err);
}

static void closedirp(DIR **d)
{
        if (*d)
                (void) closedir(*d);
}

/* depth is that of what is in the folder, from 1 on. */
static int walk(FolderWalk *w, const Model *m, const char *folder, int fd, unsigned long depth,
                Error *err)
{
        int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *d = readable < 0 ? NULL : fdopendir(readable);
        const struct dirent *e;
        int r = 0;

        if (!d) {
                (void) error_set(err, ERROR_CHANGELOG, "cannot read the folder %.200s: %m", folder);
                if (readable >= 0)
                        (void) close(readable);
                return -(int) err->code;
        }
        if (depth > DEPTH_MAX || ++w->n_folders > NAMES_MAX)
                return too_much(w, err);
        while (r >= 0 && (errno = 0, e = readdir(d)))
                r = visit(w, m, folder, e, depth, err);
        if (r >= 0 && errno)
                return error_set(err, ERROR_CHANGELOG, "cannot read the folder %.200s: %m", folder);
        return r;
}

static int compare(const void *a, const void *b)
{
        return java_compare(*(char *const *) a, *(char *const *) b);
}

int folder_walk(FolderWalk *w, const Model *m, Error *err)
{
        _cleanup_close_ int fd = path_open(m, w->folder, O_PATH | O_DIRECTORY, err);
        int r;

        if (fd < 0 && errno == ENOENT) {
                *err = (Error){ 0 };
                return 0;
        }
        r = fd < 0 ? fd : walk(w, m, w->folder, fd, 1, err);
        if (r < 0)
                return r;
        if (w->n > 1)
                qsort(w->paths, w->n, sizeof *w->paths, compare);
        return 1;
}
