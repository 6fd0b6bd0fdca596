#include "format/flyway/flyway.h"

static const char *const own_tables[] = { "flyway_schema_history", NULL };

const Format flyway_format = {
        .name = "flyway",
        .summary = "Flyway: V1__name.sql, R__name.sql; history in flyway_schema_history",
        .own_tables = own_tables,
        .detect = flyway_detect,
        .read = flyway_read,
        .resolve = flyway_resolve,
        .bind = flyway_bind,
        .lock_keys = flyway_lock_keys,
        .load = flyway_load,
        .assess = flyway_assess,
        .open_script = flyway_open_script,
        .sql_create = flyway_sql_create,
        .sql_applied = flyway_sql_applied,
        .sql_undone = flyway_sql_undone,
        .sql_baseline = flyway_sql_baseline,
        .sql_repair = flyway_sql_repair,
        .next_rank = flyway_next_rank,
        .compare_versions = flyway_version_compare,
        .new_name = flyway_new_name,
        .outside_hint = "executeInTransaction=false in the file's .conf",
};
