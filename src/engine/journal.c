#include "engine/journal.h"

#include <string.h>

#define SQL_MAX ((size_t) 1 << 20)
#define JOURNAL_COLUMNS 6 /* that are read */

static void add_table(Text *sql, const Conversation *c)
{
        text_add_sql_identifier(sql, c->context.schema);
        text_add(sql, "." JOURNAL_TABLE);
}

static void add_where(Text *sql, const char *migration)
{
        text_add(sql, " WHERE migration = ");
        text_add_sql_literal(sql, migration);
        text_add(sql, ";\n");
}

void journal_sql_create(Text *sql, const Conversation *c, const char *migration)
{
        text_add(sql, "CREATE TABLE IF NOT EXISTS ");
        add_table(sql, c);
        text_add(sql, " (migration text PRIMARY KEY, done bigint NOT NULL, prefix text NOT NULL, "
                      "started boolean NOT NULL,"
                      " before text NOT NULL, run text NOT NULL, changed timestamptz NOT "
                      "NULL);\nINSERT INTO ");
        add_table(sql, c);
        text_add(sql, " VALUES (");
        text_add_sql_literal(sql, migration);
        text_add(sql, ", 0, '0', false, '', ");
        text_add_sql_literal(sql, c->run->id);
        text_add(sql, ", clock_timestamp()) ON CONFLICT DO NOTHING;\n");
}

void journal_sql_advance(Text *sql, const Conversation *c, const char *migration, uint64_t done,
                         const char *prefix)
{
        text_add(sql, "UPDATE ");
        add_table(sql, c);
        text_printf(sql,
                    " SET done = %" PRIu64 ", prefix = '%s', started = false, before = '', run = ",
                    done, prefix);
        text_add_sql_literal(sql, c->run->id);
        text_add(sql, ", changed = clock_timestamp()");
        add_where(sql, migration);
}

void journal_sql_start(Text *sql, const Conversation *c, const char *migration, const char *before)
{
        text_add(sql, "UPDATE ");
        add_table(sql, c);
        text_add(sql, " SET started = true, before = ");
        text_add_sql_literal(sql, before);
        text_add(sql, ", run = ");
        text_add_sql_literal(sql, c->run->id);
        text_add(sql, ", changed = clock_timestamp()");
        add_where(sql, migration);
}

void journal_sql_resolve_done(Text *sql, const Conversation *c, const JournalRow *row)
{
        journal_sql_advance(sql, c, row->migration, row->done + 1, JOURNAL_PREFIX_ANY);
}

void journal_sql_finish(Text *sql, const Conversation *c, const char *migration, bool drop_table)
{
        text_add(sql, drop_table ? "DROP TABLE " : "DELETE FROM ");
        add_table(sql, c);
        if (drop_table)
                text_add(sql, ";\n");
        else
                add_where(sql, migration);
}

/* Our own table has none of this, but a table of that name may be anybody's. */
static bool is_foreign(const PGresult *res, int i)
{
        for (int column = 0; column < JOURNAL_COLUMNS; column++)
                if (!pg_text(res, i, column))
                        return true;
        return pg_int(res, i, 1) < 0;
}

static int read_row(JournalRow *row, const PGresult *res, int i, Error *err)
{
        if (is_foreign(res, i)) {
                (void) error_set(err, ERROR_ATTENTION,
                                 "it has a row that pgmigrated did not write");
                return error_hint(err, "rename the table if it is somebody else's; else correct "
                                       "or delete the row");
        }
        *row = (JournalRow){ .migration = strdup(pg_text(res, i, 0)),
                             .done = (uint64_t) pg_int(res, i, 1),
                             .prefix = strdup(pg_text(res, i, 2)),
                             .started = pg_bool(res, i, 3),
                             .before = strdup(pg_text(res, i, 4)),
                             .run = strdup(pg_text(res, i, 5)) };
        return row->migration && row->prefix && row->before && row->run
                       ? 0
                       : error_oom(err, "the journal");
}

int journal_load(Journal *ret, Conversation *c, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(SQL_MAX);
        _cleanup_result_ PGresult *res = NULL;
        _cleanup_journal_ Journal j = { .exists = true };
        int r;

        text_add(&sql, "SELECT migration, done, prefix, started, before, run FROM ");
        add_table(&sql, c);
        if (sql.bad)
                return error_oom(err, "the journal");
        r = pg_fetch(c->session, &res, sql.s, clock_after(OWN_STATEMENT_TIMEOUT), err);
        if (r == -(int) ERROR_SQL && strcmp(err->sqlstate, "42P01") == 0) {
                *ret = (Journal){ .exists = false };
                return 0;
        }
        if (r < 0)
                return error_prefix(err, "reading the journal " JOURNAL_TABLE);
        j.rows = calloc((size_t) PQntuples(res) + 1, sizeof *j.rows);
        if (!j.rows)
                return error_oom(err, "the journal");
        for (int i = 0; i < PQntuples(res); i++)
                if (read_row(&j.rows[j.n_rows++], res, i, err) < 0)
                        return error_prefix(err, "reading the journal " JOURNAL_TABLE);
        *ret = j;
        j = (Journal){ .exists = false };
        return 0;
}

void journal_done(Journal *j)
{
        for (size_t i = 0; i < j->n_rows; i++) {
                free(j->rows[i].migration);
                free(j->rows[i].prefix);
                free(j->rows[i].before);
                free(j->rows[i].run);
        }
        free(j->rows);
        *j = (Journal){ .exists = false };
}

JournalRow *journal_find(const Journal *j, const char *migration)
{
        for (size_t i = 0; i < j->n_rows; i++)
                if (strcmp(j->rows[i].migration, migration) == 0)
                        return &j->rows[i];
        return NULL;
}
