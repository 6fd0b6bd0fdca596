#pragma once
/* What a run will do, in order, decided before anything is done. plan_make is pure: same changelog, history and target, same plan. */
#include <jansson.h>

#include "engine/script.h"
#include "format/format.h"

typedef struct PlanStep {
        const Migration *migration; /* whose script runs: borrowed from the changelog */
        const HistoryRow *undo_row; /* undo: the row it takes back; borrowed from the history */
        const HistoryRow *previous; /* its own row from before, when it runs again */
        bool marked;                /* recorded without being run, as prepare() decided */
        bool always;                /* see Entry */
        bool transactional, has_long;
        uint64_t statements, bytes;
        bool begins,
                commits; /* the transaction starts before and ends after this step: both, except in a group */
} PlanStep;

typedef struct Plan {
        PlanStep *steps;
        size_t n_steps;
        const char *from_version, *to_version; /* borrowed; NULL: none */
} Plan;

int plan_make_migrate(Plan **ret, const Assessment *a, bool group, Error *err);
/* Undoes what was applied above target, or what the format takes it for, newest first; target NULL: the newest one. ERROR_REFUSED
 * when one has no undo script. */
int plan_make_undo(Plan **ret, const Changelog *c, const FormatContext *ctx, const Assessment *a,
                   const char *target, Error *err);
Plan *plan_free(Plan *p);
DEFINE_CLEANUP(Plan *, plan_free)
/* Opens and scans each script, so that what cannot run is refused before anything ran, and notes what it is. */
int plan_check_scripts(Plan *p, const Changelog *c, const FormatContext *ctx, Error *err);
/* {"steps":[{id, description, file, kind, transactional, statements, bytes, sql}], ...}: with the SQL of each step up to max_sql bytes. */
json_t *plan_json(const Plan *p, const Changelog *c, const FormatContext *ctx, size_t max_sql,
                  Error *err);
