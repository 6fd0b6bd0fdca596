#include "format/liquibase/sql/splitter.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "format/changelog.h"
#include "format/liquibase/sql/splitter_tokens.h"

#define MATCH_LIMIT 100000
#define PIECE_MAX ((size_t) 1 << 30)

/* A token that has been read; len 0: the delimiter, put together from several. */
typedef struct Token {
        uint32_t start, len;
} Token;

typedef struct Splitter {
        Arena *arena;
        const char *text;
        size_t size;
        const char *delimiter;
        pcre2_code *
                pattern; /* of a delimiter of several characters, which is a regular expression too; NULL: none */
        pcre2_match_data *match;
        pcre2_match_context *limits;
        Text both; /* two tokens that do not follow one another in the text */
        Token *tokens;
        size_t n;
        Split *pieces;
        size_t n_pieces;
} Splitter;

static void splitter_done(Splitter *s)
{
        pcre2_match_context_free(s->limits);
        pcre2_match_data_free(s->match);
        pcre2_code_free(s->pattern);
        free(s->tokens);
        text_done(&s->both);
}

static const char *token_text(const Splitter *s, const Token *t, size_t *len)
{
        *len = t->len ? t->len : strlen(s->delimiter);
        return t->len ? s->text + t->start : s->delimiter;
}

static int add_token(Splitter *s, size_t start, size_t len, Error *err)
{
        Token *room = array_room(s->tokens, s->n, sizeof *room);

        if (!room)
                return error_oom(err, "the tokens of a script");
        s->tokens = room;
        s->tokens[s->n++] = (Token){ .start = (uint32_t) start, .len = (uint32_t) len };
        return 0;
}

static int read_tokens(Splitter *s, bool strip_comments, size_t *at, Error *err)
{
        SqlTokens tokens = { .text = s->text, .size = s->size };
        SqlTokenKind kind;
        size_t start = 0;
        long len;

        while ((len = sql_tokens_next(&tokens, &kind)) > 0) {
                int r = kind == SQL_TOKEN_COMMENT && strip_comments
                                ? 0
                                : add_token(s, start, (size_t) len, err);

                if (r < 0)
                        return r;
                start = tokens.at;
        }
        if (len == 0)
                return 0;
        if (at)
                *at = start;
        return error_set(err, ERROR_CHANGELOG, "character 0x%02x cannot be part of SQL",
                         (unsigned char) s->text[start]);
}

/* Tokens that together are the delimiter become one. What has begun like it at the very end is lost, as in Liquibase. */
static void merge_delimiters(Splitter *s)
{
        size_t pending = 0, matched = 0, out = 0, len,
               want = s->delimiter ? strlen(s->delimiter) : 0;

        for (size_t i = 0; s->delimiter && i < s->n; i++) {
                const char *text = token_text(s, &s->tokens[i], &len);
                bool goes_on =
                        len <= want - matched && memcmp(s->delimiter + matched, text, len) == 0;

                if (goes_on && pending > 0 && matched + len == want) {
                        s->tokens[out++] = (Token){ .start = s->tokens[i - pending].start };
                        pending = matched = 0;
                } else if (goes_on) {
                        pending++;
                        matched += len;
                } else {
                        memmove(&s->tokens[out], &s->tokens[i - pending],
                                (pending + 1) * sizeof *s->tokens);
                        out += pending + 1;
                        pending = matched = 0;
                }
        }
        if (s->delimiter)
                s->n = out;
}

static bool equals(const char *text, size_t len, const char *word)
{
        return strlen(word) == len && strncasecmp(text, word, len) == 0;
}

static bool is_blank(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if ((unsigned char) text[i] > ' ')
                        return false;
        return true;
}

/* ---- delimiters ---- */

