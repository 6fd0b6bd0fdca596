#include <string.h>
#include <strings.h>

#include "format/flyway/flyway.h"

#define MAX_LINE 4096

/* A logical line: a backslash at the end of a line joins it with the next. False at the end. */
static bool take_line(const char **at, Text *ret, unsigned long *number)
{
        text_clear(ret);
        if (!**at)
                return false;
        for (;;) {
                size_t len = strcspn(*at, "\r\n"), next = len;
                const char *s = *at;

                if (s[next] == '\r')
                        next++;
                if (s[next] == '\n')
                        next++;
                *at += next;
                (*number)++;
                while (len > 0 && strchr(" \t\f", *s))
                        s++, len--;
                while (len > 0 && strchr(" \t\f", s[len - 1]))
                        len--;
                bool more = len > 0 && s[len - 1] == '\\';
                text_append(ret, s, more ? len - 1 : len);
                if (!more || !**at)
                        return true;
        }
}

/* What ${name} stands for, where it is all of the value: a placeholder, or a variable of the environment. */
static const char *expand(const char *value, const FormatOptions *o)
{
        size_t len = strlen(value);

        if (len < 4 || strncmp(value, "${", 2) != 0 || value[len - 1] != '}')
                return value;
        for (size_t i = 0; i < o->n_placeholders; i++)
                if (strlen(o->placeholders[i].name) == len - 3 &&
                    strncasecmp(o->placeholders[i].name, value + 2, len - 3) == 0)
                        return o->placeholders[i].value;
        _cleanup_free_ char *name = strndup(value + 2, len - 3);
        return (name ? getenv(name) : NULL) ?: value;
}

static int set_bool(bool *ret, const char *key, const char *value, Error *err)
{
        if (strcasecmp(value, "true") == 0)
                *ret = true;
        else if (strcasecmp(value, "false") == 0)
                *ret = false;
        else
                return error_set(err, ERROR_CHANGELOG,
                                 "%s is \"%.100s\"; it has to be true or false", key, value);
        return 0;
}

static int set_key(FlywayConf *c, const char *key, const char *value, Error *err)
{
        bool b;
        int r;

        if (strcmp(key, "executeInTransaction") == 0) {
                r = set_bool(&b, key, value, err);
                if (r >= 0)
                        c->tx = b ? TX_ALWAYS : TX_NEVER;
                return r;
        }
        if (strcmp(key, "placeholderReplacement") == 0)
                return set_bool(&c->replace_placeholders, key, value, err);
        if (strcmp(key, "encoding") == 0) {
                if (strcasecmp(value, "UTF-8") == 0 || strcasecmp(value, "UTF8") == 0)
                        return 0;
                (void) error_set(err, ERROR_CHANGELOG,
                                 "encoding is \"%.100s\", but pgmigrated reads "
                                 "UTF-8 only",
                                 value);
                return error_hint(err,
                                  "convert the file to UTF-8; Flyway's checksum of it stays the "
                                  "same");
        }
        if (strcmp(key, "shouldExecute") == 0)
                return error_set(err, ERROR_CHANGELOG,
                                 "shouldExecute is a key of Flyway's paid editions, which "
                                 "pgmigrated does not honour");
        (void) error_set(err, ERROR_CHANGELOG, "unknown key \"%.100s\"", key);
        return error_hint(err, "keys are: executeInTransaction, placeholderReplacement, encoding");
}

static int parse_line(FlywayConf *c, const char *s, const FormatOptions *o, Error *err)
{
        _cleanup_free_ char *key = NULL;
        size_t len = strcspn(s, "=:");

        if (!s[len])
                return error_set(err, ERROR_CHANGELOG, "\"%.100s\" is not like key=value", s);
        const char *value = s + len + 1 + strspn(s + len + 1, " \t");
        while (len > 0 && strchr(" \t", s[len - 1]))
                len--;
        key = strndup(s, len);
        if (!key)
                return error_oom(err, "a script configuration");
        return set_key(c, key, expand(value, o), err);
}

int flyway_conf_parse(FlywayConf *ret, const char *text, const FormatOptions *o, const char *path,
                      Error *err)
{
        _cleanup_text_ Text line = TEXT_INIT(MAX_LINE);
        unsigned long number = 0, first = 1;

        *ret = (FlywayConf){ .tx = TX_AUTO, .replace_placeholders = true };
        if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
                text += 3;
        for (; take_line(&text, &line, &number); first = number + 1) {
                const char *s = text_str(&line);
                int r = 0;

                if (line.bad)
                        r = error_set(err, ERROR_CHANGELOG, "line is too long");
                else if (*s && *s != '#' && *s != '!')
                        r = parse_line(ret, s, o, err);
                if (r < 0)
                        return error_at(err, path, first, 0);
        }
        return 0;
}
