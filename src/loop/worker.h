#pragma once
/* Runs what cannot help blocking (getaddrinfo, PQcancel) in a detached thread while the fiber waits.
 * fn gets a job of its own and must not touch anything else. When the fiber gives up waiting, nobody sees
 * the late result: the thread passes the job to free_job, which may only free memory. */
#include "loop/fiber.h"

typedef void (*WorkerFn)(void *job);
/* 0: fn has returned and the job is the caller's again. Negative: it has been, or will be, given to free_job. */
int worker_run(WorkerFn fn, void *job, void (*free_job)(void *job), uint64_t deadline, Error *err);
