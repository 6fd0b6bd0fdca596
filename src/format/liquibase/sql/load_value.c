#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/sql/load_data.h"

/* The value as sql_value() has it for a column with that one attribute. */
static void add_as(Text *t, const SqlContext *x, const Change *c, const char *attribute,
                   const char *value)
{
        Field field = { .name = attribute, .kind = FIELD_TEXT, .text = value };
        const Object column = { .fields = &field, .n_fields = 1 };

        (void) sql_value(t, x, c, &column);
}

static int add_default(Text *t, const SqlContext *x, const Change *c, const LoadColumn *column,
                       const char *default_attribute, const char *attribute)
{
        const char *value = sql_attribute_of(column->config, default_attribute);

        if (!value) {
                text_add(t, "NULL");
                return 1;
        }
        add_as(t, x, c, attribute, value);
        return 0;
}

static bool is_true(const char *s)
{
        static const char *const yes[] = { "true", "t", "yes", "y", "1" };
        char *end;
        long number;

        for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
                if (strcasecmp(s, yes[i]) == 0)
                        return true;
        number = strtol(s, &end, 10);
        return *s && !*end && number > 0;
}

/* ---- dates ---- */

/* "+1h" behind NOW, "-3" behind TODAY: the unit of an interval, NULL when it is nothing of the kind. */
static const char *read_offset(const char *s, bool now, size_t *digits)
{
        static const char *const units[] = { "years", "days", "hours", "minutes" };

        *digits = strspn(s + 1, "0123456789");
        if ((*s != '+' && *s != '-') || *digits == 0 || *digits > 9)
                return NULL;
        s += 1 + *digits;
        if (!now)
                return *s ? NULL : "days";
        for (size_t i = 0; *s && i < sizeof units / sizeof units[0]; i++)
                if (strncasecmp(units[i], s, strlen(s)) == 0)
                        return units[i];
        return NULL;
}

/* NOW, NOW+1h, TODAY-3. Liquibase writes its own clock's time here; the database's is left to tell it, so that the statements of a
 * changeset are the same whenever they are made. */
static int add_moment(Text *t, const LoadColumn *column, const char *s, Error *err)
{
        bool now = strncasecmp(s, "now", 3) == 0;
        const char *offset = s + (now ? 3 : 5), *unit = NULL;
        const char *type = column->type == LOAD_DATE   ? "date"
                           : column->type == LOAD_TIME ? "time(0)"
                                                       : "timestamp(3)";
        size_t digits = 0;

        if (*offset) {
                unit = read_offset(offset, now, &digits);
                if (!unit) {
                        (void) error_set(err, ERROR_CHANGELOG,
                                         "\"%.100s\" is no time: column %.100s", s, column->name);
                        return error_hint(err, "write NOW, NOW+1h, NOW-2d, TODAY or TODAY-3");
                }
                text_printf(t, "(LOCALTIMESTAMP %c interval '%.*s %s')::%s", *offset, (int) digits,
                            offset + 1, unit, type);
        } else {
                text_printf(t, "LOCALTIMESTAMP::%s", type);
        }
        return 0;
}

static int add_date(Text *t, Arena *a, const SqlContext *x, const Change *c,
                    const LoadColumn *column, const char *s, Error *err)
{
        const char *iso;

        if (strncasecmp(s, "now", 3) == 0 || strncasecmp(s, "today", 5) == 0)
                return strcasecmp(s, "now()") == 0 ? (add_as(t, x, c, "valueComputed", s), 0)
                                                   : add_moment(t, column, s, err);
        iso = java_iso_date(a, s);
        add_as(t, x, c, iso ? "valueDate" : "valueComputed", iso ? iso : s);
        return 0;
}

/* ---- large values ---- */

