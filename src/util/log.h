#pragma once
/* Structured logging: a constant message plus typed fields. The message is the event's name and never
 * carries data, so events can be counted and found; what varies is in the fields.
 * To the journal natively when stderr is the journal's ($JOURNAL_STREAM); else one line on stderr:
 * short on a terminal or file, JSON with LOG_FORMAT_JSON (containers). */
#include <inttypes.h>
#include <stddef.h>
#include <syslog.h>

#include "util/error.h"

typedef struct LogField {
        const char *
                key; /* upper case, a literal: DATABASE, RUN, MIGRATION, SQLSTATE, ERROR, DETAIL, ... */
        enum { LOG_STRING, LOG_NUMBER } type;
        union {
                const char *string; /* NULL or "": the field is left out */
                int64_t number;
        };
} LogField;

#define LOG_S(k, v) ((LogField){ .key = (k), .type = LOG_STRING, .string = (v) })
#define LOG_N(k, v) ((LogField){ .key = (k), .type = LOG_NUMBER, .number = (int64_t) (v) })
#define LOG_ERR_FIELDS(e)                                                                     \
        LOG_S("ERROR", error_info((e)->code)->name), LOG_S("DETAIL", (e)->text),              \
                LOG_S("FILE", (e)->path), LOG_N("LINE", (e)->line), LOG_S("HINT", (e)->hint), \
                LOG_S("SQLSTATE", (e)->sqlstate)

#define log_error(msg, ...) log_at(LOG_ERR, msg, __VA_ARGS__)
#define log_warning(msg, ...) log_at(LOG_WARNING, msg, __VA_ARGS__)
#define log_info(msg, ...) log_at(LOG_INFO, msg, __VA_ARGS__)
#define log_debug(msg, ...) log_at(LOG_DEBUG, msg, __VA_ARGS__)
#define log_at(level, msg, ...)                                   \
        log_fields((level), __FILE__, __LINE__, __func__, "" msg, \
                   (const LogField[]){ __VA_ARGS__ },             \
                   sizeof((const LogField[]){ __VA_ARGS__ }) / sizeof(LogField))

typedef enum LogFormat { LOG_FORMAT_AUTO, LOG_FORMAT_TEXT, LOG_FORMAT_JSON } LogFormat;

void log_configure(int max_level, LogFormat format); /* default LOG_INFO, AUTO */
void log_fields(int level, const char *file, int line, const char *func, const char *msg,
                const LogField *fields, size_t n);
