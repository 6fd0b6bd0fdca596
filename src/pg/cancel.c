#include "pg/cancel.h"

#include <stdio.h>
#include <stdlib.h>

#include "pg/session_private.h"
#include "util/utf8.h"

static int unreachable(const char *message, Error *err)
{
        char text[512];

        utf8_sanitize(text, sizeof text, message);
        return error_set(err, ERROR_UNAVAILABLE, "cannot cancel the statement: %s", text);
}

#ifdef LIBPQ_HAS_ASYNC_CANCEL /* 17 */

#include <sys/epoll.h>

DEFINE_CLEANUP(PGcancelConn *, PQcancelFinish)

int pg_cancel(PgSession *s, uint64_t deadline, Error *err)
{
        _cleanup_(PQcancelFinishp) PGcancelConn *cancel = PQcancelCreate(s->conn);
        PostgresPollingStatusType next = PGRES_POLLING_WRITING;

        if (!cancel)
                return error_oom(err, "a cancel request");
        if (!PQcancelStart(cancel))
                return unreachable(PQcancelErrorMessage(cancel), err);
        while (next != PGRES_POLLING_OK) {
                int r = fiber_wait_fd(PQcancelSocket(cancel),
                                      next == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT, deadline,
                                      err);

                if (r < 0)
                        return r;
                next = PQcancelPoll(cancel);
                if (next == PGRES_POLLING_FAILED)
                        return unreachable(PQcancelErrorMessage(cancel), err);
        }
        return 0;
}

#else

#include "loop/worker.h"

/* The call blocks for as long as the server likes (6 s with a stopped postmaster), so a thread waits for it. */
typedef struct CancelJob {
        PGcancel *cancel;
        int ok;
        char message[256]; /* the size that libpq asks for */
} CancelJob;

static void cancel_job_free(void *userdata)
{
        CancelJob *job = userdata;

        PQfreeCancel(job->cancel);
        free(job);
}

static void cancel_job_run(void *userdata)
{
        CancelJob *job = userdata;

        job->ok = PQcancel(job->cancel, job->message, sizeof job->message);
}

int pg_cancel(PgSession *s, uint64_t deadline, Error *err)
{
        CancelJob *job = calloc(1, sizeof *job);
        int r;

        if (job)
                job->cancel = PQgetCancel(s->conn);
        if (!job || !job->cancel) {
                free(job);
                return error_set(err, ERROR_UNAVAILABLE,
                                 "cannot cancel the statement: not connected");
        }
        r = worker_run(cancel_job_run, job, cancel_job_free, deadline, err);
        if (r < 0)
                return r;
        if (!job->ok)
                r = unreachable(job->message, err);
        cancel_job_free(job);
        return r;
}

#endif
