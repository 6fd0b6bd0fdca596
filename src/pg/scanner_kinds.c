#include <assert.h>
#include <string.h>

#include "pg/scanner.h"
#include "pg/sql_token.h"

/* Patterns are matched against the beginning of a statement, outside parentheses:
 *   WORD   A|B      a keyword; either of them
 *   [ ... ]         may be left out
 *   % @ &           a name, qualified or not; @ keeps it as the object, & as the other
 *   '  @'  &'       a literal, likewise
 *   ()              a group in parentheses
 *   (X+) (X-) (X?)  one that has the option X switched on; switched off; at all
 *   * ,             that character
 *   ...             everything up to the last token, which the next item is matched against
 *   $               the statement ends here
 * The first row that fits decides. Which statements cannot run in a transaction block was tried on servers
 * 11 to 18 and compared with the callers of PreventInTransactionBlock(). */
typedef enum RowFlags {
        ROW_DDL = 1 << 0,
        ROW_CHAIN = 1 << 1,
} RowFlags;

typedef struct KindRow {
        const char *pattern;
        StatementKind kind;
        unsigned flags;
} KindRow;

/* clang-format off */
static const KindRow rows[] = {
        /* Data first: a file may have a million of these. */
        { "INSERT INTO % [AS %] [()] [OVERRIDING SYSTEM|USER VALUE] [DEFAULT] VALUES", STATEMENT_INSERT_VALUES, 0 },
        { "INSERT|UPDATE|DELETE|MERGE|SELECT|VALUES|TABLE|WITH", STATEMENT_LONG, 0 },
        { "()",                                               STATEMENT_LONG, 0 }, /* (SELECT ...) */
        { "COPY [BINARY] % [()] FROM STDIN|STDOUT",           STATEMENT_COPY_IN, 0 },
        { "COPY [BINARY] % [()] TO STDIN|STDOUT",             STATEMENT_COPY_OUT, 0 },
        { "COPY () TO STDIN|STDOUT",                          STATEMENT_COPY_OUT, 0 },
        { "COPY|DO|CALL|EXECUTE|FETCH|MOVE|ANALYZE|ANALYSE|CHECKPOINT", STATEMENT_LONG, 0 },
        { "EXPLAIN ANALYZE|ANALYSE",                          STATEMENT_LONG, 0 },
        { "EXPLAIN (ANALYZE+)",                               STATEMENT_LONG, 0 },
        { "EXPLAIN (ANALYSE+)",                               STATEMENT_LONG, 0 },
        { "REFRESH MATERIALIZED VIEW CONCURRENTLY",           STATEMENT_LONG, 0 },
        { "REFRESH",                                          STATEMENT_LONG, ROW_DDL }, /* locks readers out */

        { "BEGIN",                                            STATEMENT_TX_BEGIN, 0 },
        { "START TRANSACTION",                                STATEMENT_TX_BEGIN, 0 },
        { "COMMIT PREPARED [@']",                             STATEMENT_NONTX_FINISH_PREPARED, 0 },
        { "ROLLBACK PREPARED [@']",                           STATEMENT_NONTX_FINISH_PREPARED, 0 },
        { "COMMIT|END [WORK|TRANSACTION] AND CHAIN",          STATEMENT_TX_COMMIT, ROW_CHAIN },
        { "COMMIT|END",                                       STATEMENT_TX_COMMIT, 0 },
        { "ROLLBACK [WORK|TRANSACTION] TO",                   STATEMENT_OTHER, 0 },
        { "ROLLBACK|ABORT [WORK|TRANSACTION] AND CHAIN",      STATEMENT_TX_ROLLBACK, ROW_CHAIN },
        { "ROLLBACK|ABORT",                                   STATEMENT_TX_ROLLBACK, 0 },
        { "PREPARE TRANSACTION '",                            STATEMENT_TX_PREPARE, 0 },

        { "CREATE [UNIQUE] INDEX CONCURRENTLY ON [ONLY] &",   STATEMENT_NONTX_CREATE_INDEX, 0 },
        { "CREATE [UNIQUE] INDEX CONCURRENTLY [IF NOT EXISTS] @ [ON [ONLY] &]", STATEMENT_NONTX_CREATE_INDEX, 0 },
        { "CREATE [UNIQUE] INDEX CONCURRENTLY",               STATEMENT_NONTX_CREATE_INDEX, 0 },
        { "DROP INDEX CONCURRENTLY [IF EXISTS] [@]",          STATEMENT_NONTX_DROP_INDEX, 0 },
        { "REINDEX (CONCURRENTLY+) TABLE|INDEX|SCHEMA|DATABASE|SYSTEM [@]", STATEMENT_NONTX_REINDEX, 0 },
        { "REINDEX [()] TABLE|INDEX|SCHEMA|DATABASE|SYSTEM CONCURRENTLY [@]", STATEMENT_NONTX_REINDEX, 0 },
        { "REINDEX [()] SCHEMA|DATABASE|SYSTEM [@]",          STATEMENT_NONTX_REINDEX, 0 },
        { "ALTER TABLE [IF EXISTS] [ONLY] @ [*] DETACH PARTITION & CONCURRENTLY", STATEMENT_NONTX_DETACH, 0 },
        { "ALTER TYPE @ ADD VALUE [IF NOT EXISTS] [&']",      STATEMENT_NONTX_ADD_VALUE, 0 },
        { "CREATE DATABASE [@]",                              STATEMENT_NONTX_CREATE_DATABASE, 0 },
        { "DROP DATABASE [IF EXISTS] [@]",                    STATEMENT_NONTX_DROP_DATABASE, 0 },
        { "CREATE TABLESPACE [@]",                            STATEMENT_NONTX_CREATE_TABLESPACE, 0 },
        { "DROP TABLESPACE [IF EXISTS] [@]",                  STATEMENT_NONTX_DROP_TABLESPACE, 0 },
        { "CREATE SUBSCRIPTION ... (CONNECT-)",               STATEMENT_OTHER, ROW_DDL },
        { "CREATE SUBSCRIPTION ... (CREATE_SLOT-)",           STATEMENT_OTHER, ROW_DDL },
        { "CREATE SUBSCRIPTION [@]",                          STATEMENT_NONTX_CREATE_SUBSCRIPTION, 0 },
        { "DROP SUBSCRIPTION [IF EXISTS] [@]",                STATEMENT_NONTX_DROP_SUBSCRIPTION, 0 },
        { "ALTER SUBSCRIPTION @ REFRESH",                     STATEMENT_NONTX_IDEMPOTENT, 0 },
        { "ALTER SUBSCRIPTION % SET|ADD|DROP PUBLICATION ... (REFRESH-)", STATEMENT_OTHER, ROW_DDL },
        { "ALTER SUBSCRIPTION @ SET|ADD|DROP PUBLICATION",    STATEMENT_NONTX_IDEMPOTENT, 0 },
        { "ALTER SUBSCRIPTION @ SET (FAILOVER?)",             STATEMENT_NONTX_IDEMPOTENT, 0 }, /* since 17 */
        { "ALTER SUBSCRIPTION @ SET (TWO_PHASE?)",            STATEMENT_NONTX_IDEMPOTENT, 0 }, /* since 18 */
        { "ALTER DATABASE @ SET TABLESPACE",                  STATEMENT_NONTX_IDEMPOTENT, 0 },
        { "ALTER SYSTEM",                                     STATEMENT_NONTX_IDEMPOTENT, 0 },
        { "DISCARD ALL",                                      STATEMENT_NONTX_IDEMPOTENT, 0 },
        { "VACUUM [()] [FULL] [FREEZE] [VERBOSE] [ANALYZE|ANALYSE] [@]", STATEMENT_NONTX_IDEMPOTENT, 0 },
        { "CLUSTER [()] [VERBOSE] $",                         STATEMENT_NONTX_IDEMPOTENT, 0 },

        { "ALTER TABLE|DOMAIN [IF EXISTS] [ONLY] % [*] VALIDATE CONSTRAINT % "
          "[, VALIDATE CONSTRAINT % [, VALIDATE CONSTRAINT %]] $", STATEMENT_LONG, 0 },
        { "ALTER|CREATE|DROP|TRUNCATE|COMMENT|GRANT|REVOKE|LOCK|CLUSTER|REINDEX|SECURITY|REASSIGN|IMPORT",
                                                              STATEMENT_OTHER, ROW_DDL },
        { "",                                                 STATEMENT_OTHER, 0 }, /* anything */
};

