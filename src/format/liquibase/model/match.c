#include "format/liquibase/model/match.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Expressions end up in a column of 255 characters. */
#define EXPRESSION_MAX 1024
/* Stand for the value of a pair of parentheses: bytes that UTF-8 has no use for. */
#define IS_TRUE '\xfe'
#define IS_FALSE '\xff'

static bool is_space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

int name_list_parse(NameList *ret, Arena *a, const char *text, Error *err)
{
        size_t n = 1, kept = 0;

        *ret = (NameList){ 0 };
        if (!text || !java_trimmed(a, text))
                return 0;
        for (const char *s = text; (s = strchr(s, ',')); s++)
                if (++n > NAME_LIST_MAX)
                        return error_set(err, ERROR_CHANGELOG,
                                         "a list has more than %d names: \"%.40s...\"",
                                         NAME_LIST_MAX, text);
        ret->names = arena_array(a, n, sizeof *ret->names);
        if (!ret->names)
                return error_oom(err, "a list of names");
        for (const char *s = text, *end; s; s = *end ? end + 1 : NULL) {
                end = strchrnul(s, ',');
                size_t len = (size_t) (end - s), i = 0;
                const char *trimmed = java_trim_part(s, &len);
                const char *copy = arena_strndup(a, trimmed, len);
                const char *name = copy ? java_lower(a, copy) : NULL;

                if (!name)
                        return error_oom(err, "a list of names");
                while (i < ret->n && strcmp(ret->names[i], name) != 0)
                        i++;
                if (i == ret->n)
                        ret->names[ret->n++] = name;
                if (*name)
                        kept = ret->n;
        }
        ret->n = kept;
        return 0;
}

static bool is_name(const NameList *names, const char *s, size_t len)
{
        for (size_t i = 0; i < names->n; i++)
                if (strlen(names->names[i]) == len && strncasecmp(names->names[i], s, len) == 0)
                        return true;
        return false;
}

/* `@ !x`, `@!x`, `@not x`: how much of it goes before x, 0: it is none of them. Such a name is no longer required, as in Liquibase. */
static size_t negated_requirement(const char *s, size_t len)
{
        size_t i = 1;

        if (len == 0 || *s != '@')
                return 0;
        while (i < len && is_space(s[i]))
                i++;
        if (i < len && s[i] == '!')
                i += 1;
        else if (len - i >= 4 && strncasecmp(s + i, "not ", 4) == 0)
                i += 4;
        else
                return 0;
        return i < len ? i : 0;
}

static bool match_leaf(const char *s, size_t len, const NameList *names)
{
        bool negated = true, required = false;
        size_t skip;

        s = java_trim_part(s, &len);
        if (len == 1 && (*s == IS_TRUE || *s == IS_FALSE))
                return *s == IS_TRUE;
        if (len > 0 && *s == '!')
                skip = 1;
        else if (len >= 4 && strncasecmp(s, "not ", 4) == 0)
                skip = 4;
        else
                skip = negated_requirement(s, len);
        if (skip == 0)
                negated = false;
        s += skip;
        len -= skip;
        s = java_trim_part(s, &len);
        if (len > 0 && *s == '@') {
                required = true;
                s++;
                len--;
                s = java_trim_part(s, &len);
        }
        if (!required && names->n == 0)
                return true;
        if (len == 1 && (*s == IS_TRUE || *s == IS_FALSE))
                return (*s == IS_TRUE) != negated;
        return is_name(names, s, len) != negated;
}

/* Where `\s+word\s+` begins in s, and how long it is; len when it does not. */
static size_t find_word(const char *s, size_t len, const char *word, size_t *ret_len)
{
        size_t n = strlen(word);

        for (size_t i = 0; i < len; i++) {
                size_t from = i, to;

                if (!is_space(s[i]))
                        continue;
                while (i < len && is_space(s[i]))
                        i++;
                to = i + n;
                if (to < len && memcmp(s + i, word, n) == 0 && is_space(s[to])) {
                        while (to < len && is_space(s[to]))
                                to++;
                        *ret_len = to - from;
                        return from;
                }
                i--;
        }
        *ret_len = 0;
        return len;
}

static bool match_and(const char *s, size_t len, const NameList *names)
{
        bool all = true;

        for (;;) {
                size_t gap, end = find_word(s, len, "and", &gap);

                all = match_leaf(s, end, names) && all;
                if (end == len)
                        return all;
                s += end + gap;
                len -= end + gap;
        }
}

/* Without parentheses. */
static bool match_or(const char *s, size_t len, const NameList *names)
{
        bool any = false;

        s = java_trim_part(s, &len);
        for (;;) {
                size_t gap, end = find_word(s, len, "or", &gap), part = end;
                const char *p = java_trim_part(s, &part);

                any = match_and(p, part, names) || any;
                if (end == len)
                        return any;
                s += end + gap;
                len -= end + gap;
        }
}

