#include "pg/sql_token.h"

#include <string.h>

typedef enum CharClass {
        CHAR_OTHER,
        CHAR_BLANK,
        CHAR_WORD,
        CHAR_DIGIT,
        CHAR_DOLLAR,
        CHAR_QUOTE,
        CHAR_DOUBLE_QUOTE,
        CHAR_DASH,
        CHAR_SLASH,
        CHAR_OPEN,
        CHAR_CLOSE,
        CHAR_SEMICOLON,
        CHAR_BACKSLASH,
} CharClass;

/* clang-format off */
static const unsigned char classes[256] = {
        [' '] = CHAR_BLANK, ['\t'] = CHAR_BLANK, ['\n'] = CHAR_BLANK, ['\r'] = CHAR_BLANK,
        ['\f'] = CHAR_BLANK, ['\v'] = CHAR_BLANK, /* \v since PostgreSQL 16 */
        ['A' ... 'Z'] = CHAR_WORD, ['a' ... 'z'] = CHAR_WORD, ['_'] = CHAR_WORD, [128 ... 255] = CHAR_WORD,
        ['0' ... '9'] = CHAR_DIGIT, ['$'] = CHAR_DOLLAR,
        ['\''] = CHAR_QUOTE, ['"'] = CHAR_DOUBLE_QUOTE, ['-'] = CHAR_DASH, ['/'] = CHAR_SLASH,
        ['('] = CHAR_OPEN, [')'] = CHAR_CLOSE, [';'] = CHAR_SEMICOLON, ['\\'] = CHAR_BACKSLASH,
};
/* clang-format on */

static inline CharClass class_at(const char *text, size_t at)
{
        return (CharClass) classes[(unsigned char) text[at]];
}

size_t sql_skip_blanks(const char *text, size_t size, size_t at)
{
        while (at < size && class_at(text, at) == CHAR_BLANK)
                at++;
        return at;
}

static inline bool char_is(const char *text, size_t size, size_t at, char c)
{
        return at < size && text[at] == c;
}

static size_t line_end(const char *text, size_t size, size_t at)
{
        while (at < size && text[at] != '\n' && text[at] != '\r')
                at++;
        return at;
}

/* The functions below take the place after the opening mark and return the one after the closing mark, or 0
 * when the text ends before. */

static size_t comment_end(const char *text, size_t size, size_t at)
{
        unsigned long depth = 1;

        for (; at + 1 < size; at++) {
                if (text[at] == '*' && text[at + 1] == '/') {
                        at++;
                        if (--depth == 0)
                                return at + 1;
                } else if (text[at] == '/' && text[at + 1] == '*') {
                        at++;
                        depth++;
                }
        }
        return 0;
}

static size_t quote_end(const char *text, size_t size, size_t at, char quote)
{
        for (;;) {
                const char *p = at < size ? memchr(text + at, quote, size - at) : NULL;

                if (!p)
                        return 0;
                at = (size_t) (p - text) + 1;
                if (!char_is(text, size, at, quote))
                        return at;
                at++;
        }
}

/* SQL's rule: literals with a line break between them are one. Returns where the next piece's content
 * begins, or 0. */
static size_t continuation(const char *text, size_t size, size_t at)
{
        bool broken = false;

        for (; at < size; at++) {
                if (text[at] == '\n' || text[at] == '\r')
                        broken = true;
                else if (text[at] == '-' && char_is(text, size, at + 1, '-'))
                        at = line_end(text, size, at) - 1;
                else if (class_at(text, at) != CHAR_BLANK)
                        return broken && text[at] == '\'' ? at + 1 : 0;
        }
        return 0;
}

static size_t escape_string_end(const char *text, size_t size, size_t at)
{
        while (at < size) {
                if (text[at] == '\\') {
                        at += 2;
                } else if (text[at] != '\'') {
                        at++;
                } else if (char_is(text, size, at + 1, '\'')) {
                        at += 2;
                } else {
                        size_t more = continuation(text, size, at + 1);

                        if (more == 0)
                                return at + 1;
                        at = more;
                }
        }
        return 0;
}

static SqlToken token_make(SqlTokenType type, size_t start, size_t end)
{
        return (SqlToken){ .start = start, .end = end, .type = type };
}

/* `end` 0: what began at `start` does not end. */
static SqlToken token_closed(SqlTokenType type, SqlTokenType unterminated, size_t start, size_t end,
                             size_t size)
{
        return end ? token_make(type, start, end) : token_make(unterminated, start, size);
}

static SqlToken token_string(const char *text, size_t size, size_t start, size_t quote)
{
        return token_closed(SQL_STRING, SQL_UNTERMINATED_STRING, start,
                            quote_end(text, size, quote + 1, '\''), size);
}

