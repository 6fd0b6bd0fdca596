#include "pg/session_object.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "pg/sql_token.h"

/* Goes through a statement token by token. */
typedef struct Reader {
        const char *text;
        size_t end;
        SqlToken t; /* the one that is looked at */
} Reader;

static void advance(Reader *r)
{
        sql_token_next(r->text, r->end, r->t.end, &r->t);
}

static bool is(const Reader *r, const char *keyword)
{
        return sql_token_is(r->text, &r->t, keyword, strlen(keyword));
}

/* Passes over the token if it is one of the words, which have blanks between them. */
static bool accept(Reader *r, const char *words)
{
        for (const char *w = words; *w;) {
                size_t n = strcspn(w, " ");

                if (sql_token_is(r->text, &r->t, w, n)) {
                        advance(r);
                        return true;
                }
                w += n + (w[n] == ' ');
        }
        return false;
}

static bool is_name(const Reader *r)
{
        return r->t.type == SQL_WORD || r->t.type == SQL_NAME;
}

static SessionObject bare(const Reader *r)
{
        bool quoted = r->t.type == SQL_NAME && r->text[r->t.start] == '"';

        return (SessionObject){ .start = r->t.start + quoted, .end = r->t.end - quoted };
}

/* [pg_temp.]name */
static bool accept_name(Reader *r, SessionObject *ret, bool temporary)
{
        while (is_name(r)) {
                *ret = bare(r);
                temporary = temporary || is(r, "PG_TEMP");
                advance(r);
                if (r->t.type != SQL_OTHER || r->text[r->t.start] != '.')
                        return temporary;
                advance(r);
        }
        return false;
}

static bool dropped_on_commit(Reader *r)
{
        while (r->t.type != SQL_END)
                if (accept(r, "ON") && accept(r, "COMMIT") && is(r, "DROP"))
                        return true;
                else
                        advance(r);
        return false;
}

static bool create(Reader *r, SessionObject *ret)
{
        bool temporary = false;

        while (accept(r, "OR REPLACE GLOBAL LOCAL"))
                ;
        temporary = accept(r, "TEMP TEMPORARY");
        while (accept(r, "RECURSIVE UNLOGGED"))
                ;
        advance(r); /* TABLE, VIEW, FUNCTION, ... */
        while (accept(r, "IF NOT EXISTS"))
                ;
        return accept_name(r, ret, temporary) && !dropped_on_commit(r);
}

/* SELECT ... INTO TEMP */
static bool select_into(Reader *r, SessionObject *ret)
{
        int depth = 0;

        for (; r->t.type != SQL_END; advance(r)) {
                depth += r->t.type == SQL_OPEN;
                depth -= r->t.type == SQL_CLOSE;
                if (depth != 0 || !is(r, "INTO"))
                        continue;
                advance(r);
                (void) accept(r, "GLOBAL LOCAL");
                bool temporary = accept(r, "TEMP TEMPORARY");
                (void) accept(r, "TABLE");
                return accept_name(r, ret, temporary);
        }
        return false;
}

static bool declare(Reader *r, SessionObject *ret)
{
        *ret = bare(r);
        for (; r->t.type != SQL_END && !is(r, "FOR"); advance(r))
                if (is(r, "WITH")) {
                        advance(r);
                        return is(r, "HOLD");
                }
        return false;
}

bool session_object_made(SessionObject *ret, const char *text, const Statement *st)
{
        Reader r = { .text = text, .end = st->end, .t = { .end = st->first } };

        advance(&r);
        if (accept(&r, "CREATE"))
                return create(&r, ret);
        if (accept(&r, "SELECT WITH"))
                return select_into(&r, ret);
        if (accept(&r, "DECLARE"))
                return declare(&r, ret);
        return accept(&r, "PREPARE") && !is(&r, "TRANSACTION") && accept_name(&r, ret, true);
}

static bool in_word(char c)
{
        return isalnum((unsigned char) c) || c == '_' || c == '$' || (unsigned char) c >= 0x80;
}

bool session_object_used(const SessionObject *o, const char *text, size_t from, size_t to)
{
        size_t n = o->end - o->start;

        for (size_t at = from; at + n <= to; at++)
                if (strncasecmp(text + at, text + o->start, n) == 0 &&
                    (at == from || !in_word(text[at - 1])) &&
                    (at + n == to || !in_word(text[at + n])))
                        return true;
        return false;
}
