#include "format/liquibase/sql/sql_lexeme.h"

#include <ctype.h>
#include <string.h>

bool sql_is_name_char(char c)
{
        return isalnum((unsigned char) c) || c == '_' || (unsigned char) c >= 0x80;
}

static size_t skip_block(const char *s, size_t len, size_t at)
{
        size_t depth = 1;

        for (at += 2; at < len && depth > 0; at++) {
                if (at + 1 >= len)
                        continue;
                if (s[at] == '/' && s[at + 1] == '*')
                        depth++;
                else if (s[at] == '*' && s[at + 1] == '/')
                        depth--;
                else
                        continue;
                at++;
        }
        return at < len ? at : len;
}

size_t sql_comment_skip(const char *s, size_t len, size_t at)
{
        const char *end;

        if (at + 1 >= len)
                return at;
        if (s[at] == '/' && s[at + 1] == '*')
                return skip_block(s, len, at);
        if (s[at] != '-' || s[at + 1] != '-')
                return at;
        end = memchr(s + at, '\n', len - at);
        return end ? (size_t) (end - s) : len;
}

static size_t skip_quotes(const char *s, size_t len, size_t at)
{
        char quote = s[at];
        bool escapes = quote == '\'' && at > 0 && (s[at - 1] == 'E' || s[at - 1] == 'e') &&
                       (at == 1 || !sql_is_name_char(s[at - 2]));

        for (at++; at < len; at++) {
                if (escapes && s[at] == '\\')
                        at++;
                else if (s[at] == quote && (at + 1 >= len || s[at + 1] != quote))
                        return at + 1;
                else if (s[at] == quote)
                        at++;
        }
        return len;
}

static size_t skip_dollars(const char *s, size_t len, size_t at)
{
        size_t tag = at + 1;
        const char *end;

        if (at > 0 && (sql_is_name_char(s[at - 1]) || s[at - 1] == '$'))
                return at;
        if (tag < len && isdigit((unsigned char) s[tag]))
                return at;
        while (tag < len && sql_is_name_char(s[tag]))
                tag++;
        if (tag >= len || s[tag] != '$')
                return at;
        tag++;
        end = memmem(s + tag, len - tag, s + at, tag - at);
        return end ? (size_t) (end - s) + (tag - at) : len;
}

size_t sql_lexeme_skip(const char *s, size_t len, size_t at)
{
        if (s[at] == '\'' || s[at] == '"')
                return skip_quotes(s, len, at);
        if (s[at] == '$')
                return skip_dollars(s, len, at);
        return sql_comment_skip(s, len, at);
}
