#include "format/liquibase/liquibase.h"

static const char *const own_tables[] = { LIQUIBASE_TABLE, LIQUIBASE_LOCK_TABLE, NULL };

const Format liquibase_format = {
        .name = "liquibase",
        .summary = "Liquibase: changelogs in XML, YAML, JSON, SQL; history in databasechangelog",
        .own_tables = own_tables,
        .detect = liquibase_detect,
        .read = liquibase_read,
        .resolve = liquibase_resolve,
        .bind = liquibase_bind,
        .lock_keys = liquibase_lock_keys,
        .lock_row = liquibase_lock_row,
        .sql_unlock = liquibase_sql_unlock,
        .load = liquibase_load,
        .assess = liquibase_assess,
        .demand = liquibase_demand,
        .prepare = liquibase_prepare,
        .open_script = liquibase_open_script,
        .sql_create = liquibase_sql_create,
        .sql_applied = liquibase_sql_applied,
        .sql_undone = liquibase_sql_undone,
        .sql_baseline = liquibase_sql_baseline,
        .sql_repair = liquibase_sql_repair,
        .sql_upkeep = liquibase_sql_upkeep,
        .sql_tag = liquibase_sql_tag,
        .choose_undo = liquibase_choose_undo,
        .next_rank = liquibase_next_rank,
        .new_name = liquibase_new_name,
        .forget = liquibase_forget,
        .outside_hint = "runInTransaction=\"false\" on the changeset",
};
