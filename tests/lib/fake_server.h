#pragma once
/* A process that stands in for a PostgreSQL server which will not let anybody in. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum FakeMode {
        FAKE_CLOSE, /* accepts and closes */
        FAKE_HANG,  /* accepts and says nothing */
        FAKE_FATAL, /* answers the startup packet with an error: sqlstate, message */
} FakeMode;

typedef struct FakeServer {
        pid_t pid;
        uint16_t port;
        _Atomic unsigned *connections; /* so far; shared with the child */
} FakeServer;

static void fake_send_fatal(int fd, const char *sqlstate, const char *message)
{
        char packet[512] = "E";
        uint32_t size = 4;
        char *p = packet + 5;

        p += sprintf(p, "SFATAL") + 1;
        p += sprintf(p, "VFATAL") + 1;
        p += sprintf(p, "C%s", sqlstate) + 1;
        p += sprintf(p, "M%s", message) + 1;
        *p++ = '\0';
        size = htonl((uint32_t) (p - packet - 1));
        memcpy(packet + 1, &size, sizeof size);
        (void) !write(fd, packet, (size_t) (p - packet));
}

static void fake_serve(int fd, FakeMode mode, const char *sqlstate, const char *message)
{
        char startup[1024];

        if (mode == FAKE_HANG)
                return; /* the descriptor stays open */
        if (mode == FAKE_FATAL && read(fd, startup, sizeof startup) > 0)
                fake_send_fatal(fd, sqlstate, message);
        (void) close(fd);
}

static inline int fake_server_start(FakeServer *s, FakeMode mode, const char *sqlstate,
                                    const char *message)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof a;
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        *s = (FakeServer){ .pid = -1 };
        if (fd < 0 || bind(fd, (struct sockaddr *) &a, size) < 0 || listen(fd, 16) < 0 ||
            getsockname(fd, (struct sockaddr *) &a, &size) < 0)
                return -1;
        s->port = ntohs(a.sin_port);
        s->connections = mmap(NULL, sizeof(unsigned), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (s->connections == MAP_FAILED)
                return -1;
        s->pid = fork();
        if (s->pid == 0) {
                for (;;) {
                        int c = accept(fd, NULL, NULL);

                        if (c < 0)
                                _exit(0);
                        ++*s->connections;
                        fake_serve(c, mode, sqlstate, message);
                }
        }
        (void) close(fd);
        return s->pid < 0 ? -1 : 0;
}

static inline void fake_server_stop(FakeServer *s)
{
        if (s->pid > 0) {
                (void) kill(s->pid, SIGKILL);
                (void) waitpid(s->pid, NULL, 0);
        }
        (void) munmap(s->connections, sizeof(unsigned));
}
