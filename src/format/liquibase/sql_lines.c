#include "format/liquibase/sql_lines.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_LIMIT 1000000
#define MAX_GROUPS 3

/* In this order the first one that matches says what the line is. */
static struct Recogniser {
        const char *regex;
        SqlLine kind;
        bool inside;          /* only within a changeset */
        const char *mistaken; /* see SqlLineMatch */
        pcre2_code *code;
} recognisers[] = {
        { "\\s*--\\s*property\\s+(.*:.*)\\s+(.*:.*).*", SQL_LINE_PROPERTY, false, NULL, NULL },
        { "\\s*?[-]+\\s*property\\s.*", SQL_LINE_PROPERTY, false,
          "--property name:NAME value:VALUE", NULL },
        { "--\\s*ignoreLines:(\\w+)", SQL_LINE_IGNORE, false, NULL, NULL },
        { "-\\s*?ignoreLines:(\\w+).*$", SQL_LINE_IGNORE, false, "--ignoreLines:start", NULL },
        { "--\\s*ignore:(\\w+)", SQL_LINE_IGNORE, false, "--ignoreLines:start", NULL },
        { "\\s*--\\s*changeset\\s+(\"[^\"]+\"|[^:]+):(\"[^\"]+\"|\\S+).*", SQL_LINE_CHANGESET,
          false, NULL, NULL },
        { "-\\s*changeset\\s.*", SQL_LINE_CHANGESET, false, "--changeset AUTHOR:ID", NULL },
        { "\\s*--\\s*changeset\\s*.*$", SQL_LINE_CHANGESET, false, "--changeset AUTHOR:ID", NULL },
        { "--\\s*comment:? (.*)", SQL_LINE_COMMENT, true, NULL, NULL },
        { "-\\s*comment:? (.*)", SQL_LINE_COMMENT, true, "--comment TEXT", NULL },
        { "--\\s*comments:? (.*)", SQL_LINE_COMMENT, true, "--comment TEXT", NULL },
        { "--\\s*validCheckSum:? (.*)", SQL_LINE_VALID_CHECKSUM, true, NULL, NULL },
        { "-\\s*validCheckSum(.*)$", SQL_LINE_VALID_CHECKSUM, true, "--validCheckSum SUM", NULL },
        { "\\s*--\\s*rollback (.*)", SQL_LINE_ROLLBACK, true, NULL, NULL },
        { "\\s*-\\s*rollback\\s.*", SQL_LINE_ROLLBACK, true, "--rollback SQL", NULL },
        { "\\s*/\\*\\s*liquibase\\s*rollback\\s*", SQL_LINE_ROLLBACK_BLOCK, true, NULL, NULL },
        { "\\s*--\\s*preconditions(.*)", SQL_LINE_PRECONDITIONS, true, NULL, NULL },
        { "\\s*-\\s*preconditions\\s.*", SQL_LINE_PRECONDITIONS, true,
          "--preconditions onFail:HALT", NULL },
        { "\\s*--\\s*precondition-([a-zA-Z0-9-]+) (.*)", SQL_LINE_PRECONDITION, true, NULL, NULL },
        { "\\s*-\\s*precondition(.*)", SQL_LINE_PRECONDITION, true,
          "--precondition-sql-check expectedResult:RESULT SQL", NULL },
        { "\\s*--\\s*precondition-([a-zA-Z0-9-]+)", SQL_LINE_PRECONDITION, true,
          "--precondition-sql-check expectedResult:RESULT SQL", NULL },
        /* Before the first changeset a comment is a mistake, not a text. */
        { "--\\s*comment:? (.*)", SQL_LINE_COMMENT, false, "--changeset AUTHOR:ID before --comment",
          NULL },
};

static struct Recogniser header = { "\\s*--\\s*liquibase\\s*formatted.*", SQL_LINE_TEXT, false,
                                    NULL, NULL };
static struct Recogniser block_end = { "(.*)\\s*\\*/\\s*", SQL_LINE_TEXT, false, NULL, NULL };

/* Attributes of the changeset line, the header and --property; each is found anywhere, also as the end of a longer name. */
static struct Attribute {
        const char *name, *value;
        pcre2_code *code;
} attributes[] = {
        { "splitStatements", "\\w+", NULL },
        { "stripComments", "\\w+", NULL },
        { "endDelimiter", "\\S*", NULL },
        { "rollbackSplitStatements", "\\w+", NULL },
        { "rollbackEndDelimiter", "\\S*", NULL },
        { "runOnChange", "\\w+", NULL },
        { "runAlways", "\\w+", NULL },
        { "runInTransaction", "\\w+", NULL },
        { "failOnError", "\\w+", NULL },
        { "contextFilter", "\".*?\"|\\S*", NULL },
        { "context", "\".*?\"|\\S*", NULL },
        { "labels", "\".*?\"|\\S*", NULL },
        { "logicalFilePath", "\\S*", NULL },
        { "dbms", "[^,][\\w!,]+", NULL },
        { "ignore", "\\w*", NULL },
        { "runWith", "[\\w${}]+", NULL },
        { "runWithSpoolFile", ".*", NULL },
        { "name", "\\s*\\S+", NULL },
        { "value", "\\s*\\S+", NULL },
        { "global", "\\S+", NULL },
        { "onFail", "\\w+", NULL },
        { "onError", "\\w+", NULL },
        { "onUpdateSQL", "\\w+", NULL },
        { "onSqlOutput", "\\w+", NULL },
        { "changesetId", "\\S+", NULL },
        { "changesetAuthor", "\\S+", NULL },
        { "changesetPath", "\\S+", NULL },
        { "table", "\\S+", NULL },
        { "view", "\\S+", NULL },
        { "schema", "\\S+", NULL },
};

