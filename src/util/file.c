#include "util/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define COPY_MAX ((size_t) 1024 * 1024)
#define WALK_DEPTH 32
#define FOLDER_NAMES_MAX 100000

/* What a failed call says about the file: its fault (the caller's code), or the machine's. */
static const struct {
        int number;
        ErrorCode code; /* NONE: the caller's */
        const char *hint;
} faults[] = {
        { ENOENT, ERROR_NONE, "check the path, relative ones start at the working directory" },
        { ENOTDIR, ERROR_NONE, "check the path: a part of it that should be a folder is not" },
        { EACCES, ERROR_NONE,
          "let the user that pgmigrated runs as read it, folders need r and x" },
        { EPERM, ERROR_NONE, "let the user that pgmigrated runs as read it" },
        { ELOOP, ERROR_NONE, "a symbolic link leads back to itself" },
        { ENAMETOOLONG, ERROR_NONE, "use a shorter path" },
        { ENXIO, ERROR_NONE, "only regular files can be read" },
        { EMFILE, ERROR_IO, "raise the limit of open files (LimitNOFILE=)" },
        { ENFILE, ERROR_IO, "raise the system's limit of open files (fs.file-max)" },
        { ENOMEM, ERROR_OOM, "" },
        { EIO, ERROR_IO, "the disk or file server reports an error, see the kernel's log" },
        { ESTALE, ERROR_IO, "the file server lost the file, trying again may help" },
};

static int refuse_errno(Error *err, ErrorCode code, const char *shown, const char *doing)
{
        const char *hint = "";

        for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
                if (faults[i].number == errno) {
                        code = faults[i].code ? faults[i].code : code;
                        hint = faults[i].hint;
                }
        (void) error_set(err, code, "%s: cannot %s: %m", shown, doing);
        (void) error_at(err, shown, 0, 0);
        return error_hint(err, "%s", hint);
}

static int refuse(Error *err, ErrorCode code, const char *shown, const char *what, const char *hint)
{
        (void) error_set(err, code, "%s: %s", shown, what);
        (void) error_at(err, shown, 0, 0);
        return error_hint(err, "%s", hint);
}

/* O_NONBLOCK: a FIFO or a device must not hold up the loop before it is refused. */
static int open_regular(int *ret, struct stat *st, int dirfd, const char *path, const char *shown,
                        ErrorCode code, Error *err)
{
        _cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                return refuse_errno(err, code, shown, "open");
        if (fstat(fd, st) < 0)
                return refuse_errno(err, code, shown, "stat");
        if (!S_ISREG(st->st_mode))
                return refuse(err, code, shown, "not a regular file",
                              S_ISDIR(st->st_mode) ? "name a file, this is a folder"
                                                   : "pipes, sockets and devices are not read");
        *ret = TAKE_FD(fd);
        return 0;
}

/* Reads until the end of the file or until size bytes are there: how many, or -1 and errno. */
static ssize_t read_full(int fd, char *buf, size_t size)
{
        size_t got = 0;

        while (got < size) {
                ssize_t n = read(fd, buf + got, size - got);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -1;
                if (n == 0)
                        break;
                got += (size_t) n;
        }
        return (ssize_t) got;
}

static int view_copy(FileView *v, int fd, size_t size, const char *shown, Error *err)
{
        _cleanup_free_ char *buf = malloc(size + 1);
        ssize_t n;

        if (!buf)
                return error_oom(err, shown);
        n = read_full(fd, buf, size);
        if (n < 0)
                return refuse_errno(err, ERROR_CHANGELOG, shown, "read");
        buf[n] = '\0';
        *v = (FileView){ .data = buf, .size = (size_t) n };
        v->map = TAKE_PTR(buf);
        return 0;
}

/* The file goes over the front of an anonymous mapping that is a page longer, so that a NUL byte follows
 * also when the size is a multiple of the page. */
