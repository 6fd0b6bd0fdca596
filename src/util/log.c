#include "util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <jansson.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "util/clock.h"
#include "util/utf8.h"

#define MAX_FIELDS 24
#define FIXED_FIELDS 5
#define FIELD_SIZE 1100 /* an Error's text and its key */

static int log_max_level = LOG_INFO;
static LogFormat log_format = LOG_FORMAT_AUTO;

void log_configure(int max_level, LogFormat format)
{
        log_max_level = max_level;
        log_format = format;
}

static bool field_is_empty(const LogField *f)
{
        return f->type == LOG_STRING ? !f->string || !f->string[0] : f->number == 0;
}

static bool to_journal(int level, const char *file, int line, const char *func, const char *msg,
                       const LogField *fields, size_t n)
{
        char text[MAX_FIELDS + FIXED_FIELDS][FIELD_SIZE];
        struct iovec iov[MAX_FIELDS + FIXED_FIELDS];
        size_t used = 0;

        (void) snprintf(text[used++], FIELD_SIZE, "MESSAGE=%s", msg);
        (void) snprintf(text[used++], FIELD_SIZE, "PRIORITY=%d", level);
        (void) snprintf(text[used++], FIELD_SIZE, "CODE_FILE=%s", file);
        (void) snprintf(text[used++], FIELD_SIZE, "CODE_LINE=%d", line);
        (void) snprintf(text[used++], FIELD_SIZE, "CODE_FUNC=%s", func);
        for (size_t i = 0; i < n && i < MAX_FIELDS; i++) {
                if (field_is_empty(&fields[i]))
                        continue;
                if (fields[i].type == LOG_NUMBER)
                        (void) snprintf(text[used++], FIELD_SIZE, "%s=%" PRId64, fields[i].key,
                                        fields[i].number);
                else
                        (void) snprintf(text[used++], FIELD_SIZE, "%s=%s", fields[i].key,
                                        fields[i].string);
        }
        for (size_t i = 0; i < used; i++)
                iov[i] = (struct iovec){ .iov_base = text[i], .iov_len = strlen(text[i]) };
        return sd_journal_sendv(iov, (int) used) >= 0;
}

/* Fields carry what users and servers wrote: one line of UTF-8 comes out. */
static const char *clean(const char *s, char buf[FIELD_SIZE])
{
        utf8_sanitize(buf, FIELD_SIZE, s);
        for (char *c = buf; *c; c++)
                if ((unsigned char) *c < ' ')
                        *c = ' ';
        return buf;
}

static void to_json(int level, const char *msg, const LogField *fields, size_t n)
{
        char when[CLOCK_TEXT_MAX], buf[FIELD_SIZE];
        json_t *line = json_pack("{s:s,s:i,s:s}", "time", clock_format(clock_wall(), when),
                                 "priority", level, "message", msg);

        for (size_t i = 0; line && i < n; i++)
                if (!field_is_empty(&fields[i]))
                        (void) json_object_set_new(
                                line, fields[i].key,
                                fields[i].type == LOG_NUMBER
                                        ? json_integer(fields[i].number)
                                        : json_string(clean(fields[i].string, buf)));
        (void) json_dumpf(line, stderr, JSON_COMPACT);
        fputc('\n', stderr);
        json_decref(line);
}

/* In quotes where it would otherwise be torn or taken for another field. */
static void put_value(const char *value)
{
        if (!strpbrk(value, " \"=")) {
                fputs(value, stderr);
                return;
        }
        fputc('"', stderr);
        for (const char *c = value; *c; c++) {
                if (*c == '"' || *c == '\\')
                        fputc('\\', stderr);
                fputc(*c, stderr);
        }
        fputc('"', stderr);
}

static void to_line(int level, const char *msg, const LogField *fields, size_t n)
{
        static const char *const names[] = { "emerg", "alert",  "crit", "error",
                                             "warn",  "notice", "info", "debug" };

        char buf[FIELD_SIZE];

        fprintf(stderr, "%s: %s", names[level & 7], msg);
        for (size_t i = 0; i < n; i++) {
                if (field_is_empty(&fields[i]))
                        continue;
                fprintf(stderr, " %s=", fields[i].key);
                if (fields[i].type == LOG_NUMBER)
                        fprintf(stderr, "%" PRId64, fields[i].number);
                else
                        put_value(clean(fields[i].string, buf));
        }
        fputc('\n', stderr);
}

void log_fields(int level, const char *file, int line, const char *func, const char *msg,
                const LogField *fields, size_t n)
{
        if (level > log_max_level)
                return;
        if (log_format == LOG_FORMAT_AUTO && getenv("JOURNAL_STREAM") &&
            to_journal(level, file, line, func, msg, fields, n))
                return;
        if (log_format == LOG_FORMAT_JSON)
                to_json(level, msg, fields, n);
        else
                to_line(level, msg, fields, n);
}