/* Each pair of parentheses gives way to its value, the innermost ones first. -1: they do not match, or nothing is within. */
static int match_part(char *s, size_t len, const NameList *names)
{
        size_t open[EXPRESSION_MAX], depth = 0;

        for (size_t i = 0; i < len; i++) {
                if (s[i] == '(')
                        open[depth++] = i;
                if (s[i] != ')' || depth == 0)
                        continue;
                size_t from = open[--depth];

                if (i == from + 1)
                        return -1;
                char value = match_or(s + from + 1, i - from - 1, names) ? IS_TRUE : IS_FALSE;
                memset(s + from, ' ', i - from + 1);
                s[from + 1] = value;
        }
        return depth > 0 ? -1 : match_or(s, len, names);
}

int match_expression(const char *expression, const NameList *names, Error *err)
{
        char buf[EXPRESSION_MAX];
        size_t len = expression ? strlen(expression) : 0;
        bool any = false;

        expression = len > 0 ? java_trim_part(expression, &len) : "";
        if (len == 0)
                return 1;
        if (len >= sizeof buf)
                return error_set(err, ERROR_CHANGELOG,
                                 "expression is longer than %d bytes: \"%.40s...\"", EXPRESSION_MAX,
                                 expression);
        for (size_t i = 0; i < len; i++) {
                char c = expression[i];

                if (c == IS_TRUE || c == IS_FALSE)
                        return error_set(err, ERROR_CHANGELOG, "expression is not UTF-8");
                buf[i] = c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
        }
        for (size_t from = 0; from <= len;) {
                const char *comma = memchr(buf + from, ',', len - from);
                size_t end = comma ? (size_t) (comma - buf) : len;
                int r = match_part(buf + from, end - from, names);

                if (r < 0) {
                        (void) error_set(err, ERROR_CHANGELOG, "cannot parse expression \"%s\"",
                                         expression);
                        return error_hint(err, "parentheses do not match; Liquibase cuts "
                                               "expressions at every comma, also within "
                                               "parentheses: write \"or\" there");
                }
                any = any || r > 0;
                from = end + 1;
        }
        return any;
}

int match_labels(const char *filter, const char *labels, Arena *a, Error *err)
{
        NameList names;
        int r = name_list_parse(&names, a, labels, err);

        if (r < 0)
                return r;
        return names.n == 0 ? 1 : match_expression(filter, &names, err);
}

static bool is_word(const char *s, size_t len, const char *word)
{
        return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

bool match_dbms(const char *list)
{
        bool none = false, excluded = false, named = false, positive = false;
        size_t len = list ? strlen(list) : 0;

        list = len > 0 ? java_trim_part(list, &len) : "";
        if (len == 0)
                return true;
        for (const char *s = list, *end; s; s = end < list + len ? end + 1 : NULL) {
                const char *comma = memchr(s, ',', (size_t) (list + len - s));

                end = comma ? comma : list + len;
                size_t n = (size_t) (end - s);
                const char *name = java_trim_part(s, &n);

                if (is_word(name, n, "all"))
                        return true;
                none = none || is_word(name, n, "none");
                excluded = excluded || is_word(name, n, "!postgresql");
                named = named || is_word(name, n, "postgresql");
                positive = positive || n == 0 || *name != '!';
        }
        return !none && !excluded && (named || !positive);
}

/* Those of Liquibase itself and of its extensions. */
static const char *const known_dbms[] = {
        "all",         "asany",   "bigquery",   "cassandra",  "cockroachdb",  "databricks",
        "db2",         "db2z",    "derby",      "dynamodb",   "edb",          "firebird",
        "h2",          "hana",    "hsqldb",     "impala",     "informix",     "ingres",
        "maxdb",       "mariadb", "mongodb",    "mock",       "mssql",        "mysql",
        "neo4j",       "none",    "oracle",     "percona",    "postgresql",   "redshift",
        "snowflake",   "spanner", "sqlite",     "sybase",     "teradata",     "tibero",
        "unsupported", "vertica", "yugabytedb", "clickhouse", "cloudspanner", "hive",
};

const char *match_unknown_dbms(const char *list, char *buf, size_t size)
{
        for (const char *s = list ? list : "", *end; *s; s = *end ? end + 1 : end) {
                end = strchrnul(s, ',');
                size_t n = (size_t) (end - s), i = 0;
                const char *name = java_trim_part(s, &n);

                if (n > 0 && *name == '!')
                        name++, n--;
                while (i < sizeof known_dbms / sizeof *known_dbms &&
                       !is_word(name, n, known_dbms[i]))
                        i++;
                if (n == 0 || i < sizeof known_dbms / sizeof *known_dbms)
                        continue;
                (void) snprintf(buf, size, "%.*s", (int) (n < size ? n : size - 1), name);
                return buf;
        }
        return "";
}