static int view_map(FileView *v, int fd, size_t size)
{
        size_t page = (size_t) sysconf(_SC_PAGESIZE);
        size_t total = (size + page - 1) / page * page + page;
        void *map = mmap(NULL, total, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (map == MAP_FAILED)
                return -1;
        if (mmap(map, size, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
                int saved = errno;

                (void) munmap(map, total);
                errno = saved;
                return -1;
        }
        (void) madvise(map, size, MADV_SEQUENTIAL);
        *v = (FileView){ .data = map, .size = size, .map = map, .map_size = total };
        return 0;
}

int file_view_open(FileView *ret, int dirfd, const char *path, const char *shown, Error *err)
{
        _cleanup_close_ int fd = -1;
        struct stat st;
        int r = open_regular(&fd, &st, dirfd, path, shown, ERROR_CHANGELOG, err);

        if (r < 0)
                return r;
        if ((uint64_t) st.st_size > SIZE_MAX / 2)
                return refuse(err, ERROR_CHANGELOG, shown, "too large to be mapped", "");
        if ((size_t) st.st_size <= COPY_MAX)
                return view_copy(ret, fd, (size_t) st.st_size, shown, err);
        if (view_map(ret, fd, (size_t) st.st_size) == 0)
                return 0;
        if (errno == ENODEV) /* a file system that cannot map */
                return view_copy(ret, fd, (size_t) st.st_size, shown, err);
        return refuse_errno(err, ERROR_CHANGELOG, shown, "map");
}

void file_view_done(FileView *v)
{
        if (v->map_size)
                (void) munmap(v->map, v->map_size);
        else
                free(v->map);
        *v = (FileView){ 0 };
}

static int refuse_content(Error *err, const char *path, size_t size, size_t max)
{
        if (size <= max)
                return refuse(err, ERROR_CONFIG, path, "has a NUL byte in it",
                              "only text can be read here");
        (void) error_set(err, ERROR_CONFIG, "%s: larger than %zu bytes", path, max);
        return error_at(err, path, 0, 0);
}

int file_read_text(char **ret, const char *path, size_t max, Error *err)
{
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *buf = NULL;
        struct stat st;
        ssize_t n;
        int r = open_regular(&fd, &st, AT_FDCWD, path, path, ERROR_CONFIG, err);

        if (r < 0)
                return r;
        buf = malloc(max + 1); /* not by st_size, which is 0 in /proc and may be old */
        if (!buf)
                return error_oom(err, path);
        n = read_full(fd, buf, max + 1);
        if (n < 0)
                return refuse_errno(err, ERROR_CONFIG, path, "read");
        if ((size_t) n > max || memchr(buf, '\0', (size_t) n)) {
                explicit_bzero(buf, (size_t) n); /* it may have been meant as a secret */
                return refuse_content(err, path, (size_t) n, max);
        }
        buf[n] = '\0';
        *ret = TAKE_PTR(buf);
        return 0;
}

/* -- walking -- */

typedef struct Names {
        char **names;
        size_t n, size;
} Names;

static void names_done(Names *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->names[i]);
        free(l->names);
}

static int names_add(Names *l, const char *name)
{
        char *copy;

        if (l->n == l->size) {
                size_t size = l->size ? 2 * l->size : 32;
                char **names = realloc(l->names, size * sizeof *names);

                if (!names)
                        return -1;
                l->names = names;
                l->size = size;
        }
        copy = strdup(name);
        if (!copy)
                return -1;
        l->names[l->n++] = copy;
        return 0;
}

static int compare_names(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void closedirp(DIR **d)
{
        if (*d)
                (void) closedir(*d);
}

typedef struct Walk {
        FileVisitor fn;
        void *userdata;
        size_t root_len; /* of path, with its separator: what follows is relative */
        size_t len;      /* of path */
        unsigned depth;  /* folders below root */
        char path[PATH_MAX];
} Walk;

/* Sorted. The folder's own fd stays open for the entries, which are looked up relative to it. */
static int read_names(Names *l, int folder, const char *shown, Error *err)
{
        _cleanup_close_ int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(closedirp) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;

        if (!dir)
                return refuse_errno(err, ERROR_CHANGELOG, shown, "read the folder");
        (void) TAKE_FD(fd);
        while ((errno = 0, entry = readdir(dir))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (l->n >= FOLDER_NAMES_MAX)
                        return refuse(err, ERROR_CHANGELOG, shown, "more than 100000 entries",
                                      "name the folder that has the migrations only");
                if (names_add(l, entry->d_name) < 0)
                        return error_oom(err, shown);
        }
        if (errno)
                return refuse_errno(err, ERROR_CHANGELOG, shown, "read the folder");
        if (l->n)
                qsort(l->names, l->n, sizeof *l->names, compare_names);
        return 0;
}

static int walk_folder(Walk *w, int parent, const char *name, Error *err);

static int walk_entry(Walk *w, int folder, const char *name, Error *err)
{
        struct stat st;

        if (fstatat(folder, name, &st, 0) < 0) {
                struct stat link;
                int saved = errno;

                /* Gone since the folder was read; or an editor's lock, a dangling link with a dot. */
                if (saved == ENOENT &&
                    (name[0] == '.' || fstatat(folder, name, &link, AT_SYMLINK_NOFOLLOW) < 0))
                        return 0;
                if (saved == ENOENT)
                        return refuse(err, ERROR_CHANGELOG, w->path,
                                      "symbolic link to a file that does not exist",
                                      "remove the link or restore its target");
                errno = saved;
                return refuse_errno(err, ERROR_CHANGELOG, w->path, "stat");
        }
        if (S_ISREG(st.st_mode))
                return w->fn(w->path + w->root_len, w->userdata, err);
        if (S_ISDIR(st.st_mode) && name[0] != '.')
                return walk_folder(w, folder, name, err);
        return 0;
}

static int walk_entries(Walk *w, int folder, Error *err)
{
        _cleanup_(names_done) Names l = { 0 };
        int r = read_names(&l, folder, w->path, err);
        size_t len = w->len;

        for (size_t i = 0; r >= 0 && i < l.n; i++) {
                size_t need = strlen(l.names[i]);

                if (len + 1 + need >= sizeof w->path)
                        return refuse(err, ERROR_CHANGELOG, w->path, "paths below it are too long",
                                      "use shorter names");
                w->path[len] = '/';
                memcpy(w->path + len + 1, l.names[i], need + 1);
                w->len = len + 1 + need;
                r = walk_entry(w, folder, l.names[i], err);
                w->path[len] = '\0';
                w->len = len;
        }
        return r;
}

static int walk_folder(Walk *w, int parent, const char *name, Error *err)
{
        _cleanup_close_ int fd = -1;
        int r;

        if (w->depth > WALK_DEPTH)
                return refuse(err, ERROR_CHANGELOG, w->path, "folders are nested more than 32 deep",
                              "look for a symbolic link that leads back to a folder above it");
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return refuse_errno(err, ERROR_CHANGELOG, w->path, "open the folder");
        w->depth++;
        r = walk_entries(w, fd, err);
        w->depth--;
        return r;
}

int file_walk(const char *root, FileVisitor fn, void *userdata, Error *err)
{
        Walk w = { .fn = fn, .userdata = userdata };
        int r;

        w.len = strlen(root);
        while (w.len > 1 && root[w.len - 1] == '/')
                w.len--;
        if (w.len == 0 || w.len >= sizeof w.path)
                return refuse(err, ERROR_CHANGELOG, root, "not a usable folder name",
                              "check the path");
        memcpy(w.path, root, w.len);
        if (w.path[w.len - 1] == '/')
                w.len--; /* "/" itself: the separator is added for each entry */
        w.root_len = w.len + 1;
        r = walk_folder(&w, AT_FDCWD, root, err);
        return r < 0 ? r : 0;
}
