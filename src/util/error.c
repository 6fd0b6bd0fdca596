#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

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

/* What was cut must not end in half a character: JSON would refuse the whole text. */
static void drop_half_character(char *s)
{
        size_t len = strlen(s), lead = len;

        while (lead > 0 && len - lead < 3 && ((unsigned char) s[lead - 1] & 0xc0) == 0x80)
                lead--;
        if (lead > 0 && ((unsigned char) s[lead - 1] & 0xc0) == 0xc0 &&
            utf8_valid_prefix(s + lead - 1, len - lead + 1) == 0)
                s[lead - 1] = '\0';
}

/* By way of a buffer, since the arguments may well be parts of the error that is being written. */
static void format(char *ret, size_t size, const char *after, const char *fmt, va_list ap)
        __attribute__((__format__(__printf__, 4, 0)));
static void format(char *ret, size_t size, const char *after, const char *fmt, va_list ap)
{
        char new[sizeof((Error *) NULL)->text];
        int n = vsnprintf(new, sizeof new, fmt, ap);

        if (n >= 0 && (size_t) n < sizeof new)
                n += snprintf(new + n, sizeof new - (size_t) n, "%s", after);
        if ((size_t) n >= size) {
                new[size - 1] = '\0';
                drop_half_character(new);
        }
        memcpy(ret, new, strlen(new) + 1);
}

void error_set_to(Error *err, ErrorCode code, const char *fmt, ...)
{
        Error new = { .code = code };
        va_list ap;

        va_start(ap, fmt);
        format(new.text, sizeof new.text, "", fmt, ap);
        va_end(ap);
        *err = new;
}

int error_prefix(Error *err, const char *fmt, ...)
{
        char old[sizeof err->text + 2];
        va_list ap;

        (void) snprintf(old, sizeof old, ": %s", err->text);
        va_start(ap, fmt);
        format(err->text, sizeof err->text, old, fmt, ap);
        va_end(ap);
        return -(int) err->code;
}

int error_at(Error *err, const char *path, unsigned long line, unsigned long column)
{
        size_t len = strnlen(path, sizeof err->path);
        bool cut = len == sizeof err->path;

        if (cut)
                len--;
        memmove(err->path, path, len);
        err->path[len] = '\0';
        if (cut)
                drop_half_character(err->path);
        err->line = line;
        err->column = column;
        return -(int) err->code;
}

int error_hint(Error *err, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        format(err->hint, sizeof err->hint, "", fmt, ap);
        va_end(ap);
        return -(int) err->code;
}
