/* Which changesets a rollback takes back: to a tag, a date or a count. Facts: liquibase.md 6. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/liquibase.h"
#include "util/parse.h"

static bool can_be_undone(const Entry *e)
{
        return e->row && e->migration && e->state != ENTRY_FILTERED;
}

static int compare_newest(const void *a, const void *b)
{
        const Entry *x = *(const Entry *const *) a, *y = *(const Entry *const *) b;

        return x->row->rank < y->row->rank ? 1 : -(x->row->rank > y->row->rank);
}

/* The n newest. */
static int choose_count(bool *chosen, const Assessment *a, uint64_t n, Error *err)
{
        _cleanup_free_ const Entry **newest = calloc(a->n_entries + 1, sizeof(Entry *));
        size_t found = 0;

        if (!newest)
                return error_oom(err, "what is taken back");
        for (size_t i = 0; i < a->n_entries; i++)
                if (can_be_undone(&a->entries[i]))
                        newest[found++] = &a->entries[i];
        qsort(newest, found, sizeof(Entry *), compare_newest);
        for (size_t i = 0; i < found && i < n; i++)
                chosen[newest[i] - a->entries] = true;
        return 0;
}

static void choose_after_date(bool *chosen, const Assessment *a, const char *date)
{
        for (size_t i = 0; i < a->n_entries; i++)
                chosen[i] = can_be_undone(&a->entries[i]) &&
                            strcmp(a->entries[i].row->installed_on, date) > 0;
}

static bool is_date(const char *s)
{
        regex_t re;
        bool is;

        if (regcomp(&re, "^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?$",
                    REG_EXTENDED | REG_NOSUB) != 0)
                return false;
        is = regexec(&re, s, 0, NULL, 0) == 0;
        regfree(&re);
        return is;
}

/* Everything after the first row with the tag, and tagDatabase rows of that tag themselves. */
static int choose_after_tag(bool *chosen, const Assessment *a, const char *tag, Error *err)
{
        const HistoryRow *first = NULL;

        for (size_t i = 0; i < a->n_entries; i++) {
                const HistoryRow *row = a->entries[i].row;

                if (row && row->version && strcasecmp(row->version, tag) == 0 &&
                    (!first || row->rank < first->rank))
                        first = row;
        }
        if (!first) {
                (void) error_set(err, ERROR_REFUSED, "nothing in the history is tagged %s", tag);
                return error_hint(err,
                                  "an undo goes back to a tag, a date (2026-01-31 12:00:00) or "
                                  "count:NUMBER; \"pgmigrated history\" shows the tags");
        }
        for (size_t i = 0; i < a->n_entries; i++) {
                const HistoryRow *row = a->entries[i].row;

                chosen[i] = can_be_undone(&a->entries[i]) &&
                            (row->rank > first->rank ||
                             (row == first && strcmp(row->description, "tagDatabase") == 0));
        }
        return 0;
}

int liquibase_choose_undo(bool *chosen, const Assessment *a, const FormatContext *ctx,
                          const char *target, Error *err)
{
        uint64_t count = 1;

        (void) ctx;
        if (target && strncmp(target, "count:", 6) == 0) {
                int r = parse_uint(&count, target + 6, err);

                if (r < 0)
                        return error_prefix(err, "target");
        } else if (target && is_date(target)) {
                choose_after_date(chosen, a, target);
                return 0;
        } else if (target) {
                return choose_after_tag(chosen, a, target, err);
        }
        return choose_count(chosen, a, count, err);
}
