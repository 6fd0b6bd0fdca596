#include "api/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "util/cleanup.h"
#include "util/log.h"
#include "util/parse.h"

#define BACKLOG 256

typedef union SocketAddress {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un local;
        struct sockaddr_storage storage;
} SocketAddress;

static bool is_loopback(const SocketAddress *a)
{
        if (a->any.sa_family == AF_INET)
                return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
        return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

static int parse_address(SocketAddress *ret, char host[LISTENER_HOST_MAX], const char *text,
                         Error *err)
{
        const char *colon = strrchr(text, ':');
        size_t len = colon ? (size_t) (colon - text) : 0;
        uint64_t port;

        if (!len || len >= LISTENER_HOST_MAX || parse_uint(&port, colon + 1, err) < 0 ||
            port > 65535) {
                error_set_to(err, ERROR_CONFIG,
                             "option listen: \"%.100s\" is not an address and a port", text);
                return error_hint(err, "write it as 127.0.0.1:8080 or [::1]:8080");
        }
        memcpy(host, text, len);
        host[len] = '\0';
        if (host[0] == '[' && host[len - 1] == ']') {
                memmove(host, host + 1, len - 2);
                host[len - 2] = '\0';
        }
        *ret = (SocketAddress){ 0 };
        if (inet_pton(AF_INET6, host, &ret->v6.sin6_addr) == 1) {
                ret->v6.sin6_family = AF_INET6;
                ret->v6.sin6_port = htons((uint16_t) port);
        } else if (inet_pton(AF_INET, strcasecmp(host, "localhost") ? host : "127.0.0.1",
                             &ret->v4.sin_addr) == 1) {
                ret->v4.sin_family = AF_INET;
                ret->v4.sin_port = htons((uint16_t) port);
        }
        if (is_loopback(ret))
                return 0;
        error_set_to(err, ERROR_CONFIG, "option listen: \"%.100s\" is not a loopback address",
                     text);
        return error_hint(err, "whoever can reach the API can migrate, so it is served on "
                               "127.0.0.0/8, [::1] and a Unix socket "
                               "only; put a proxy that authenticates in front of it");
}

int listener_open_tcp(Listener *ret, char host[LISTENER_HOST_MAX], const char *listen_address,
                      Error *err)
{
        const int one = 1;
        _cleanup_close_ int fd = -1;
        SocketAddress a;
        int r = parse_address(&a, host, listen_address, err);

        if (r < 0)
                return r;
        fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0 ||
            bind(fd, &a.any, a.any.sa_family == AF_INET ? sizeof a.v4 : sizeof a.v6) < 0 ||
            listen(fd, BACKLOG) < 0) {
                error_set_to(err, ERROR_CONFIG, "option listen: %.100s: %s", listen_address,
                             strerror(errno));
                return errno == EADDRINUSE ? error_hint(err, "another process uses the port: "
                                                             "choose another one, or stop it")
                                           : -ERROR_CONFIG;
        }
        *ret = (Listener){ .fd = TAKE_FD(fd) };
        return 0;
}

/* 1: there is no socket in the way (any more). */
static int remove_stale(const SocketAddress *a, socklen_t size, Error *err)
{
        const char *path = a->local.sun_path;
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 1
                                       : error_set(err, ERROR_CONFIG, "option socket: %s: %s", path,
                                                   strerror(errno));
        if (!S_ISSOCK(st.st_mode))
                return error_set(err, ERROR_CONFIG, "option socket: %s exists and is not a socket",
                                 path);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return error_set(err, ERROR_IO, "option socket: %s", strerror(errno));
        if (connect(fd, &a->any, size) == 0 || errno != ECONNREFUSED)
                return error_set(err, ERROR_CONFIG, "option socket: another process listens on %s",
                                 path);
        if (unlink(path) < 0)
                return error_set(err, ERROR_CONFIG, "option socket: the stale %s: %s", path,
                                 strerror(errno));
        return 1;
}

/* A number of a removed socket is given out again at once, hence the time. */
static ListenerIdentity identity(const struct stat *st)
{
        return (ListenerIdentity){
                .dev = st->st_dev,
                .ino = st->st_ino,
                .changed = (int64_t) st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
        };
}

