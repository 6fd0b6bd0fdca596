#pragma once
/* Building changelogs and assessments: for the formats. Arrays grow by themselves; whatever is handed over
 * belongs to the array, also when adding it fails. */
#include "format/format.h"

void migration_done(Migration *m);
int changelog_add(Changelog *c, Migration m, Error *err);
int changelog_add_hook(Changelog *c, HookEvent event, Migration script, Error *err);
int changelog_warn(Changelog *c, Error *err, const char *fmt, ...)
        __attribute__((__format__(__printf__, 3, 4)));

int history_add(History *h, HistoryRow row, Error *err);
int history_add_missing_schema(History *h, const char *name, Error *err);

int assessment_add(Assessment *a, Entry e, Error *err);
int assessment_refuse(Assessment *a, const Error *refusal, Error *err);
int assessment_warn(Assessment *a, Error *err, const char *fmt, ...)
        __attribute__((__format__(__printf__, 3, 4)));

/* Makes room for one more element behind n of them; NULL when out of memory (the old array stays). */
void *array_room(void *array, size_t n, size_t size);
