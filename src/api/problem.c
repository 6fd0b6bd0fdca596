#include "api/problem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

unsigned problem_status(const Error *err)
{
        return (unsigned) error_info(err->code)->http_status;
}

static void type_urn(char *buf, size_t size, ErrorCode code)
{
        (void) snprintf(buf, size, "urn:pgmigrated:error:%s", error_info(code)->name);
        for (char *p = buf + strlen("urn:pgmigrated:error:"); *p; p++)
                *p = (char) tolower((unsigned char) *p);
}

/* Texts may quote a server's message or a file's name, whose bytes are anything. */
static void set_text(json_t *object, const char *key, const char *value)
{
        char clean[1024];

        if (!value || !*value)
                return;
        utf8_sanitize(clean, sizeof clean, value);
        (void) json_object_set_new(object, key, json_string(clean));
}

static void set_number(json_t *object, const char *key, unsigned long value)
{
        if (value)
                (void) json_object_set_new(object, key, json_integer((json_int_t) value));
}

json_t *problem_json(const Error *err, unsigned status, const char *run)
{
        const ErrorInfo *info = error_info(err->code);
        char urn[64];
        json_t *object = json_object();

        if (!object)
                return NULL;
        type_urn(urn, sizeof urn, err->code);
        set_text(object, "type", urn);
        set_text(object, "title", info->summary);
        set_number(object, "status", status);
        set_text(object, "detail", err->text);
        set_text(object, "sqlstate", err->sqlstate);
        set_text(object, "file", err->path);
        set_number(object, "line", err->line);
        set_number(object, "column", err->column);
        set_text(object, "hint", err->hint);
        set_text(object, "run", run);
        return object;
}
