#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

#include "format/liquibase/model/loader.h"

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Collapses `.`, `..` and empty names in place; `..` that nothing precedes stays. */
static void collapse(char *path)
{
        char *out = path;
        size_t removable = 0; /* names that a `..` can take back */

        for (const char *s = path; *s;) {
                size_t len = strcspn(s, "/");
                const char *next = s + len + (s[len] == '/');
                bool up = len == 2 && s[0] == '.' && s[1] == '.';

                if (len == 0 || (len == 1 && *s == '.')) {
                        s = next;
                        continue;
                }
                if (up && removable > 0) {
                        while (out > path && out[-1] != '/')
                                out--;
                        if (out > path)
                                out--;
                        removable--;
                        s = next;
                        continue;
                }
                if (out > path)
                        *out++ = '/';
                memmove(out, s, len);
                out += len;
                removable += !up;
                s = next;
        }
        *out = '\0';
}

char *path_normalise(Arena *a, const char *path)
{
        char *copy;

        if (strncmp(path, "classpath:", strlen("classpath:")) == 0)
                path += strlen("classpath:");
        if (is_letter(path[0]) && path[1] == ':')
                path += 2;
        copy = arena_strdup(a, path);
        if (!copy)
                return NULL;
        for (char *s = copy; *s; s++)
                if (*s == '\\')
                        *s = '/';
        collapse(copy);
        return copy;
}

char *path_clean(Arena *a, const char *path)
{
        char *copy = arena_strdup(a, path);

        for (char *s = copy; s && *s; s++)
                if (*s == '\\')
                        *s = '/';
        return copy && *copy == '/' ? copy + 1 : copy;
}

char *path_beside(Arena *a, const ChangelogFile *from, const char *name)
{
        const char *slash = from ? strrchr(from->path, '/') : NULL;
        char *joined;

        if (!slash)
                return path_normalise(a, name);
        joined = arena_printf(a, "%.*s/%s", (int) (slash - from->path), from->path, name);
        return joined ? path_normalise(a, joined) : NULL;
}

static int refuse_outside(const Model *m, const char *name, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG,
                         "\"%.200s\" leads out of the folder that paths start at, \"%.200s\"", name,
                         m->root);
        return error_hint(err, "move the file below that folder, or let it be a folder that "
                               "contains both");
}

static int open_beneath(int root, const char *path, uint64_t flags)
{
        struct open_how how = { .flags = flags | O_CLOEXEC,
                                .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

        return (int) syscall(SYS_openat2, root, path, &how, sizeof how);
}

/* For links with absolute targets, and for kernels and sandboxes without openat2(): 1 when the file is below the root for all that. */
static int resolves_below(const Model *m, const char *path)
{
        char full[PATH_MAX], real[PATH_MAX];
        size_t len = strlen(m->root);
        int n = snprintf(full, sizeof full, "%s/%s", m->root, path);

        if (n < 0 || (size_t) n >= sizeof full) {
                errno = ENAMETOOLONG;
                return -1;
        }
        if (!realpath(full, real))
                return -1;
        if (len == 1) /* "/" */
                return 1;
        return strncmp(real, m->root, len) == 0 && (real[len] == '/' || !real[len]);
}

int path_open(const Model *m, const char *path, uint64_t flags, Error *err)
{
        const char *at = *path ? path : ".";
        _cleanup_close_ int root = open(m->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd = root < 0 ? -1 : open_beneath(root, at, flags), saved;

        if (root >= 0 && fd < 0 && (errno == EXDEV || errno == ENOSYS || errno == EPERM)) {
                bool led_out = errno == EXDEV;
                int below = resolves_below(m, at);

                /* What is out there, and whether it is, is none of a changelog's business. */
                if (below == 0 || (below < 0 && led_out))
                        return refuse_outside(m, path, err);
                if (below > 0)
                        fd = openat(root, at, (int) flags | O_CLOEXEC);
        }
        if (fd >= 0)
                return fd;
        saved = errno;
        (void) error_set(err, ERROR_CHANGELOG, "%.200s: cannot open: %s", path, strerror(saved));
        (void) error_hint(err,
                          saved == ENOENT ? "paths start at \"%.200s\", or at the changelog with "
                                            "relativeToChangelogFile"
                                          : "it was looked for in \"%.200s\"",
                          m->root);
        errno = saved;
        return -(int) err->code;
}

int path_resolve_folder(const char **ret, const Model *m, const ChangelogFile *from,
                        const char *name, bool relative, Error *err)
{
        /* The model's arena grows also where what is in it is only read. */
        Arena *a = (Arena *) (uintptr_t) &m->arena;
        const char *path = relative ? path_beside(a, from, name) : path_normalise(a, name);

        errno = EINVAL;
        if (!path)
                return error_oom(err, "a path");
        if (strncmp(path, "../", 3) == 0 || strcmp(path, "..") == 0)
                return refuse_outside(m, name, err);
        if (strlen(path) >= PATH_MAX)
                return error_set(err, ERROR_CHANGELOG, "\"%.200s\" is too long a path", name);
        *ret = path;
        return 0;
}

int path_resolve(const char **ret, const Model *m, const ChangelogFile *from, const char *name,
                 bool relative, Error *err)
{
        const char *path = "";
        int r = path_resolve_folder(&path, m, from, name, relative, err);

        if (r >= 0 && !*path)
                return error_set(err, ERROR_CHANGELOG, "\"%.200s\" names no file", name);
        *ret = path;
        return r;
}

int model_open(FileView *ret, const Model *m, const ChangelogFile *from, const char *name,
               bool relative, const char **shown, Error *err)
{
        _cleanup_close_ int fd = -1;
        const char *path = NULL;
        char proc[40];
        int r = path_resolve(&path, m, from, name, relative, err);

        if (r < 0)
                return r;
        fd = path_open(m, path, O_PATH, err);
        if (fd < 0)
                return fd;
        (void) snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
        r = file_view_open(ret, AT_FDCWD, proc, path, err);
        if (r < 0)
                return r;
        if (shown)
                *shown = path;
        return 0;
}
