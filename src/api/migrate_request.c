#include "api/migrate_request.h"

#include <string.h>

#include "util/clock.h"
#include "util/utf8.h"

#define MAX_TEXT 1024
#define MAX_TIMEOUT_MS (7LL * 24 * 3600 * 1000)

static int read_text(void *to, const json_t *value, const char *key, Error *err)
{
        if (!json_is_string(value) || !json_string_length(value) ||
            json_string_length(value) > MAX_TEXT)
                return error_set(err, ERROR_BAD_REQUEST,
                                 "member \"%s\" is not a string of 1 to %d bytes", key, MAX_TEXT);
        *(const char **) to = json_string_value(value);
        return 0;
}

static int read_bool(void *to, const json_t *value, const char *key, Error *err)
{
        if (!json_is_boolean(value))
                return error_set(err, ERROR_BAD_REQUEST, "member \"%s\" is neither true nor false",
                                 key);
        *(bool *) to = json_is_true(value);
        return 0;
}

static int read_milliseconds(void *to, const json_t *value, const char *key, Error *err)
{
        json_int_t ms = json_integer_value(value);

        if (!json_is_integer(value) || ms < 1 || ms > MAX_TIMEOUT_MS)
                return error_set(err, ERROR_BAD_REQUEST,
                                 "member \"%s\" is not a number of milliseconds from 1 to %lld",
                                 key, MAX_TIMEOUT_MS);
        *(uint64_t *) to = (uint64_t) ms * USEC_PER_MSEC;
        return 0;
}

static const struct {
        const char *key;
        size_t offset;
        int (*read)(void *to, const json_t *value, const char *key, Error *err);
} members[] = {
        { "database", offsetof(MigrateRequest, database), read_text },
        { "target", offsetof(MigrateRequest, target), read_text },
        { "reason", offsetof(MigrateRequest, reason), read_text },
        { "dry_run", offsetof(MigrateRequest, dry_run), read_bool },
        { "timeout_ms", offsetof(MigrateRequest, timeout), read_milliseconds },
};
#define N_MEMBERS (sizeof members / sizeof members[0])

static int read_member(MigrateRequest *to, const char *key, const json_t *value, Error *err)
{
        char shown[64];

        for (size_t i = 0; i < N_MEMBERS; i++) {
                if (strcmp(key, members[i].key))
                        continue;
                if (json_is_null(value)) /* as if not given */
                        return 0;
                return members[i].read((char *) to + members[i].offset, value, key, err);
        }
        utf8_sanitize(shown, sizeof shown, key);
        error_set_to(err, ERROR_BAD_REQUEST, "unknown member \"%s\"", shown);
        return error_hint(err, "known here: database, target, reason, dry_run, timeout_ms");
}

int migrate_request_parse(MigrateRequest *ret, const json_t *body, Error *err)
{
        MigrateRequest parsed = { 0 };

        /* The iterator wants a pointer that is not const, and changes nothing. */
        for (void *i = body ? json_object_iter((json_t *) (uintptr_t) body) : NULL; i;
             i = json_object_iter_next((json_t *) (uintptr_t) body, i)) {
                int r = read_member(&parsed, json_object_iter_key(i), json_object_iter_value(i),
                                    err);

                if (r < 0)
                        return r;
        }
        *ret = parsed;
        return 0;
}

int request_json_parse(json_t **ret, const char *bytes, size_t size, Error *err)
{
        json_error_t fault;
        json_t *document = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &fault);
        char text[JSON_ERROR_TEXT_LENGTH];

        if (!document) {
                utf8_sanitize(text, sizeof text, fault.text);
                return error_set(err, ERROR_BAD_REQUEST,
                                 "the body is not valid JSON (line %d, column %d): %s", fault.line,
                                 fault.column, text);
        }
        if (!json_is_object(document)) {
                json_decref(document);
                return error_set(err, ERROR_BAD_REQUEST, "the body is not a JSON object");
        }
        *ret = document;
        return 0;
}
