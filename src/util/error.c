#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const ErrorInfo infos[_ERROR_MAX] = {
        [ERROR_NONE] = { .name = "NONE", .http_status = 200, .summary = "no error" },
#define ERROR(n, http, exit, retry, summary) [ERROR_##n] = { #n, http, exit, retry, summary },
#include "util/error.def"
#undef ERROR
};

const ErrorInfo *error_info(ErrorCode code)
{
        return &infos[code];
}

void error_set_to(Error *err, ErrorCode code, const char *fmt, ...)
{
        va_list ap;

        *err = (Error){ .code = code };
        va_start(ap, fmt);
        (void) vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
}

int error_prefix(Error *err, const char *fmt, ...)
{
        char old[sizeof err->text];
        size_t used, room;
        va_list ap;

        memcpy(old, err->text, sizeof old);
        va_start(ap, fmt);
        (void) vsnprintf(err->text, sizeof err->text - 2, fmt, ap);
        va_end(ap);
        used = strlen(err->text);
        memcpy(err->text + used, ": ", 3);
        used += 2;
        room = sizeof err->text - used - 1;
        old[room < sizeof old ? room : sizeof old - 1] = '\0'; /* cut what does not fit */
        memcpy(err->text + used, old, strlen(old) + 1);
        return -(int) err->code;
}

int error_at(Error *err, const char *path, unsigned long line, unsigned long column)
{
        (void) snprintf(err->path, sizeof err->path, "%s", path);
        err->line = line;
        err->column = column;
        return -(int) err->code;
}

int error_hint(Error *err, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        (void) vsnprintf(err->hint, sizeof err->hint, fmt, ap);
        va_end(ap);
        return -(int) err->code;
}
