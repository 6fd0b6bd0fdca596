#include "api/request_head.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* unique: a second one is an error, since proxies differ in which one they believe. */
static const struct {
        const char *name;
        size_t offset;
        bool unique;
} known[] = {
        /* clang-format off */
        { "Host",              offsetof(RequestHead, host),              true },
        { "Content-Length",    offsetof(RequestHead, content_length),    true },
        { "Transfer-Encoding", offsetof(RequestHead, transfer_encoding), true },
        { "Content-Type",      offsetof(RequestHead, content_type),      true },
        { "Content-Encoding",  offsetof(RequestHead, content_encoding),  false },
        { "Origin",            offsetof(RequestHead, origin),            true },
        { "Sec-Fetch-Site",    offsetof(RequestHead, fetch_site),        false },
        { "Accept",            offsetof(RequestHead, accept),            false },
        { "Prefer",            offsetof(RequestHead, prefer),            false },
        { "Idempotency-Key",   offsetof(RequestHead, idempotency_key),   true },
        { "Last-Event-ID",     offsetof(RequestHead, last_event_id),     true },
        /* clang-format on */
};
#define N_KNOWN (sizeof known / sizeof known[0])

static const HeaderValue *field(const RequestHead *h, size_t i)
{
        return (const HeaderValue *) (const void *) ((const char *) h + known[i].offset);
}

void request_head_add(RequestHead *h, const char *name, const char *value)
{
        if (!*name || strpbrk(name, " \t\v\f\r\n"))
                h->malformed = true;
        for (size_t i = 0; i < N_KNOWN; i++) {
                HeaderValue *f = (HeaderValue *) (void *) ((char *) h + known[i].offset);

                if (strcasecmp(name, known[i].name))
                        continue;
                if (!f->count++)
                        f->value = value ? value : "";
                return;
        }
}

int request_head_check_framing(const RequestHead *h, Error *err)
{
        if (h->malformed)
                return error_set(err, ERROR_BAD_REQUEST,
                                 "there is white space in the name of a header");
        for (size_t i = 0; i < N_KNOWN; i++)
                if (known[i].unique && field(h, i)->count > 1)
                        return error_set(err, ERROR_BAD_REQUEST,
                                         "header %s is given more than once", known[i].name);
        if (h->content_length.count && h->transfer_encoding.count)
                return error_set(err, ERROR_BAD_REQUEST,
                                 "both Content-Length and Transfer-Encoding are given");
        if (h->transfer_encoding.count && strcasecmp(h->transfer_encoding.value, "chunked"))
                return error_set(err, ERROR_BAD_REQUEST, "Transfer-Encoding is not \"chunked\"");
        if (h->content_length.count) {
                const char *v = h->content_length.value;
                size_t digits = strspn(v, "0123456789");

                if (!digits || v[digits] || digits > 18)
                        return error_set(err, ERROR_BAD_REQUEST, "Content-Length is not a number");
        }
        return 0;
}

uint64_t request_head_body_size(const RequestHead *h)
{
        if (h->transfer_encoding.count)
                return UINT64_MAX;
        return h->content_length.count ? strtoull(h->content_length.value, NULL, 10) : 0;
}

/* "name", "name:8080", "[::1]:8080" -> the name without port and brackets. */
static bool split_host(char *name, size_t size, const char *host)
{
        bool bracketed = host[0] == '[';
        const char *start = host + bracketed;
        size_t len = strcspn(start, bracketed ? "]" : ":");
        const char *rest = start + len;

        if (bracketed) {
                if (*rest != ']')
                        return false;
                rest++;
        }
        if (*rest && (*rest != ':' || rest[1 + strspn(rest + 1, "0123456789")]))
                return false;
        if (!len || len >= size)
                return false;
        memcpy(name, start, len);
        name[len] = '\0';
        return true;
}

static bool host_is_ours(const char *host, const char *listen_host)
{
        char name[256];
        struct in_addr v4;
        struct in6_addr v6;

        if (!split_host(name, sizeof name, host))
                return false;
        if (!strcasecmp(name, "localhost") || !strcasecmp(name, listen_host))
                return true;
        if (inet_pton(AF_INET, name, &v4) == 1)
                return ntohl(v4.s_addr) >> 24 == 127;
        return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static bool only_reads(const char *method)
{
        return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "OPTIONS");
}

static bool same_origin(const RequestHead *h)
{
        const char *authority = strstr(h->origin.value, "://");

        return authority && h->host.count && !strcasecmp(authority + 3, h->host.value);
}

int request_head_check_origin(const RequestHead *h, const char *listen_host, unsigned *status,
                              Error *err)
{
        *status = 0;
        if (h->over_unix)
                return 0;
        if (h->host.count && !host_is_ours(h->host.value, listen_host)) {
                *status = 421;
                error_set_to(err, ERROR_FORBIDDEN, "this service is not known as \"%.128s\"",
                             h->host.value);
                return error_hint(
                        err, "call it as localhost or by the address it listens on; other names "
                             "are refused, "
                             "since a web page could make a browser call it under one of its own");
        }
        if (only_reads(h->method))
                return 0;
        if ((h->origin.count && !same_origin(h)) ||
            (h->fetch_site.count && strcmp(h->fetch_site.value, "same-origin") &&
             strcmp(h->fetch_site.value, "none"))) {
                *status = 403;
                return error_set(err, ERROR_FORBIDDEN,
                                 "a web page of another origin may not change anything here");
        }
        return 0;
}

int request_head_check_content(const RequestHead *h, bool has_body, unsigned *status, Error *err)
{
        const char *type = h->content_type.value;
        size_t len;

        *status = 0;
        if (!has_body)
                return 0;
        if (h->content_encoding.count && strcasecmp(h->content_encoding.value, "identity")) {
                *status = 415;
                return error_set(err, ERROR_BAD_REQUEST,
                                 "a body with Content-Encoding \"%.64s\" is not understood",
                                 h->content_encoding.value);
        }
        if (!type || !*type)
                return 0;
        len = strcspn(type, "; \t");
        if (len == strlen("application/json") && !strncasecmp(type, "application/json", len))
                return 0;
        *status = 415;
        (void) error_set(err, ERROR_BAD_REQUEST, "the body must be application/json, not \"%.64s\"",
                         type);
        return error_hint(err,
                          "send the header Content-Type: application/json (curl: --json, or -H)");
}

uint64_t request_head_preferred_wait(const RequestHead *h)
{
        const char *p = h->prefer.value;

        while (p && *p) {
                size_t digits;

                p += strspn(p, " \t,;");
                if (!strncasecmp(p, "wait=", 5)) {
                        digits = strspn(p + 5, "0123456789");
                        if (digits && digits < 10)
                                return strtoull(p + 5, NULL, 10);
                }
                p += strcspn(p, ",;");
        }
        return 0;
}
