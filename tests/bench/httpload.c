/* httpload PORT PATH CONNECTIONS SECONDS RATE: asks 127.0.0.1 again and again over connections that are kept, RATE times a second in
 * all, or with 0 as fast as the answers come. Prints requests per second and latencies as JSON. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define MAX_SAMPLES 4000000

typedef struct Connection {
        int fd;
        double sent;       /* 0: idle */
        size_t have, want; /* of the answer; want 0: its head is not complete */
        char data[1 << 16];
} Connection;

static Connection connections[MAX_CONNECTIONS];
static float samples[MAX_SAMPLES];
static size_t n_samples, n_errors;

static double now(void)
{
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static bool dial(Connection *c, int port)
{
        struct sockaddr_in a = { .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t) port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int one = 1;

        c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        return connect(c->fd, (struct sockaddr *) &a, sizeof a) == 0;
}

static bool ask(Connection *c, const char *request)
{
        size_t len = strlen(request);

        c->have = c->want = 0;
        c->sent = now();
        return write(c->fd, request, len) == (ssize_t) len;
}

/* False: the connection is of no use. */
static bool receive(Connection *c)
{
        ssize_t n = read(c->fd, c->data + c->have, sizeof c->data - 1 - c->have);
        const char *end, *length;

        if (n <= 0)
                return false;
        c->have += (size_t) n;
        c->data[c->have] = '\0';
        end = c->want ? NULL : strstr(c->data, "\r\n\r\n");
        if (end) {
                length = strcasestr(c->data, "\r\ncontent-length:");
                if (!length || strncmp(c->data, "HTTP/1.1 200", 12) != 0)
                        return false;
                c->want = (size_t) (end + 4 - c->data) + strtoul(length + 17, NULL, 10);
        }
        if (c->want && c->have >= c->want) {
                if (n_samples < MAX_SAMPLES)
                        samples[n_samples++] = (float) (now() - c->sent);
                c->sent = 0;
        }
        return true;
}

static int compare(const void *a, const void *b)
{
        float x = *(const float *) a, y = *(const float *) b;

        return (x > y) - (x < y);
}

static void load(size_t n, int port, const char *request, double seconds, double rate)
{
        double began = now(), next = began;

        for (;;) {
                struct pollfd fds[MAX_CONNECTIONS];

                if (now() - began > seconds)
                        return;
                for (size_t i = 0; i < n; i++) {
                        Connection *c = &connections[i];
                        bool due = rate == 0 || now() >= next;

                        if (c->sent == 0 && due) {
                                next += rate > 0 ? 1 / rate : 0;
                                if (!ask(c, request))
                                        n_errors++;
                        }
                        fds[i] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
                }
                (void) poll(fds, n, 1);
                for (size_t i = 0; i < n; i++)
                        if (fds[i].revents && !receive(&connections[i])) {
                                n_errors++;
                                (void) close(connections[i].fd);
                                if (!dial(&connections[i], port))
                                        return;
                                connections[i].sent = 0;
                        }
        }
}

int main(int argc, char **argv)
{
        size_t n = argc == 6 ? strtoul(argv[3], NULL, 10) : 0;
        double seconds;
        char request[512];

        if (n < 1 || n > MAX_CONNECTIONS)
                return 64;
        seconds = strtod(argv[4], NULL);
        (void) snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n",
                        argv[2]);
        for (size_t i = 0; i < n; i++)
                if (!dial(&connections[i], (int) strtol(argv[1], NULL, 10)))
                        return 1;
        load(n, (int) strtol(argv[1], NULL, 10), request, seconds, strtod(argv[5], NULL));
        qsort(samples, n_samples, sizeof *samples, compare);
        printf("{\"per_second\": %.1f, \"errors\": %zu, \"p50_ms\": %.3f, \"p99_ms\": %.3f}\n",
               (double) n_samples / seconds, n_errors,
               n_samples ? 1e3 * (double) samples[n_samples / 2] : 0,
               n_samples ? 1e3 * (double) samples[n_samples * 99 / 100] : 0);
        return 0;
}
