#pragma once
/* The headers of a request that mean something here, and the checks that need nothing else: framing that two parties
 * could read differently, names under which a browser was tricked into calling us, content we do not take. */
#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

typedef struct HeaderValue {
        const char *value; /* the first; borrowed; NULL when absent */
        unsigned count;
} HeaderValue;

typedef struct RequestHead {
        const char *method;
        bool over_unix; /* came by a Unix socket: no browser, no names */
        HeaderValue host, content_length, transfer_encoding, content_type, content_encoding, origin,
                fetch_site;
        bool malformed; /* a header's name is not a token: "Content-Length : 5" is a length to some and nothing to others */
        HeaderValue accept, prefer, idempotency_key, last_event_id;
} RequestHead;

/* Stores one header if it is one of those. */
void request_head_add(RequestHead *h, const char *name, const char *value);

/* Whether there are two ways to read where the body ends. Then nothing that follows on the connection can be
 * trusted: answer and close. */
int request_head_check_framing(const RequestHead *h, Error *err);
/* Who asks, and by what name: *status is 403, 421 or 400. listen_host: what the listener is bound to, without port. */
int request_head_check_origin(const RequestHead *h, const char *listen_host, unsigned *status,
                              Error *err);
/* Whether a body of this kind is understood; *status is 415. has_body: at least one byte came. */
int request_head_check_content(const RequestHead *h, bool has_body, unsigned *status, Error *err);

/* Bytes that the head announces; UINT64_MAX for chunked. Only after check_framing. */
uint64_t request_head_body_size(const RequestHead *h);
/* Seconds of "Prefer: wait=N", 0 without one. Preferences that are not understood are ignored (RFC 7240). */
uint64_t request_head_preferred_wait(const RequestHead *h);
