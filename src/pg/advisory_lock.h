#pragma once
/* Session-level advisory locks, polled with try-lock outside any transaction (a blocking wait deadlocks with CREATE INDEX
 * CONCURRENTLY). Our own two-int key and the format's bigint keys are taken in order, all or none. They belong to the
 * connection: closing it releases them; after a reconnect they have to be taken again. */
#include "pg/session.h"

/* First int of our own key: the bytes "pgmi". */
#define ADVISORY_LOCK_CLASS 0x70676d69

typedef struct LockHolder {
        int pid;
        char application_name[64], user[64], address[64], since[40]; /* "" when not visible to us */
} LockHolder;

typedef struct LockRequest {
        int32_t object;      /* second int of our key: crc32 of schema.table */
        const int64_t *keys; /* the format's */
        size_t n_keys;
        uint64_t deadline;
        /* Called when the lock is found held, with who holds it (again when that changes); may be NULL. */
        void (*waiting)(void *userdata, const LockHolder *holder);
        void *userdata;
} LockRequest;

/* One round trip when free. Polls after 0.1 s, x1.5, up to 5 s, with jitter. -ERROR_LOCKED at the deadline, naming the holder. */
int advisory_lock_take(PgSession *s, const LockRequest *r, Error *err);
/* After a script that may have released them: all keys are held again, or -ERROR_LOCKED at once. The server counts how often a session
 * has a lock, so that one that was not released is only counted once more. Also in a transaction: they are no part of it. */
int advisory_lock_retake(PgSession *s, const LockRequest *r, Error *err);