/* Whether the token, with the one before it, is what the expression describes. */
static int matches_pattern(Splitter *s, const char *prev, size_t prev_len, const char *text,
                           size_t len, Error *err)
{
        int r;

        if (!prev) { /* Java's text of what is not there */
                prev = "null";
                prev_len = 4;
        }
        if (prev + prev_len != text) {
                text_clear(&s->both);
                text_append(&s->both, prev, prev_len);
                text_append(&s->both, text, len);
                if (s->both.bad)
                        return error_oom(err, "a delimiter");
                prev = text_str(&s->both);
        }
        r = pcre2_match(s->pattern, (PCRE2_SPTR) prev, prev_len + len, 0, 0, s->match, s->limits);
        if (r >= 0 || r == PCRE2_ERROR_NOMATCH)
                return r >= 0;
        (void) error_set(err, ERROR_CHANGELOG, "endDelimiter \"%s\" cannot be looked for",
                         s->delimiter);
        return error_hint(err,
                          r == PCRE2_ERROR_MATCHLIMIT || r == PCRE2_ERROR_DEPTHLIMIT
                                  ? "as a regular expression it takes too many steps on this text: "
                                    "choose a simpler one"
                                  : "the text is not valid UTF-8");
}

static int is_delimiter(Splitter *s, const Token *t, const Token *before, Error *err)
{
        size_t len, prev_len = 0;
        const char *text = token_text(s, t, &len),
                   *prev = before ? token_text(s, before, &prev_len) : NULL;
        bool at_line_start = !prev || prev[prev_len - 1] == '\n';

        if (!s->delimiter)
                return equals(text, len, ";") ||
                       ((equals(text, len, "go") || equals(text, len, "/")) && at_line_start);
        if (strcmp(s->delimiter, "/") == 0 && !at_line_start)
                return false;
        if (equals(text, len, s->delimiter))
                return true;
        return s->pattern ? matches_pattern(s, prev, prev_len, text, len, err) : false;
}

static int compile(Splitter *s, Error *err)
{
        _cleanup_text_ Text pattern = TEXT_INIT(65536);
        PCRE2_SIZE offset;
        int code;

        if (!s->delimiter || java_length(s->delimiter) < 2)
                return 0;
        /* Liquibase lower-cases it, classes like \\S included. */
        text_printf(&pattern, "[ \\t\\n\\x0B\\f\\r]*%s", java_lower(s->arena, s->delimiter) ?: "");
        s->pattern = pcre2_compile((PCRE2_SPTR) text_str(&pattern), pattern.len,
                                   PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_CASELESS | PCRE2_UTF,
                                   &code, &offset, NULL);
        if (!s->pattern) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "endDelimiter \"%s\" is no regular expression", s->delimiter);
                return error_hint(err,
                                  "Liquibase takes delimiters of several characters for one: put a "
                                  "backslash before each character that means something there");
        }
        s->match = pcre2_match_data_create(1, NULL);
        s->limits = pcre2_match_context_create(NULL);
        if (!s->match || !s->limits)
                return error_oom(err, "a delimiter");
        (void) pcre2_set_match_limit(s->limits, MATCH_LIMIT);
        (void) pcre2_set_depth_limit(s->limits, MATCH_LIMIT);
        return 0;
}

/* ---- pieces ---- */

typedef struct Piece {
        Text text;
        size_t at;
} Piece;

static int emit(Splitter *s, Piece *p, Error *err)
{
        size_t len;
        const char *trimmed = java_trim(text_str(&p->text), &len);
        const char *copy;
        Split *room;

        if (p->text.bad)
                return error_oom(err, "a statement");
        if (len == 0)
                return 0;
        room = arena_room(s->arena, s->pieces, s->n_pieces, sizeof *room);
        copy = arena_strndup(s->arena, trimmed, len);
        if (!room || !copy)
                return error_oom(err, "a statement");
        s->pieces = room;
        s->pieces[s->n_pieces++] = (Split){ .sql = copy, .len = len, .at = p->at };
        text_clear(&p->text);
        return 0;
}

