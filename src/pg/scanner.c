#include "pg/scanner.h"

#include <assert.h>
#include <string.h>

#include "pg/sql_token.h"

/* A statement while its end is looked for. */
typedef struct Search {
        const char *text;
        size_t size;
        SqlTokens tokens;     /* outside parentheses */
        SqlToken previous;    /* likewise */
        size_t end;           /* of the last token anywhere */
        unsigned long parens; /* how deep */
        size_t parens_at;     /* where the outermost one that is open stands */
        bool routine; /* CREATE [OR REPLACE] FUNCTION|PROCEDURE: may have a body between BEGIN ATOMIC and END */
        unsigned long body; /* how deep in BEGIN and CASE */
        size_t body_at;
} Search;

#define TOKEN_IS(text, t, keyword) sql_token_is((text), (t), (keyword), sizeof(keyword) - 1)

static unsigned long count_lines(const char *text, size_t from, size_t to)
{
        unsigned long n = 0;
        const char *p = text + from;

        while (from < to && (p = memchr(p, '\n', (size_t) (text + to - p))) != NULL) {
                n++;
                if (++p == text + to)
                        break;
        }
        return n;
}

static size_t bom_length(const char *text, size_t size)
{
        return size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

void scanner_position(const char *text, size_t size, size_t at, unsigned long *line,
                      unsigned long *column)
{
        size_t from = 0;
        unsigned long n = 1;

        if (at > size)
                at = size;
        *line = 1 + count_lines(text, 0, at);
        for (from = at; from > 0 && text[from - 1] != '\n';)
                from--;
        if (from == 0)
                from = bom_length(text, size);
        for (; from < at; from++)
                n += ((unsigned char) text[from] & 0xc0) != 0x80;
        *column = n;
}

void scanner_init(Scanner *s, const char *text, size_t size, const char *path)
{
        *s = (Scanner){
                .text = text ? text : "",
                .size = size,
                .at = bom_length(text, size),
                .line = 1,
                .path = path,
        };
}

static int error_here(const Scanner *s, size_t at, Error *err)
{
        unsigned long line, column;

        scanner_position(s->text, s->size, at, &line, &column);
        return error_at(err, s->path, line, column);
}

static int error_unterminated(const Scanner *s, const char *what, size_t at, Error *err)
{
        unsigned long line, column;

        scanner_position(s->text, s->size, at, &line, &column);
        error_set_to(err, ERROR_CHANGELOG, "%s that begins on line %lu does not end", what, line);
        return error_at(err, s->path, line, column);
}

/* The length of a meta-command's name, that is of the run of bytes fit to be shown. */
static size_t meta_length(const char *text, size_t size, size_t at)
{
        size_t n = 0;

        while (at + n < size && n < 32 && text[at + n] > ' ' && text[at + n] < 0x7f)
                n++;
        return n;
}

static bool meta_is_restrict(const char *text, size_t size, size_t at)
{
        size_t n = meta_length(text, size, at);

        return (n == 9 && memcmp(text + at, "\\restrict", n) == 0) ||
               (n == 11 && memcmp(text + at, "\\unrestrict", n) == 0);
}

static int error_meta(const Scanner *s, size_t at, Error *err)
{
        int n = (int) meta_length(s->text, s->size, at);

        if (n == 2 && s->text[at + 1] == '.') {
                error_set_to(err, ERROR_CHANGELOG, "\"\\.\" stands outside COPY data");
                (void) error_hint(
                        err, "the COPY ... FROM stdin; that it ends is missing, or its data has "
                             "another \"\\.\" line before");
        } else {
                error_set_to(err, ERROR_CHANGELOG, "psql meta-command \"%.*s\" in a migration", n,
                             s->text + at);
                (void) error_hint(
                        err,
                        "migrations are not run by psql: write it as plain SQL or take it out");
        }
        return error_here(s, at, err);
}

static int error_token(const Scanner *s, const SqlToken *t, Error *err)
{
        static const char *const what[_SQL_TOKEN_TYPE_MAX] = {
                [SQL_UNTERMINATED_STRING] = "a string in quotes",
                [SQL_UNTERMINATED_NAME] = "a name in double quotes",
                [SQL_UNTERMINATED_DOLLAR] = "a dollar-quoted string",
                [SQL_UNTERMINATED_COMMENT] = "a comment",
        };

        assert(what[t->type]);
        return error_unterminated(s, what[t->type], t->start, err);
}

/* Passes over empty statements and \restrict lines. 1: *start is where the statement begins with its comments,
 * *first is its first token. 0: there is none. */
static int find_start(const Scanner *s, size_t *start, SqlToken *first, Error *err)
{
        size_t at = s->at;

        for (;;) {
                const char *eol;
                SqlToken t;

                sql_token_next(s->text, s->size, at, &t);
                switch (t.type) {
                case SQL_END:
                        return 0;
                case SQL_SEMICOLON:
                        at = t.end;
                        break;
                case SQL_BACKSLASH:
                        if (!meta_is_restrict(s->text, s->size, t.start))
                                return error_meta(s, t.start, err);
                        eol = memchr(s->text + t.start, '\n', s->size - t.start);
                        at = eol ? (size_t) (eol - s->text) + 1 : s->size;
                        break;
                case SQL_UNTERMINATED_COMMENT:
                        return error_token(s, &t, err);
                default:
                        *start = sql_skip_blanks(s->text, s->size, at);
                        *first = t;
                        return 1;
                }
        }
}

static void remember(Search *f, const SqlToken *t)
{
        SqlTokens *all = &f->tokens;

        if (all->n < SQL_TOKENS_MAX)
                all->token[all->n] = *t;
        all->last = *t;
        all->n++;
}

static void open_paren(Search *f, const SqlToken *t)
{
        if (f->parens++ > 0)
                return;
        f->parens_at = t->start;
        remember(f, &(SqlToken){ .start = t->start, .end = t->end, .type = SQL_GROUP });
}

static void close_paren(Search *f, const SqlToken *t)
{
        SqlTokens *all = &f->tokens;

        if (f->parens == 0) {
                remember(f, t);
                return;
        }
        if (--f->parens > 0)
                return;
        all->last.end = t->end;
        if (all->n <= SQL_TOKENS_MAX)
                all->token[all->n - 1].end = t->end;
}

static bool is_routine(const char *text, const SqlTokens *all)
{
        const SqlToken *t = all->token;

        if (!TOKEN_IS(text, &t[0], "CREATE"))
                return false;
        if (all->n == 4 && (!TOKEN_IS(text, &t[1], "OR") || !TOKEN_IS(text, &t[2], "REPLACE")))
                return false;
        return TOKEN_IS(text, &all->last, "FUNCTION") || TOKEN_IS(text, &all->last, "PROCEDURE");
}

/* Like psql, but where psql takes every word "begin", "case" or "end" for the keyword, columns and labels
 * that are called so (t.end, AS end) are left alone, and only BEGIN ATOMIC opens a body. */
static void track_body(Search *f, const SqlToken *t)
{
        const SqlToken *p = &f->previous;

        if (f->body == 0) {
                if (TOKEN_IS(f->text, t, "ATOMIC") && TOKEN_IS(f->text, p, "BEGIN")) {
                        f->body = 1;
                        f->body_at = p->start;
                }
                return;
        }
        if ((p->type == SQL_OTHER && f->text[p->start] == '.') || TOKEN_IS(f->text, p, "AS"))
                return;
        if (TOKEN_IS(f->text, t, "CASE"))
                f->body++;
        else if (TOKEN_IS(f->text, t, "END"))
                f->body--;
        else if (TOKEN_IS(f->text, t, "BEGIN") &&
                 (p->type == SQL_SEMICOLON || TOKEN_IS(f->text, p, "ATOMIC")))
                f->body++;
}

static void note_token(Search *f, const SqlToken *t)
{
        if (f->parens > 0)
                return;
        remember(f, t);
        if (f->tokens.n == 2 || f->tokens.n == 4)
                f->routine = f->routine || is_routine(f->text, &f->tokens);
        if (f->routine && t->type == SQL_WORD)
                track_body(f, t);
}

static int end_of_text(const Scanner *s, const Search *f, size_t *ret_end, Error *err)
{
        if (f->parens > 0)
                return error_unterminated(s, "a statement in which a parenthesis", f->parens_at,
                                          err);
        if (f->body > 0)
                return error_unterminated(s, "a function body", f->body_at, err);
        *ret_end = f->end;
        return 1;
}

/* Walks from its first token to the ';' that ends it, or to the end of the text. */
static int find_end(const Scanner *s, Search *f, SqlToken t, size_t *ret_end, Error *err)
{
        for (;;) {
                switch (t.type) {
                case SQL_END:
                        return end_of_text(s, f, ret_end, err);
                case SQL_SEMICOLON:
                        if (f->parens == 0 && f->body == 0) {
                                *ret_end = t.end;
                                return 1;
                        }
                        break;
                case SQL_OPEN:
                        open_paren(f, &t);
                        break;
                case SQL_CLOSE:
                        close_paren(f, &t);
                        break;
                case SQL_BACKSLASH:
                        return error_meta(s, t.start, err);
                case SQL_UNTERMINATED_STRING:
                case SQL_UNTERMINATED_NAME:
                case SQL_UNTERMINATED_DOLLAR:
                case SQL_UNTERMINATED_COMMENT:
                        return error_token(s, &t, err);
                default:
                        note_token(f, &t);
                        break;
                }
                f->end = t.end;
                if (f->parens == 0)
                        f->previous = t;
                sql_token_next(f->text, f->size, t.end, &t);
        }
}

/* The length of a "\." line with its line break, 0 if this line is another. */
static size_t copy_end_length(const char *text, size_t size, size_t at)
{
        size_t n = 2;

        if (size - at < 2 || text[at] != '\\' || text[at + 1] != '.')
                return 0;
        if (at + n < size && text[at + n] == '\r')
                n++;
        if (at + n == size)
                return n;
        return text[at + n] == '\n' ? n + 1 : 0;
}

/* COPY data: from the line after the statement to a "\." line or the end of the text. psql would take what
 * stands after the ';' for a statement to run after the data; nobody means that, so it is refused. */
static int find_payload(const Scanner *s, Statement *ret, Error *err)
{
        const char *text = s->text;
        size_t at = ret->end;

        while (at < s->size && text[at] != '\n' && strchr(" \t\r\f\v", text[at]))
                at++;
        if (s->size - at >= 2 && memcmp(text + at, "--", 2) == 0)
                while (at < s->size && text[at] != '\n')
                        at++;
        if (at < s->size && text[at] != '\n') {
                error_set_to(err, ERROR_CHANGELOG,
                             "text after COPY ... FROM stdin; on the same line");
                (void) error_hint(err,
                                  "the data begins on the next line; put other statements after "
                                  "the \"\\.\" line that ends it");
                return error_here(s, at, err);
        }
        if (at < s->size)
                at++;
        ret->payload_start = at;
        while (at < s->size) {
                size_t n = copy_end_length(text, s->size, at);
                const char *eol;

                if (n > 0) {
                        ret->payload_end = at;
                        ret->next = at + n;
                        return 1;
                }
                eol = memchr(text + at, '\n', s->size - at);
                at = eol ? (size_t) (eol - text) + 1 : s->size;
        }
        ret->payload_end = ret->next = s->size;
        return 1;
}

static int find_statement(const Scanner *s, Statement *ret, Error *err)
{
        Search f = { .text = s->text, .size = s->size, .tokens.text = s->text };
        SqlToken first;
        int r;

        r = find_start(s, &ret->start, &first, err);
        if (r <= 0)
                return r;
        r = find_end(s, &f, first, &ret->end, err);
        if (r < 0)
                return r;
        ret->first = first.start;
        ret->line = s->line + count_lines(s->text, s->at, first.start);
        ret->next = ret->payload_start = ret->payload_end = ret->end;
        statement_classify(ret, &f.tokens);
        return ret->kind == STATEMENT_COPY_IN ? find_payload(s, ret, err) : 1;
}

int scanner_next(Scanner *s, Statement *ret, Error *err)
{
        Statement found = { 0 };
        int r = find_statement(s, &found, err);
        /* With an error, what would have been the statement may reach to the end of the text. */
        size_t next = r > 0 ? found.next : s->size;
        const char *nul = next > s->at ? memchr(s->text + s->at, '\0', next - s->at) : NULL;

        if (nul) {
                error_set_to(err, ERROR_CHANGELOG, "a NUL byte in a migration");
                (void) error_hint(
                        err,
                        "PostgreSQL's text cannot hold it; is the file UTF-16? Save it as UTF-8");
                return error_here(s, (size_t) (nul - s->text), err);
        }
        if (r < 0)
                return r;
        s->line += count_lines(s->text, s->at, next);
        s->at = next;
        if (r > 0)
                *ret = found;
        return r;
}