static pcre2_match_context *limits;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static pcre2_code *compile(const char *regex)
{
        PCRE2_SIZE offset;
        int code;

        return pcre2_compile((PCRE2_SPTR) regex, PCRE2_ZERO_TERMINATED,
                             PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_CASELESS | PCRE2_DOTALL,
                             &code, &offset, NULL);
}

/* Once in the life of the process, and for all of it. */
static void compile_all(void)
{
        char regex[128];

        for (size_t i = 0; i < sizeof recognisers / sizeof *recognisers; i++)
                recognisers[i].code = compile(recognisers[i].regex);
        for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
                (void) snprintf(regex, sizeof regex, ".*%s:(%s).*", attributes[i].name,
                                attributes[i].value);
                attributes[i].code = compile(regex);
        }
        header.code = compile(header.regex);
        block_end.code = compile(block_end.regex);
        limits = pcre2_match_context_create(NULL);
        (void) pcre2_set_match_limit(limits, MATCH_LIMIT);
        (void) pcre2_set_depth_limit(limits, MATCH_LIMIT);
}

/* How many groups matched, 0: the line does not. groups may be NULL. */
static int match(const pcre2_code *code, Arena *a, const char *line, size_t len,
                 const char **groups, int max)
{
        pcre2_match_data *data = pcre2_match_data_create(MAX_GROUPS, NULL);
        int n = data ? pcre2_match(code, (PCRE2_SPTR) line, len, 0, 0, data, limits) : -1;
        PCRE2_SIZE *at = data ? pcre2_get_ovector_pointer(data) : NULL;

        for (int i = 1; i <= max && n > 0; i++) {
                groups[i - 1] = NULL;
                if (i >= n || at[2 * i] == PCRE2_UNSET)
                        continue;
                groups[i - 1] = arena_strndup(a, line + at[2 * i], at[2 * i + 1] - at[2 * i]);
                if (!groups[i - 1])
                        n = -1;
        }
        pcre2_match_data_free(data);
        return n > 0 ? n : 0;
}

/* No directive begins with anything but a dash or a comment: most lines need no expression. */
static bool may_be_directive(const char *line, size_t len)
{
        while (len > 0 && isspace((unsigned char) *line))
                line++, len--;
        return len > 0 && (*line == '-' || *line == '/');
}

int sql_line_match(SqlLineMatch *ret, Arena *a, const char *line, size_t len, bool inside)
{
        *ret = (SqlLineMatch){ .kind = SQL_LINE_TEXT };
        if (!may_be_directive(line, len))
                return 0;
        (void) pthread_once(&once, compile_all);
        for (size_t i = 0; i < sizeof recognisers / sizeof *recognisers; i++) {
                const struct Recogniser *r = &recognisers[i];
                bool first_only = i + 1 == sizeof recognisers / sizeof *recognisers;

                if ((r->inside && !inside) || (first_only && inside) || !r->code ||
                    !match(r->code, a, line, len, ret->groups, 2))
                        continue;
                ret->kind = r->kind;
                ret->mistaken = r->mistaken;
                return 0;
        }
        return 0;
}

bool sql_line_is_header(const char *line, size_t len)
{
        (void) pthread_once(&once, compile_all);
        return match(header.code, NULL, line, len, NULL, 0) > 0;
}

bool sql_line_ends_block(Arena *a, const char *line, size_t len, const char **before)
{
        (void) pthread_once(&once, compile_all);
        return match(block_end.code, a, line, len, before, 1) > 0;
}

char *sql_line_attribute(Arena *a, const char *line, size_t len, const char *name)
{
        const char *value = NULL;

        (void) pthread_once(&once, compile_all);
        for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
                if (strcmp(attributes[i].name, name) == 0 &&
                    match(attributes[i].code, a, line, len, &value, 1) > 0 && value) {
                        size_t n;
                        const char *s = java_trim(value, &n);

                        if (n > 1 && *s == '"' && s[n - 1] == '"')
                                s++, n -= 2;
                        return arena_strndup(a, s, n);
                }
        return NULL;
}