static int bind_unix(Listener *l, const SocketAddress *a, socklen_t size, Error *err)
{
        const char *path = a->local.sun_path;
        struct stat st;

        /* The mode is set before there is a name by which anybody could connect, and once more for what umask took away. */
        if (fchmod(l->fd, 0660) < 0 || bind(l->fd, &a->any, size) < 0)
                return error_set(err, ERROR_CONFIG, "option socket: %s: %s", path, strerror(errno));
        l->path = strdup(path);
        if (!l->path || chmod(path, 0660) < 0 || lstat(path, &st) < 0 ||
            listen(l->fd, BACKLOG) < 0) {
                error_set_to(err, ERROR_CONFIG, "option socket: %s: %s", path, strerror(errno));
                (void) unlink(path);
                return -ERROR_CONFIG;
        }
        l->identity = identity(&st);
        return 0;
}

int listener_open_unix(Listener *ret, const char *path, Error *err)
{
        SocketAddress a = { .local = { .sun_family = AF_UNIX } };
        Listener l = { .unix_socket = true };
        size_t len = strlen(path);
        socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + len + 1);
        int r;

        if (len >= sizeof a.local.sun_path || path[0] != '/') {
                error_set_to(err, ERROR_CONFIG,
                             "option socket: \"%.200s\" cannot be the path of a socket", path);
                return error_hint(err, "give an absolute path of at most %zu bytes",
                                  sizeof a.local.sun_path - 1);
        }
        memcpy(a.local.sun_path, path, len + 1);
        r = remove_stale(&a, size, err);
        if (r < 0)
                return r;
        l.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (l.fd < 0)
                return error_set(err, ERROR_IO, "option socket: %s", strerror(errno));
        r = bind_unix(&l, &a, size, err);
        if (r < 0) {
                listener_close(&l);
                return r;
        }
        *ret = l;
        return 0;
}

static int adopt(Listener *ret, int fd, const char *name, Error *err)
{
        SocketAddress a = { 0 };
        socklen_t size = sizeof a;

        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0 || getsockname(fd, &a.any, &size) < 0)
                return error_set(err, ERROR_CONFIG,
                                 "the inherited socket \"%s\" is not a listening stream socket",
                                 name);
        if (a.any.sa_family != AF_UNIX && !is_loopback(&a)) {
                error_set_to(err, ERROR_CONFIG,
                             "the inherited socket \"%s\" is not bound to a loopback address",
                             name);
                return error_hint(err, "as with the option listen: only 127.0.0.0/8, [::1] and "
                                       "Unix sockets are served");
        }
        if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
                return error_set(err, ERROR_IO, "the inherited socket \"%s\": %s", name,
                                 strerror(errno));
        *ret = (Listener){ .fd = fd, .unix_socket = a.any.sa_family == AF_UNIX };
        return 0;
}

static bool name_is_ours(const char *name)
{
        return !strcmp(name, "http") || !strncmp(name, "pgmigrated", strlen("pgmigrated"));
}

int listener_inherit(Listener *ret, size_t max, Error *err)
{
        char **names = NULL;
        int passed = sd_listen_fds_with_names(0, &names), n = 0, r = 0;

        if (passed < 0)
                return error_set(err, ERROR_CONFIG, "the sockets that systemd passed: %s",
                                 strerror(-passed));
        for (int i = 0; i < passed && r >= 0; i++) {
                if (!name_is_ours(names[i])) {
                        log_warning("An inherited socket has a name that is not known",
                                    LOG_S("NAME", names[i]));
                        continue;
                }
                r = (size_t) n < max ? adopt(&ret[n], SD_LISTEN_FDS_START + i, names[i], err)
                                     : error_set(err, ERROR_CONFIG,
                                                 "systemd passed more than %zu sockets", max);
                n += r >= 0;
        }
        for (int i = 0; names && names[i]; i++)
                free(names[i]);
        free(names);
        return r < 0 ? r : n;
}

unsigned listener_port(const Listener *l)
{
        SocketAddress a = { 0 };
        socklen_t size = sizeof a;

        if (l->unix_socket || getsockname(l->fd, &a.any, &size) < 0)
                return 0;
        return ntohs(a.any.sa_family == AF_INET ? a.v4.sin_port : a.v6.sin6_port);
}

void listener_close(Listener *l)
{
        struct stat st;

        if (l->path && lstat(l->path, &st) == 0) {
                ListenerIdentity now = identity(&st);

                if (now.dev == l->identity.dev && now.ino == l->identity.ino &&
                    now.changed == l->identity.changed)
                        (void) unlink(l->path);
        }
        free(l->path);
        if (l->fd >= 0)
                (void) close(l->fd);
        *l = (Listener){ .fd = -1 };
}