static SqlToken token_name(const char *text, size_t size, size_t start, size_t quote)
{
        return token_closed(SQL_NAME, SQL_UNTERMINATED_NAME, start,
                            quote_end(text, size, quote + 1, '"'), size);
}

/* A word, or a literal whose prefix looks like one. */
static SqlToken token_word(const char *text, size_t size, size_t start)
{
        size_t end = start + 1;
        CharClass c;

        while (end < size &&
               ((c = class_at(text, end)) == CHAR_WORD || c == CHAR_DIGIT || c == CHAR_DOLLAR))
                end++;
        if (end > start + 1 || end == size)
                return token_make(SQL_WORD, start, end);
        switch (text[start] | 0x20) {
        case 'e':
                if (text[end] == '\'')
                        return token_closed(SQL_STRING, SQL_UNTERMINATED_STRING, start,
                                            escape_string_end(text, size, end + 1), size);
                break;
        case 'b':
        case 'x':
        case 'n':
                if (text[end] == '\'')
                        return token_string(text, size, start, end);
                break;
        case 'u':
                if (text[end] == '&' && char_is(text, size, end + 1, '\''))
                        return token_string(text, size, start, end + 1);
                if (text[end] == '&' && char_is(text, size, end + 1, '"'))
                        return token_name(text, size, start, end + 1);
                break;
        default:
                break;
        }
        return token_make(SQL_WORD, start, end);
}

/* $1, $$...$$, $tag$...$tag$, or a lone $. */
static SqlToken token_dollar(const char *text, size_t size, size_t start)
{
        size_t end = start + 1;
        const char *p;

        if (end < size && class_at(text, end) == CHAR_DIGIT) {
                while (end < size && class_at(text, end) == CHAR_DIGIT)
                        end++;
                return token_make(SQL_OTHER, start, end);
        }
        while (end < size &&
               (class_at(text, end) == CHAR_WORD || class_at(text, end) == CHAR_DIGIT))
                end++;
        if (!char_is(text, size, end, '$'))
                return token_make(SQL_OTHER, start, start + 1);
        end++;
        p = memmem(text + end, size - end, text + start, end - start);
        return token_closed(SQL_STRING, SQL_UNTERMINATED_DOLLAR, start,
                            p ? (size_t) (p - text) + (end - start) : 0, size);
}

static SqlToken token_number(const char *text, size_t size, size_t start)
{
        size_t end = start + 1;

        while (end < size && (class_at(text, end) == CHAR_DIGIT || text[end] == '.'))
                end++;
        return token_make(SQL_OTHER, start, end);
}

SqlToken sql_token_next(const char *text, size_t size, size_t at)
{
        static const SqlTokenType single[] = {
                [CHAR_OPEN] = SQL_OPEN,
                [CHAR_CLOSE] = SQL_CLOSE,
                [CHAR_SEMICOLON] = SQL_SEMICOLON,
                [CHAR_BACKSLASH] = SQL_BACKSLASH,
        };

        while ((at = sql_skip_blanks(text, size, at)) < size) {
                CharClass c = class_at(text, at);
                size_t end;

                switch (c) {
                case CHAR_WORD:
                        return token_word(text, size, at);
                case CHAR_QUOTE:
                        return token_string(text, size, at, at);
                case CHAR_DOUBLE_QUOTE:
                        return token_name(text, size, at, at);
                case CHAR_DOLLAR:
                        return token_dollar(text, size, at);
                case CHAR_DIGIT:
                        return token_number(text, size, at);
                case CHAR_DASH:
                        if (!char_is(text, size, at + 1, '-'))
                                return token_make(SQL_OTHER, at, at + 1);
                        at = line_end(text, size, at);
                        break;
                case CHAR_SLASH:
                        if (!char_is(text, size, at + 1, '*'))
                                return token_make(SQL_OTHER, at, at + 1);
                        end = comment_end(text, size, at + 2);
                        if (end == 0)
                                return token_make(SQL_UNTERMINATED_COMMENT, at, size);
                        at = end;
                        break;
                case CHAR_OPEN:
                case CHAR_CLOSE:
                case CHAR_SEMICOLON:
                case CHAR_BACKSLASH:
                        return token_make(single[c], at, at + 1);
                case CHAR_BLANK:
                case CHAR_OTHER:
                default:
                        return token_make(SQL_OTHER, at, at + 1);
                }
        }
        return token_make(SQL_END, size, size);
}

bool sql_token_is(const char *text, const SqlToken *t, const char *keyword, size_t len)
{
        if (t->type != SQL_WORD || t->end - t->start != len)
                return false;
        for (size_t i = 0; i < len; i++) {
                char c = text[t->start + i];

                if ((c >= 'a' && c <= 'z' ? c - 0x20 : c) != keyword[i])
                        return false;
        }
        return true;
}
