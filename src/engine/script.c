#include "engine/script.h"

#include <string.h>
#include <strings.h>

#include "loop/fiber.h"

int script_error_at(const Script *s, size_t at, Error *err)
{
        unsigned long line, column;
        const char *path = script_text_position(&s->text, at, &line, &column);

        return error_at(err, path ? path : s->path, line, column);
}

static bool starts_with(const char *s, const char *end, const char *word)
{
        size_t n = strlen(word);

        return (size_t) (end - s) >= n && strncasecmp(s, word, n) == 0;
}

bool script_changes_session(const Script *s, const Statement *st)
{
        const char *first = s->text.data + st->first, *end = s->text.data + st->end;

        if (starts_with(first, end, "reset") || starts_with(first, end, "discard"))
                return true;
        if (starts_with(first, end, "set"))
                return true;
        return starts_with(first, end, "select") &&
               memmem(first, (size_t) (end - first), "set_config", strlen("set_config")) != NULL;
}

/* SET [SESSION|LOCAL] SESSION AUTHORIZATION */
static bool changes_user(const Script *s, const Statement *st)
{
        for (const char *p = s->text.data + st->first, *end = s->text.data + st->end; p < end; p++)
                if (starts_with(p, end, "authorization"))
                        return true;
        return false;
}

bool script_discards_session(const Script *s, const Statement *st)
{
        return st->kind == STATEMENT_NONTX_IDEMPOTENT &&
               starts_with(s->text.data + st->first, s->text.data + st->end, "discard");
}

bool script_may_unlock(const Script *s, const Statement *st)
{
        static const char name[] = "_advisory_unlock"; /* whatever the case of the letters */
        const char *p = s->text.data + st->first, *end = s->text.data + st->end;

        for (; (p = memchr(p, *name, (size_t) (end - p))); p++)
                if (starts_with(p, end, name))
                        return true;
        return script_discards_session(s, st);
}

/* What is remembered between statements while the script is judged. */
typedef struct Judge {
        Statement nontx, tx_control, ordinary;
        bool has_nontx, has_tx_control, has_ordinary, in_transaction;
} Judge;

static void judge_statement(Script *s, Judge *j, const Statement *st, int server_version)
{
        s->statements++;
        switch (st->kind) {
        case STATEMENT_TX_BEGIN:
                j->in_transaction = true;
                break;
        case STATEMENT_TX_COMMIT:
        case STATEMENT_TX_ROLLBACK:
        case STATEMENT_TX_PREPARE:
                j->in_transaction = st->and_chain;
                break;
        case STATEMENT_LONG:
        case STATEMENT_COPY_IN:
        case STATEMENT_COPY_OUT:
                s->has_long = true;
                break;
        default:
                break;
        }
        if (st->kind >= STATEMENT_TX_BEGIN && st->kind <= STATEMENT_TX_PREPARE) {
                if (!j->has_tx_control)
                        j->tx_control = *st;
                j->has_tx_control = true;
        } else if (statement_is_nontx(st, server_version)) {
                if (!j->has_nontx)
                        j->nontx = *st;
                j->has_nontx = true;
        } else if (!script_changes_session(s, st)) { /* SET goes with both kinds */
                if (!j->has_ordinary)
                        j->ordinary = *st;
                j->has_ordinary = true;
        }
        if (script_changes_session(s, st)) {
                s->changes_session = true;
                s->changes_user = s->changes_user || changes_user(s, st);
        }
}

static int verdict(Script *s, const Judge *j, const Migration *m, const Format *f, bool mixed,
                   Error *err)
{
        if (j->in_transaction) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "%s begins a transaction and does not end it", s->path);
                (void) script_error_at(s, j->tx_control.first, err);
                return error_hint(
                        err,
                        "end it with COMMIT, or leave BEGIN and COMMIT out: pgmigrated opens a "
                        "transaction around each migration");
        }
        if (m->tx == TX_ALWAYS && (j->has_nontx || j->has_tx_control)) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "%s must run in a transaction, but %s cannot", s->path,
                                 j->has_nontx ? statement_kind_name(j->nontx.kind)
                                              : "BEGIN or COMMIT");
                (void) script_error_at(s, j->has_nontx ? j->nontx.first : j->tx_control.first, err);
                return error_hint(err, "remove executeInTransaction=true for this file, or move "
                                       "the statement to a "
                                       "migration of its own");
        }
        if (m->tx == TX_AUTO && !mixed && j->has_nontx && j->has_ordinary) {
                (void) error_set(
                        err, ERROR_CHANGELOG,
                        "%s mixes statements that can and that cannot run in a transaction (%s)",
                        s->path, statement_kind_name(j->nontx.kind));
                (void) script_error_at(s, j->nontx.first, err);
                return error_hint(err,
                                  "split it, or set mixed = yes (or %s): it then runs statement by "
                                  "statement, each journalled",
                                  f->outside_hint);
        }
        s->own_transactions = j->has_tx_control;
        s->transactional = m->tx != TX_NEVER && !j->has_nontx && !j->has_tx_control;
        return 0;
}

int script_open(Script *ret, const Changelog *c, const Migration *m, const FormatContext *ctx,
                Error *err)
{
        _cleanup_script_ Script s = { .path = m->path };
        Judge judge = { .has_nontx = false };
        Scanner scanner;
        Statement st;
        int r;

        r = c->format->open_script(&s.text, c, m, ctx, err);
        if (r < 0)
                return r;
        scanner_init(&scanner, s.text.data, s.text.size, m->path);
        while ((r = scanner_next(&scanner, &st, err)) > 0) {
                judge_statement(&s, &judge, &st, ctx->server_version);
                if (s.statements % 256 == 0 && fiber_breathe(err) < 0)
                        return -(int) err->code;
        }
        if (r < 0)
                return s.text.replaced ? script_error_at(&s, scanner.at, err) : r;
        r = verdict(&s, &judge, m, c->format, ctx->options->mixed, err);
        if (r < 0)
                return r;
        *ret = s;
        s = (Script){ .path = NULL };
        return 0;
}

void script_done(Script *s)
{
        script_text_done(&s->text);
}