/* BEGIN ... END keeps a body together, unless the word after it makes it a transaction. */
static int depth_change(const Splitter *s, size_t i)
{
        static const char *const not_begin[] = { "transaction", "trans",        "tran",
                                                 "dialog",      "conversation", "distributed" };
        size_t len;
        const char *text = token_text(s, &s->tokens[i], &len);
        bool begin = equals(text, len, "begin"), end = equals(text, len, "end");

        if (!begin && !end)
                return 0;
        for (i++; i < s->n; i++) {
                text = token_text(s, &s->tokens[i], &len);
                if (!is_blank(text, len))
                        break;
        }
        for (size_t k = 0; i < s->n && k < (begin ? 6 : 3); k++)
                if (equals(text, len, not_begin[k]))
                        return 0;
        return begin ? 1 : -1;
}

static int split(Splitter *s, bool do_split, Error *err)
{
        Piece p = { .text = TEXT_INIT(PIECE_MAX) };
        bool after_delimiter = false;
        long depth = 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < s->n; i++) {
                const Token *t = &s->tokens[i];
                int change = depth_change(s, i);
                size_t len;
                const char *text = token_text(s, t, &len);

                if (change > 0 || depth > 0)
                        depth += change;
                if (depth == 0 && do_split)
                        r = is_delimiter(s, t, i ? t - 1 : NULL, err);
                if (r < 0)
                        break;
                if (r > 0) {
                        r = emit(s, &p, err);
                        text_clear(&p.text);
                        after_delimiter = true;
                        continue;
                }
                if (!is_blank(text, len) || (!after_delimiter && p.text.len > 0)) {
                        if (p.text.len == 0)
                                p.at = t->start;
                        text_append(&p.text, text, len);
                }
                after_delimiter = false;
        }
        if (r >= 0)
                r = emit(s, &p, err);
        text_done(&p.text);
        return r;
}

/* ---- carriage returns ---- */

/* They are deleted before anything else; NULL: out of memory. */
static char *without_returns(Arena *a, const char *text, size_t *size)
{
        char *copy = arena_alloc(a, *size + 1);
        size_t n = 0;

        for (size_t i = 0; copy && i < *size; i++)
                if (text[i] != '\r')
                        copy[n++] = text[i];
        *size = n;
        return copy;
}

/* Places are told in the text as it was given. */
static void restore_places(Split *pieces, size_t n, size_t *failed, const char *original,
                           size_t size)
{
        size_t at = 0, bare = 0;

        for (size_t i = 0; i <= n; i++) {
                size_t *place = i < n ? &pieces[i].at : failed;

                if (!place)
                        continue;
                while (at < size && (bare < *place || original[at] == '\r'))
                        bare += original[at++] != '\r';
                *place = at;
        }
}

int split_statements(Split **ret, size_t *n, Arena *a, const char *text, size_t size,
                     const SplitOptions *o, size_t *at, Error *err)
{
        _cleanup_(splitter_done) Splitter s = {
                .arena = a, .text = text, .size = size, .both = TEXT_INIT(PIECE_MAX)
        };
        bool returns = memchr(text, '\r', size) != NULL;
        int r;

        if (at)
                *at = 0;
        if (size > UINT32_MAX)
                return error_set(err, ERROR_TOO_LARGE,
                                 "a script of more than 4 GiB cannot be split");
        if (returns)
                s.text = without_returns(a, text, &s.size);
        if (!s.text)
                return error_oom(err, "a script");
        s.delimiter = o->delimiter && *o->delimiter ? o->delimiter : NULL;
        r = compile(&s, err);
        if (r < 0)
                return r;
        r = read_tokens(&s, o->strip_comments, at, err);
        if (r >= 0) {
                merge_delimiters(&s);
                r = split(&s, o->split, err);
        }
        if (returns)
                restore_places(s.pieces, s.n_pieces, at, text, size);
        *ret = s.pieces;
        *n = s.n_pieces;
        return r < 0 ? r : 0;
}