static const char *const names[_STATEMENT_KIND_MAX] = {
        [STATEMENT_OTHER] = "statement",
        [STATEMENT_LONG] = "long statement",
        [STATEMENT_INSERT_VALUES] = "INSERT",
        [STATEMENT_COPY_IN] = "COPY FROM STDIN",
        [STATEMENT_COPY_OUT] = "COPY TO STDOUT",
        [STATEMENT_TX_BEGIN] = "BEGIN",
        [STATEMENT_TX_COMMIT] = "COMMIT",
        [STATEMENT_TX_ROLLBACK] = "ROLLBACK",
        [STATEMENT_TX_PREPARE] = "PREPARE TRANSACTION",
        [STATEMENT_NONTX_CREATE_INDEX] = "CREATE INDEX CONCURRENTLY",
        [STATEMENT_NONTX_DROP_INDEX] = "DROP INDEX CONCURRENTLY",
        [STATEMENT_NONTX_REINDEX] = "REINDEX",
        [STATEMENT_NONTX_DETACH] = "DETACH PARTITION CONCURRENTLY",
        [STATEMENT_NONTX_ADD_VALUE] = "ALTER TYPE ADD VALUE",
        [STATEMENT_NONTX_CREATE_DATABASE] = "CREATE DATABASE",
        [STATEMENT_NONTX_DROP_DATABASE] = "DROP DATABASE",
        [STATEMENT_NONTX_CREATE_TABLESPACE] = "CREATE TABLESPACE",
        [STATEMENT_NONTX_DROP_TABLESPACE] = "DROP TABLESPACE",
        [STATEMENT_NONTX_CREATE_SUBSCRIPTION] = "CREATE SUBSCRIPTION",
        [STATEMENT_NONTX_DROP_SUBSCRIPTION] = "DROP SUBSCRIPTION",
        [STATEMENT_NONTX_FINISH_PREPARED] = "COMMIT or ROLLBACK PREPARED",
        [STATEMENT_NONTX_IDEMPOTENT] = "maintenance statement",
};
/* clang-format on */

