#include "loop/resolver.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "loop/worker.h"

typedef struct LookUp {
        char *host;
        int status; /* of getaddrinfo */
        ResolvedAddresses found;
} LookUp;

static void look_up_free(void *job)
{
        LookUp *l = job;

        free(l->host);
        free(l);
}

static bool already_found(const ResolvedAddresses *a, const char *text)
{
        for (unsigned i = 0; i < a->count; i++)
                if (strcmp(a->text[i], text) == 0)
                        return true;
        return false;
}

/* In the worker's thread. */
static void look_up(void *job)
{
        struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
        struct addrinfo *list = NULL;
        LookUp *l = job;
        char text[64];

        l->status = getaddrinfo(l->host, NULL, &hints, &list);
        if (l->status != 0)
                return;
        for (struct addrinfo *a = list; a && l->found.count < RESOLVER_MAX_ADDRESSES;
             a = a->ai_next)
                if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, NULL, 0,
                                NI_NUMERICHOST) == 0 &&
                    !already_found(&l->found, text))
                        (void) snprintf(l->found.text[l->found.count++], sizeof text, "%s", text);
        freeaddrinfo(list);
}

int resolver_lookup(ResolvedAddresses *ret, bool *nonexistent, const char *host, uint64_t deadline,
                    Error *err)
{
        LookUp *l = calloc(1, sizeof *l);
        int r;

        *nonexistent = false;
        if (l)
                l->host = strdup(host);
        if (!l || !l->host) {
                free(l);
                return error_oom(err, "a name look-up");
        }
        r = worker_run(look_up, l, look_up_free, deadline, err);
        if (r < 0) {
                if (r == -(int) ERROR_TIMEOUT)
                        return error_set(err, ERROR_TIMEOUT,
                                         "the resolver gave no answer for \"%s\"", host);
                return r;
        }
        *ret = l->found;
        if (l->status != 0 || l->found.count == 0) {
                *nonexistent = l->status == EAI_NONAME || l->status == EAI_NODATA || l->status == 0;
                r = error_set(err, ERROR_UNAVAILABLE, "cannot resolve host \"%s\": %s", host,
                              l->status ? gai_strerror(l->status) : "no address");
        }
        look_up_free(l);
        return r;
}
