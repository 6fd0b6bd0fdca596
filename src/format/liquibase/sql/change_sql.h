#pragma once
/* The statements of each type of change, and those that take it back: rows of change_types[]. Each is a ChangeSql. */
#include "format/liquibase/sql/sql.h"

/* ---- structure: sql_table.c, sql_create_table.c, sql_column.c, sql_add_column.c, sql_constraint.c, sql_index.c ---- */
int change_sql_create_table(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_table(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_rename_table(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_add_column(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_column(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_rename_column(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_modify_data_type(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_add_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                       Error *err);
int change_sql_drop_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                        Error *err);
int change_sql_add_default_value(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_default_value(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_add_primary_key(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_primary_key(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_add_foreign_key_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                          Error *err);
int change_sql_drop_foreign_key_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                           Error *err);
int change_sql_drop_all_foreign_key_constraints(SqlList *out, const Change *c, const SqlContext *x,
                                                Error *err);
int change_sql_add_unique_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                     Error *err);
int change_sql_drop_unique_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                      Error *err);
int change_sql_create_index(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_index(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_add_auto_increment(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_set_table_remarks(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_set_column_remarks(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_add_lookup_table(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_merge_columns(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_create_table(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_rename_table(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_add_column(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_rename_column(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_add_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                           Error *err);
int change_inverse_drop_not_null_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                            Error *err);
int change_inverse_add_default_value(SqlList *out, const Change *c, const SqlContext *x,
                                     Error *err);
int change_inverse_add_primary_key(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_add_foreign_key_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                              Error *err);
int change_inverse_add_unique_constraint(SqlList *out, const Change *c, const SqlContext *x,
                                         Error *err);
int change_inverse_create_index(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_add_lookup_table(SqlList *out, const Change *c, const SqlContext *x, Error *err);

/* ---- sequences, views, procedures: sql_sequence.c, sql_view.c, sql_procedure.c ---- */
int change_sql_create_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_alter_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_rename_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_create_view(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_view(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_rename_view(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_create_procedure(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_drop_procedure(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_create_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_rename_sequence(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_create_view(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_rename_view(SqlList *out, const Change *c, const SqlContext *x, Error *err);
/* ---- data: sql_data.c, load_data.c ---- */
int change_sql_insert(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_update(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_delete(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_load_data(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_load_update_data(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_inverse_load_update_data(SqlList *out, const Change *c, const SqlContext *x, Error *err);
/* ---- the user's own SQL, and what is none: sql_raw.c, sql_control.c ---- */
int change_sql_sql(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_sql_file(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_output(SqlList *out, const Change *c, const SqlContext *x, Error *err);
int change_sql_stop(SqlList *out, const Change *c, const SqlContext *x, Error *err);