static int digit64(char c)
{
        static const char digits[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *p = c ? strchr(digits, c) : NULL;

        return p ? (int) (p - digits) : -1;
}

/* The bytes of base64 text into buf; -1 when it is none. */
static ssize_t decode64(char *buf, const char *s, size_t len)
{
        size_t n = 0, pad = 0;

        if (len % 4 != 0)
                return -1;
        while (pad < 2 && pad < len && s[len - 1 - pad] == '=')
                pad++;
        for (size_t i = 0; i < len; i += 4) {
                uint32_t bits = 0;
                size_t have = i + 4 == len ? 3 - pad : 3;

                for (size_t k = 0; k < 4; k++) {
                        int digit = i + k >= len - pad ? 0 : digit64(s[i + k]);

                        if (digit < 0)
                                return -1;
                        bits = bits << 6 | (uint32_t) digit;
                }
                for (size_t k = 0; k < have; k++)
                        buf[n++] = (char) (bits >> (16 - 8 * k) & 0xff);
        }
        return (ssize_t) n;
}

/* Base64 becomes a large object whatever the column is: with bytea Liquibase fails, and the server says why. What is no base64 is the
 * name of a file. */
static int add_blob(Text *t, const SqlContext *x, const Change *c, const LoadColumn *column,
                    const char *s, Error *err)
{
        size_t len = strlen(s);
        _cleanup_free_ char *bytes = malloc(len + 3);
        ssize_t n;

        if (!bytes)
                return error_oom(err, "a value");
        n = decode64(bytes, s, len);
        if (n < 0)
                return content_add_bytes(t, x, c, column->name, s, err);
        sql_bytes(t, bytes, (size_t) n, true);
        return 0;
}

static int add_clob(Text *t, Arena *a, const SqlContext *x, const Change *c,
                    const LoadColumn *column, const char *s, Error *err)
{
        int r = content_add_text(t, a, x, c, s, sql_attribute_of(column->config, "encoding"), err);

        if (r >= 0 || err->code != ERROR_CHANGELOG)
                return r;
        (void) error_prefix(err, "column %s", column->name);
        return error_hint(err,
                          "Liquibase takes values of text columns for names of files: for text "
                          "itself say <column name=\"%s\" type=\"STRING\"/>",
                          column->name);
}

static int refuse_sequence(const LoadColumn *column, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "column %s has no sequence", column->name);
        return error_hint(err, "name it in defaultValue of the column");
}

int load_value(Text *t, Arena *a, const SqlContext *x, const Change *c, const LoadColumn *column,
               const char *field, Error *err)
{
        const char *s = *field ? field : sql_attribute_of(column->config, "defaultValue");

        if (s && strcasecmp(s, "NULL") == 0) {
                text_add(t, "NULL");
                return 1;
        }
        switch (column->type) {
        case LOAD_BOOLEAN:
                if (!s)
                        return add_default(t, x, c, column, "defaultValueBoolean", "valueBoolean");
                add_as(t, x, c, "valueBoolean", is_true(s) ? "true" : "false");
                return 0;
        case LOAD_NUMERIC:
                if (!s)
                        return add_default(t, x, c, column, "defaultValueNumeric", "valueNumeric");
                add_as(t, x, c, "valueNumeric", s);
                return 0;
        case LOAD_DATE:
        case LOAD_DATETIME:
        case LOAD_TIME:
                return s ? add_date(t, a, x, c, column, s, err)
                         : add_default(t, x, c, column, "defaultValueDate", "valueDate");
        case LOAD_COMPUTED:
                if (!s)
                        return add_default(t, x, c, column, "defaultValueComputed",
                                           "valueComputed");
                add_as(t, x, c, "valueComputed", s);
                return 0;
        case LOAD_SEQUENCE:
                if (!s)
                        return refuse_sequence(column, err);
                add_as(t, x, c, "valueSequenceNext", s);
                return 0;
        case LOAD_STRING:
                sql_string(t, s ? s : "");
                return 0;
        default:
                break;
        }
        if (!s) {
                text_add(t, "NULL");
                return 1;
        }
        if (column->type == LOAD_BLOB)
                return add_blob(t, x, c, column, s, err);
        if (column->type == LOAD_CLOB)
                return add_clob(t, a, x, c, column, s, err);
        sql_string(t, s);
        return 0;
}