typedef enum OptionState {
        OPTION_ABSENT,
        OPTION_OFF,
        OPTION_ON,
} OptionState;

static const SqlToken *token_at(const SqlTokens *t, size_t i)
{
        if (i < t->n && i < SQL_TOKENS_MAX)
                return &t->token[i];
        return t->n > 0 && i == t->n - 1 ? &t->last : NULL;
}

static bool is_char(const SqlTokens *t, size_t i, char c)
{
        const SqlToken *k = token_at(t, i);

        return k && k->type == SQL_OTHER && t->text[k->start] == c;
}

/* What the server takes for false: false, off or 0, in quotes or not. */
static bool value_is_off(const char *text, const SqlToken *t)
{
        SqlToken bare = *t;

        if (t->type == SQL_STRING && t->end - t->start > 2) {
                bare.start++;
                bare.end--;
                bare.type = SQL_WORD;
        }
        return sql_token_is(text, &bare, "FALSE", 5) || sql_token_is(text, &bare, "OFF", 3) ||
               (bare.end - bare.start == 1 && text[bare.start] == '0');
}

/* An option of a group: "name", "name value" or "name = value", with commas between them. */
static OptionState group_option(const SqlTokens *t, const SqlToken *group, const char *name,
                                size_t len)
{
        OptionState state = OPTION_ABSENT;
        bool at_name = true, ours = false;
        size_t end = group->end - 1;

        SqlToken k = { .end = group->start + 1 };

        for (;;) {
                sql_token_next(t->text, end, k.end, &k);
                if (k.type == SQL_END)
                        return state;
                if (k.type == SQL_OTHER && t->text[k.start] == ',') {
                        at_name = true;
                        ours = false;
                } else if (at_name) {
                        at_name = false;
                        ours = sql_token_is(t->text, &k, name, len);
                        if (ours)
                                state = OPTION_ON;
                } else if (ours && value_is_off(t->text, &k)) {
                        state = OPTION_OFF;
                }
        }
}

/* Pattern "()" or "(NAME+)", up to `end`. */
static bool match_group(const SqlTokens *t, size_t i, const char *p, const char *end)
{
        const SqlToken *k = token_at(t, i);
        size_t len = (size_t) (end - p);

        if (!k || k->type != SQL_GROUP)
                return false;
        if (len == 2)
                return true;
        OptionState state = group_option(t, k, p + 1, len - 3);
        switch (end[-2]) {
        case '+':
                return state == OPTION_ON;
        case '-':
                return state == OPTION_OFF;
        default:
                return state != OPTION_ABSENT;
        }
}

static bool match_words(const SqlTokens *t, size_t i, const char *p, const char *end)
{
        const SqlToken *k = token_at(t, i);

        while (k && p < end) {
                const char *bar = memchr(p, '|', (size_t) (end - p));
                size_t len = (size_t) ((bar ? bar : end) - p);

                if (sql_token_is(t->text, k, p, len))
                        return true;
                p += len + 1;
        }
        return false;
}

