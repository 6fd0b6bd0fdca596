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

/* `end` 0: what began at `start` does not end. */
static void token_closed(SqlToken *ret, SqlTokenType type, SqlTokenType unterminated, size_t start,
                         size_t end, size_t size)
{
        *ret = (SqlToken){
                .start = start,
                .end = end ? end : size,
                .type = end ? type : unterminated,
        };
}

static void token_string(const char *text, size_t size, size_t start, size_t quote, SqlToken *ret)
{
        size_t end = quote_end(text, size, quote + 1, '\'');

        token_closed(ret, SQL_STRING, SQL_UNTERMINATED_STRING, start, end, size);
}

static void token_name(const char *text, size_t size, size_t start, size_t quote, SqlToken *ret)
{
        size_t end = quote_end(text, size, quote + 1, '"');

        token_closed(ret, SQL_NAME, SQL_UNTERMINATED_NAME, start, end, size);
}

/* A word of one letter may be the prefix of a literal. True: it was, and *ret is the literal. */
static bool token_prefixed(const char *text, size_t size, size_t start, SqlToken *ret)
{
        size_t mark = start + 1;

        switch (text[start] | 0x20) {
        case 'e':
                if (!char_is(text, size, mark, '\''))
                        return false;
                token_closed(ret, SQL_STRING, SQL_UNTERMINATED_STRING, start,
                             escape_string_end(text, size, mark + 1), size);
                return true;
        case 'b':
        case 'x':
        case 'n':
                if (!char_is(text, size, mark, '\''))
                        return false;
                token_string(text, size, start, mark, ret);
                return true;
        case 'u':
                if (!char_is(text, size, mark++, '&'))
                        return false;
                if (char_is(text, size, mark, '\''))
                        token_string(text, size, start, mark, ret);
                else if (char_is(text, size, mark, '"'))
                        token_name(text, size, start, mark, ret);
                else
                        return false;
                return true;
        default:
                return false;
        }
}

static void token_word(const char *text, size_t size, size_t start, SqlToken *ret)
{
        size_t end = start + 1;
        CharClass c;

        while (end < size &&
               ((c = class_at(text, end)) == CHAR_WORD || c == CHAR_DIGIT || c == CHAR_DOLLAR))
                end++;
        if (end > start + 1 || !token_prefixed(text, size, start, ret))
                *ret = (SqlToken){ .start = start, .end = end, .type = SQL_WORD };
}

/* $1, $$...$$, $tag$...$tag$, or a lone $. */
static void token_dollar(const char *text, size_t size, size_t start, SqlToken *ret)
{
        size_t end = start + 1;
        const char *p;

        if (end < size && class_at(text, end) == CHAR_DIGIT) {
                while (end < size && class_at(text, end) == CHAR_DIGIT)
                        end++;
                *ret = (SqlToken){ .start = start, .end = end, .type = SQL_OTHER };
                return;
        }
        while (end < size &&
               (class_at(text, end) == CHAR_WORD || class_at(text, end) == CHAR_DIGIT))
                end++;
        if (!char_is(text, size, end, '$')) {
                *ret = (SqlToken){ .start = start, .end = start + 1, .type = SQL_OTHER };
                return;
        }
        end++;
        p = memmem(text + end, size - end, text + start, end - start);
        token_closed(ret, SQL_STRING, SQL_UNTERMINATED_DOLLAR, start,
                     p ? (size_t) (p - text) + (end - start) : 0, size);
}

static void token_number(const char *text, size_t size, size_t start, SqlToken *ret)
{
        size_t end = start + 1;

        while (end < size && (class_at(text, end) == CHAR_DIGIT || text[end] == '.'))
                end++;
        *ret = (SqlToken){ .start = start, .end = end, .type = SQL_OTHER };
}

static bool comment_begins(const char *text, size_t size, size_t at)
{
        return at + 1 < size && ((text[at] == '-' && text[at + 1] == '-') ||
                                 (text[at] == '/' && text[at + 1] == '*'));
}

/* Moves *at past blanks and comments. False: a comment does not end, and *ret is that. */
static bool skip_comments(const char *text, size_t size, size_t *at, SqlToken *ret)
{
        for (;;) {
                size_t end;

                *at = sql_skip_blanks(text, size, *at);
                if (!comment_begins(text, size, *at))
                        return true;
                end = text[*at] == '-' ? line_end(text, size, *at)
                                       : comment_end(text, size, *at + 2);
                if (end == 0) {
                        token_closed(ret, SQL_UNTERMINATED_COMMENT, SQL_UNTERMINATED_COMMENT, *at,
                                     0, size);
                        return false;
                }
                *at = end;
        }
}

void sql_token_next(const char *text, size_t size, size_t at, SqlToken *ret)
{
        static const SqlTokenType single[] = {
                [CHAR_BLANK] = SQL_OTHER,         [CHAR_OTHER] = SQL_OTHER,
                [CHAR_DASH] = SQL_OTHER,          [CHAR_SLASH] = SQL_OTHER,
                [CHAR_OPEN] = SQL_OPEN,           [CHAR_CLOSE] = SQL_CLOSE,
                [CHAR_SEMICOLON] = SQL_SEMICOLON, [CHAR_BACKSLASH] = SQL_BACKSLASH,
        };
        CharClass c;

        if (!skip_comments(text, size, &at, ret))
                return;
        if (at == size) {
                *ret = (SqlToken){ .start = size, .end = size, .type = SQL_END };
                return;
        }
        c = class_at(text, at);
        switch (c) {
        case CHAR_WORD:
                token_word(text, size, at, ret);
                break;
        case CHAR_QUOTE:
                token_string(text, size, at, at, ret);
                break;
        case CHAR_DOUBLE_QUOTE:
                token_name(text, size, at, at, ret);
                break;
        case CHAR_DOLLAR:
                token_dollar(text, size, at, ret);
                break;
        case CHAR_DIGIT:
                token_number(text, size, at, ret);
                break;
        default:
                *ret = (SqlToken){ .start = at, .end = at + 1, .type = single[c] };
                break;
        }
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
