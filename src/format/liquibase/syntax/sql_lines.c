#include "format/liquibase/syntax/sql_lines.h"

#include <ctype.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#define MATCH_LIMIT 1000000
#define MAX_GROUPS 3
#define ELEMENTS(table) (sizeof(table) / sizeof *(table))

/* In this order the first one that matches says what the line is. Those of property and changeset are not as Liquibase writes them
 * but say the same, without trying every way to share a line out among its parts. */
static struct Recogniser {
        const char *regex;
        SqlLine kind;
        bool inside;          /* only within a changeset */
        const char *mistaken; /* see SqlLineMatch */
        pcre2_code *code;
} recognisers[] = {
        { "\\s*--\\s*property\\s[^:]*:\\S*\\s[^:]*:.*", SQL_LINE_PROPERTY, false, NULL, NULL },
        { "\\s*?[-]+\\s*property\\s.*", SQL_LINE_PROPERTY, false,
          "--property name:NAME value:VALUE", NULL },
        { "--\\s*ignoreLines:(\\w+)", SQL_LINE_IGNORE, false, NULL, NULL },
        { "-\\s*?ignoreLines:(\\w+).*$", SQL_LINE_IGNORE, false, "--ignoreLines:start", NULL },
        { "--\\s*ignore:(\\w+)", SQL_LINE_IGNORE, false, "--ignoreLines:start", NULL },
        { "\\s*--\\s*changeset\\s(?|\\s*+(\"[^\"]+\"|[^:]++):(\"[^\"]+\"|\\S+).*|"
          "\\s*(\\s):(\"[^\"]+\"|\\S+).*)",
          SQL_LINE_CHANGESET, false, NULL, NULL },
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

/* Attributes of directives. */
static struct Attribute {
        const char *name, *value;
        bool quoted; /* quotes around it are no part of it */
        pcre2_code *code;
} attributes[] = {
        { "splitStatements", "(\\w+)", false, NULL },
        { "stripComments", "(\\w+)", false, NULL },
        { "endDelimiter", "(\\S*)", false, NULL },
        { "rollbackSplitStatements", "(\\w+)", false, NULL },
        { "rollbackEndDelimiter", "(\\S*)", false, NULL },
        { "runOnChange", "(\\w+)", false, NULL },
        { "runAlways", "(\\w+)", false, NULL },
        { "runInTransaction", "(\\w+)", false, NULL },
        { "failOnError", "(\\w+)", false, NULL },
        { "contextFilter", "(\".*?\"|\\S*)", true, NULL },
        { "context", "(\".*?\"|\\S*)", true, NULL },
        { "labels", "(\".*?\"|\\S*)", true, NULL },
        { "logicalFilePath", "(\\S*)", false, NULL },
        { "dbms", "([^,][\\w!,]+)", false, NULL },
        { "ignore", "(\\w*)", false, NULL },
        { "runWith", "([\\w${}]+)", false, NULL },
        { "runWithSpoolFile", "(.*)", false, NULL },
        { "name", "(\\s*\\S+)", false, NULL },
        { "value", "(\\s*\\S+)", false, NULL },
        { "global", "(\\S+)", false, NULL },
        { "onFail", "(\\w+)", false, NULL },
        { "onError", "(\\w+)", false, NULL },
        { "onUpdateSQL", "(\\w+)", false, NULL },
        { "onSqlOutput", "(\\w+)", false, NULL },
        { "changesetId", "(\\S+)", false, NULL },
        { "changesetAuthor", "(\\S+)", false, NULL },
        { "changesetPath", "(\\S+)", false, NULL },
        { "table", "(\\S+)", false, NULL },
        { "view", "(\\S+)", false, NULL },
        { "schema", "(\\S+)", false, NULL },
};

static pcre2_match_context *limits;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static pcre2_code *compile(const char *regex, uint32_t more)
{
        PCRE2_SIZE offset;
        int code;

        return pcre2_compile((PCRE2_SPTR) regex, PCRE2_ZERO_TERMINATED,
                             PCRE2_ANCHORED | PCRE2_CASELESS | PCRE2_DOTALL | more, &code, &offset,
                             NULL);
}

/* Once in the life of the process, and for all of it. */
static void compile_all(void)
{
        for (size_t i = 0; i < ELEMENTS(recognisers); i++)
                recognisers[i].code = compile(recognisers[i].regex, PCRE2_ENDANCHORED);
        for (size_t i = 0; i < ELEMENTS(attributes); i++)
                attributes[i].code = compile(attributes[i].value, 0);
        header.code = compile(header.regex, PCRE2_ENDANCHORED);
        limits = pcre2_match_context_create(NULL);
        (void) pcre2_set_match_limit(limits, MATCH_LIMIT);
        (void) pcre2_set_depth_limit(limits, MATCH_LIMIT);
}

/* How many groups matched, the whole being one; 0: it does not; -1: out of memory or beyond the limits. data: room, used again and again. */
static int match(const pcre2_code *code, pcre2_match_data *data, const char *line, size_t len)
{
        int n = code && data ? pcre2_match(code, (PCRE2_SPTR) line, len, 0, 0, data, limits) : -2;

        return n > 0 ? n : n == PCRE2_ERROR_NOMATCH ? 0 : -1;
}

/* What group i of the n that matched captured; NULL: nothing, or out of memory. */
static const char *group(pcre2_match_data *data, Arena *a, int i, int n, const char *line)
{
        const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);

        if (i >= n || at[2 * i] == PCRE2_UNSET)
                return NULL;
        return arena_strndup(a, line + at[2 * i], at[2 * i + 1] - at[2 * i]);
}

