/* pgproxy LISTEN-PORT SERVER-PORT OUT DELAY-US: forwards connections on 127.0.0.1, each byte DELAY-US later, and appends a line to OUT
 * for each connection that ended: how many round trips it took, that is, how often the server spoke after the client had. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_MAX ((size_t) 16 << 20)

typedef struct Segment {
        struct Segment *next;
        double due;
        size_t size;
        char data[];
} Segment;

typedef struct Direction {
        int in, out;
        Segment *head, *tail;
        size_t queued;
        bool ended, done;
} Direction;

static double now(void)
{
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static int dial(int port)
{
        struct sockaddr_in a = { .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t) port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return connect(fd, (struct sockaddr *) &a, sizeof a) < 0 ? -1 : fd;
}

static void set_nodelay(int fd)
{
        int one = 1;

        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* 1: something was read. */
static int take(Direction *d, double delay)
{
        static char buffer[1 << 18];
        ssize_t n = read(d->in, buffer, sizeof buffer);
        Segment *s = n > 0 ? malloc(sizeof *s + (size_t) n) : NULL;

        if (!s) {
                d->ended = true;
                return 0;
        }
        *s = (Segment){ .due = now() + delay, .size = (size_t) n };
        memcpy(s->data, buffer, (size_t) n);
        d->queued += s->size;
        *(d->tail ? &d->tail->next : &d->head) = s;
        d->tail = s;
        return 1;
}

static void give(Direction *d)
{
        while (d->head && d->head->due <= now() && !d->done) {
                Segment *s = d->head;

                for (size_t at = 0; at < s->size && !d->done;) {
                        ssize_t n = write(d->out, s->data + at, s->size - at);

                        if (n <= 0)
                                d->done = true;
                        else
                                at += (size_t) n;
                }
                d->head = s->next;
                if (!d->head)
                        d->tail = NULL;
                d->queued -= s->size;
                free(s);
        }
        d->done = d->done || (d->ended && !d->head);
}

static long forward(int client, int server, double delay)
{
        Direction d[2] = { { .in = client, .out = server }, { .in = server, .out = client } };
        int last = 1;
        long trips = 0;

        while (!d[0].done && !d[1].done) {
                struct pollfd fds[2];
                double left = 3600;

                for (int i = 0; i < 2; i++) {
                        fds[i] = (struct pollfd){ .fd = d[i].ended || d[i].queued > QUEUE_MAX
                                                                ? -1
                                                                : d[i].in,
                                                  .events = POLLIN };
                        if (d[i].head && d[i].head->due - now() < left)
                                left = d[i].head->due - now();
                }
                if (left < 0)
                        left = 0;
                (void) ppoll(fds, 2,
                             &(struct timespec){
                                     .tv_sec = (time_t) left,
                                     .tv_nsec = (long) ((left - (double) (time_t) left) * 1e9) },
                             NULL);
                for (int i = 0; i < 2; i++)
                        if (fds[i].fd >= 0 && fds[i].revents && take(&d[i], delay)) {
                                trips += i == 1 && last == 0;
                                last = i;
                        }
                give(&d[0]);
                give(&d[1]);
        }
        return trips;
}

static void serve(int client, int port, const char *path, double delay)
{
        int server = dial(port);
        long trips;
        FILE *out;

        if (server < 0)
                _exit(1);
        set_nodelay(client);
        set_nodelay(server);
        (void) prctl(PR_SET_TIMERSLACK, 1000);
        trips = forward(client, server, delay);
        out = fopen(path, "a");
        if (out) {
                (void) fprintf(out, "%ld\n", trips);
                (void) fclose(out);
        }
        _exit(0);
}

int main(int argc, char **argv)
{
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

        if (argc != 5)
                return 64;
        (void) signal(SIGCHLD, SIG_IGN);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        a.sin_port = htons((uint16_t) strtol(argv[1], NULL, 10));
        (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *) &a, sizeof a) < 0 || listen(fd, 256) < 0) {
                perror("pgproxy");
                return 1;
        }
        for (;;) {
                int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

                if (client >= 0 && fork() == 0)
                        serve(client, (int) strtol(argv[2], NULL, 10), argv[3],
                              strtod(argv[4], NULL) / 1e6);
                (void) close(client);
        }
}
