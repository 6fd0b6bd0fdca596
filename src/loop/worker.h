#pragma once
/* Runs what cannot help blocking (getaddrinfo, PQcancel) in a detached thread while the fiber waits.
 * fn gets a job of its own and must not touch anything else; when the fiber gave up waiting, the
 * thread's late result is passed to free_job from the loop and nobody else sees it. */
#include "loop/fiber.h"

typedef void (*WorkerFn)(void *job);
/* 0 when fn has returned and job is the caller's again; negative: job has been, or will be, freed by free_job. */
int worker_run(WorkerFn fn, void *job, void (*free_job)(void *job), uint64_t deadline, Error *err);