DEFINE_CLEANUP(pcre2_match_data *, pcre2_match_data_free)

static size_t skip_blanks(const char *line, size_t len, size_t at)
{
        while (at < len && isspace((unsigned char) line[at]))
                at++;
        return at;
}

/* Dashes or the beginning of a comment, then one of these words: most lines, those of comments too, need no expression. */
static bool may_be_directive(const char *line, size_t len)
{
        static const char *const words[] = { "changeset",     "rollback", "comment",
                                             "precondition",  "property", "ignore",
                                             "validCheckSum", "liquibase" };
        size_t at = skip_blanks(line, len, 0), start = at;

        while (at < len && (line[at] == '-' || line[at] == '/' || line[at] == '*'))
                at++;
        if (at == start)
                return false;
        at = skip_blanks(line, len, at);
        for (size_t i = 0; i < ELEMENTS(words); i++)
                if (len - at >= strlen(words[i]) &&
                    strncasecmp(line + at, words[i], strlen(words[i])) == 0)
                        return true;
        return false;
}

int sql_line_match(SqlLineMatch *ret, Arena *a, const char *line, size_t len, bool inside)
{
        _cleanup_(pcre2_match_data_freep) pcre2_match_data *data = NULL;

        *ret = (SqlLineMatch){ .kind = SQL_LINE_TEXT };
        if (!may_be_directive(line, len))
                return 0;
        (void) pthread_once(&once, compile_all);
        data = pcre2_match_data_create(MAX_GROUPS, NULL);
        for (size_t i = 0; i < ELEMENTS(recognisers); i++) {
                const struct Recogniser *r = &recognisers[i];
                bool first_only = i + 1 == ELEMENTS(recognisers);
                int matches;

                if ((r->inside && !inside) || (first_only && inside))
                        continue;
                matches = match(r->code, data, line, len);
                if (matches < 0)
                        return -1;
                if (!matches)
                        continue;
                ret->kind = r->kind;
                ret->mistaken = r->mistaken;
                ret->groups[0] = group(data, a, 1, matches, line);
                ret->groups[1] = group(data, a, 2, matches, line);
                return 0;
        }
        return 0;
}

bool sql_line_is_header(const char *line, size_t len)
{
        _cleanup_(pcre2_match_data_freep) pcre2_match_data *data =
                pcre2_match_data_create(MAX_GROUPS, NULL);

        (void) pthread_once(&once, compile_all);
        return match(header.code, data, line, len) > 0;
}

bool sql_line_ends_block(const char *line, size_t len, size_t *before)
{
        while (len > 0 && isspace((unsigned char) line[len - 1]))
                len--;
        if (len < 2 || line[len - 2] != '*' || line[len - 1] != '/')
                return false;
        *before = len - 2;
        return true;
}

static char *value_of(const struct Attribute *attribute, Arena *a, const char *value)
{
        size_t n;
        const char *s;

        if (!value)
                return NULL;
        s = java_trim(value, &n);
        if (attribute->quoted && n > 0 && *s == '"')
                s++, n--;
        if (attribute->quoted && n > 0 && s[n - 1] == '"')
                n--;
        return arena_strndup(a, s, n);
}

char *sql_line_attribute(Arena *a, const char *line, size_t len, const char *name)
{
        _cleanup_(pcre2_match_data_freep) pcre2_match_data *data = NULL;
        const struct Attribute *attribute = attributes;
        size_t name_len = strlen(name);

        (void) pthread_once(&once, compile_all);
        while (strcmp(attribute->name, name) != 0)
                attribute++;
        for (size_t at = len; at-- > 0;) {
                int n;

                if (at < name_len || line[at] != ':' ||
                    strncasecmp(line + at - name_len, name, name_len) != 0)
                        continue;
                if (!data)
                        data = pcre2_match_data_create(MAX_GROUPS, NULL);
                n = match(attribute->code, data, line + at + 1, len - at - 1);
                if (n > 0)
                        return value_of(attribute, a, group(data, a, 1, n, line + at + 1));
        }
        return NULL;
}
