#pragma once
/* The one error type. Plain data of fixed size: copying it copies the error, nothing has to be freed,
 * and reporting an error never allocates.
 *
 * A fallible function returns >= 0, or fills *err and returns -err->code. The error is set once, where
 * the fault is found; on its way up callers may put what they were doing in front of it. */
#include <stdbool.h>
#include <stddef.h>

typedef enum ErrorCode {
        ERROR_NONE,
#define ERROR(name, ...) ERROR_##name,
#include "util/error.def"
#undef ERROR
        _ERROR_MAX,
} ErrorCode;

typedef struct Error {
        ErrorCode code;
        char sqlstate[6];     /* "" unless the server said so */
        unsigned long line;   /* 1-based, in path; 0: unknown */
        unsigned long column; /* 1-based, in characters; 0: unknown */
        char path[256];       /* the user's file that is at fault, "" if none */
        char text[1024];      /* one sentence, without a full stop, that names the thing at fault */
        char hint[512];       /* what to do about it, "" if obvious */
} Error;

typedef struct ErrorInfo {
        const char *name;
        int http_status, exit_code;
        bool retryable;
        const char *summary;
} ErrorInfo;

const ErrorInfo *error_info(ErrorCode code);

/* return error_set(err, ERROR_IO, "%s: %m", path); — a macro, so that the compiler and -fanalyzer see
 * a negative constant come back. */
#define error_set(err, code, ...) (error_set_to((err), (code), __VA_ARGS__), -(int) (code))
void error_set_to(Error *err, ErrorCode code, const char *fmt, ...)
        __attribute__((__format__(__printf__, 3, 4)));

/* return error_prefix(err, "%s", path); — "path: " in front of the text, the same code back. */
int error_prefix(Error *err, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));

/* Say where in the user's files (line and column may be 0) and what to do. Both return -err->code. */
int error_at(Error *err, const char *path, unsigned long line, unsigned long column);
int error_hint(Error *err, const char *fmt, ...) __attribute__((__format__(__printf__, 2, 3)));
#define error_oom(err, what) error_set((err), ERROR_OOM, "not enough memory for %s", (what))