static bool is_name(const SqlTokens *t, size_t i)
{
        const SqlToken *k = token_at(t, i);

        return k && (k->type == SQL_WORD || k->type == SQL_NAME);
}

/* How many tokens the name or, with `literal`, the literal at i takes; 0 if there is none. */
static size_t match_value(Statement *ret, const SqlTokens *t, size_t i, char keep, bool literal)
{
        size_t n = 1;

        if (literal ? !token_at(t, i) || token_at(t, i)->type != SQL_STRING : !is_name(t, i))
                return 0;
        while (!literal && is_char(t, i + n, '.') && is_name(t, i + n + 1))
                n += 2;
        if (keep == '@') {
                ret->object_start = token_at(t, i)->start;
                ret->object_end = token_at(t, i + n - 1)->end;
        } else if (keep == '&') {
                ret->other_start = token_at(t, i)->start;
                ret->other_end = token_at(t, i + n - 1)->end;
        }
        return n;
}

/* How many tokens this item takes; 0 if it does not fit. */
static size_t match_item(Statement *ret, const SqlTokens *t, size_t i, const char *p,
                         const char *end)
{
        switch (*p) {
        case '%':
        case '@':
        case '&':
                return match_value(ret, t, i, *p, end[-1] == '\'');
        case '\'':
                return match_value(ret, t, i, *p, true);
        case '(':
                return match_group(t, i, p, end);
        case '*':
        case ',':
                return is_char(t, i, *p);
        default:
                return match_words(t, i, p, end);
        }
}

static const char *after_optional(const char *p)
{
        for (unsigned depth = 0;; p++)
                if (*p == '[')
                        depth++;
                else if (*p == ']' && --depth == 0)
                        return p + 1;
}

/* Tries with an optional part first, then without. Depth of recursion: number of '[' in the pattern. */
static bool match(Statement *ret, const SqlTokens *t, size_t i, const char *p)
{
        for (;;) {
                const char *end;
                size_t n;

                switch (*p) {
                case '\0':
                        return true;
                case ' ':
                case ']':
                        p++;
                        continue;
                case '[':
                        if (match(ret, t, i, p + 1))
                                return true;
                        p = after_optional(p);
                        continue;
                case '$':
                        return i == t->n;
                case '.':
                        if (i >= t->n)
                                return false;
                        i = t->n - 1;
                        p += strlen("...");
                        continue;
                default:
                        for (end = p + 1; *end && *end != ' ' && *end != ']';)
                                end++;
                        n = match_item(ret, t, i, p, end);
                        if (n == 0)
                                return false;
                        i += n;
                        p = end;
                        break;
                }
        }
}

static bool has_if_exists(const SqlTokens *t)
{
        for (size_t i = 0; i + 1 < t->n && i + 1 < SQL_TOKENS_MAX; i++)
                if (sql_token_is(t->text, &t->token[i], "IF", 2)) {
                        const SqlToken *k = token_at(t, i + 1);

                        if (sql_token_is(t->text, k, "NOT", 3))
                                k = token_at(t, i + 2);
                        if (k && sql_token_is(t->text, k, "EXISTS", 6))
                                return true;
                }
        return false;
}

static bool row_matches(const KindRow *row, Statement *ret, const SqlTokens *t, char initial)
{
        if (*row->pattern && *row->pattern != initial && !strchr(row->pattern, '|'))
                return false;
        ret->object_start = ret->object_end = ret->other_start = ret->other_end = 0;
        return match(ret, t, 0, row->pattern);
}

void statement_classify(Statement *ret, const SqlTokens *t)
{
        char initial =
                t->token[0].type == SQL_WORD ? (char) (t->text[t->token[0].start] & ~0x20) : '(';
        const KindRow *row = rows;

        assert(t->n > 0);
        while (!row_matches(row, ret, t, initial))
                row++; /* the last one fits all */
        ret->kind = row->kind;
        ret->is_ddl = row->flags & ROW_DDL;
        ret->and_chain = row->flags & ROW_CHAIN;
        ret->if_exists =
                (ret->is_ddl || ret->kind >= STATEMENT_NONTX_CREATE_INDEX) && has_if_exists(t);
        if (ret->kind < STATEMENT_NONTX_CREATE_INDEX)
                ret->object_start = ret->object_end = ret->other_start = ret->other_end = 0;
}

bool statement_is_nontx(const Statement *s, int server_version)
{
        if (s->kind == STATEMENT_NONTX_ADD_VALUE)
                return server_version < 120000;
        return s->kind >= STATEMENT_NONTX_CREATE_INDEX;
}

const char *statement_kind_name(StatementKind k)
{
        return names[k];
}
