/* Every change type of the open-source Liquibase, with its attributes as they reach checksums and SQL. Facts: liquibase.md 4.4, 5.4, 5.5. */
#include "format/liquibase/sql/change_sql.h"

#include <string.h>

/* A row of the tables below: name, type, flags, default. */
#define STRING(name)                        \
        {                                   \
                name, PARAM_STRING, 0, NULL \
        }
#define BOOLEAN(name)                        \
        {                                    \
                name, PARAM_BOOLEAN, 0, NULL \
        }
#define INTEGER(name)                        \
        {                                    \
                name, PARAM_INTEGER, 0, NULL \
        }
#define COLUMNS(name)                        \
        {                                    \
                name, PARAM_COLUMNS, 0, NULL \
        }
#define REQUIRED(name)                                   \
        {                                                \
                name, PARAM_STRING, PARAM_REQUIRED, NULL \
        }
#define REQUIRED_COLUMNS(name)                            \
        {                                                 \
                name, PARAM_COLUMNS, PARAM_REQUIRED, NULL \
        }

/* clang-format off */
static const ChangeParam no_params[] = {
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_auto_increment_params[] = {
        STRING("catalogName"),
        STRING("columnDataType"),
        REQUIRED("columnName"),
        BOOLEAN("defaultOnNull"),
        STRING("generationType"),
        INTEGER("incrementBy"),
        STRING("schemaName"),
        INTEGER("startWith"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_column_params[] = {
        STRING("catalogName"),
        REQUIRED_COLUMNS("columns"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_default_value_params[] = {
        STRING("catalogName"),
        STRING("columnDataType"),
        REQUIRED("columnName"),
        STRING("defaultValue"),
        BOOLEAN("defaultValueBoolean"),
        STRING("defaultValueComputed"),
        STRING("defaultValueConstraintName"),
        STRING("defaultValueDate"),
        STRING("defaultValueNumeric"),
        STRING("defaultValueSequenceNext"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_foreign_key_constraint_params[] = {
        REQUIRED("baseColumnNames"),
        STRING("baseTableCatalogName"),
        REQUIRED("baseTableName"),
        STRING("baseTableSchemaName"),
        REQUIRED("constraintName"),
        BOOLEAN("deferrable"),
        { "deleteCascade", PARAM_BOOLEAN, PARAM_UNSUMMED, NULL },
        BOOLEAN("initiallyDeferred"),
        STRING("onDelete"),
        STRING("onUpdate"),
        REQUIRED("referencedColumnNames"),
        STRING("referencedTableCatalogName"),
        REQUIRED("referencedTableName"),
        STRING("referencedTableSchemaName"),
        { "referencesUniqueColumn", PARAM_BOOLEAN, PARAM_UNSUMMED, NULL },
        BOOLEAN("validate"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_lookup_table_params[] = {
        STRING("constraintName"),
        REQUIRED("existingColumnName"),
        STRING("existingTableCatalogName"),
        REQUIRED("existingTableName"),
        STRING("existingTableSchemaName"),
        STRING("newColumnDataType"),
        REQUIRED("newColumnName"),
        STRING("newTableCatalogName"),
        REQUIRED("newTableName"),
        STRING("newTableSchemaName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_not_null_constraint_params[] = {
        STRING("catalogName"),
        STRING("columnDataType"),
        REQUIRED("columnName"),
        STRING("constraintName"),
        STRING("defaultNullValue"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        BOOLEAN("validate"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_primary_key_params[] = {
        STRING("catalogName"),
        BOOLEAN("clustered"),
        REQUIRED("columnNames"),
        STRING("constraintName"),
        STRING("forIndexCatalogName"),
        STRING("forIndexName"),
        STRING("forIndexSchemaName"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        STRING("tablespace"),
        BOOLEAN("validate"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam add_unique_constraint_params[] = {
        STRING("catalogName"),
        BOOLEAN("clustered"),
        REQUIRED("columnNames"),
        STRING("constraintName"),
        BOOLEAN("deferrable"),
        BOOLEAN("disabled"),
        STRING("forIndexCatalogName"),
        STRING("forIndexName"),
        STRING("forIndexSchemaName"),
        BOOLEAN("initiallyDeferred"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        STRING("tablespace"),
        BOOLEAN("validate"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam alter_sequence_params[] = {
        INTEGER("cacheSize"),
        STRING("catalogName"),
        BOOLEAN("cycle"),
        STRING("dataType"),
        INTEGER("incrementBy"),
        INTEGER("maxValue"),
        INTEGER("minValue"),
        BOOLEAN("ordered"),
        STRING("schemaName"),
        REQUIRED("sequenceName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam create_index_params[] = {
        { "associatedWith", PARAM_STRING, PARAM_UNSUMMED, NULL },
        STRING("catalogName"),
        BOOLEAN("clustered"),
        REQUIRED_COLUMNS("columns"),
        STRING("indexName"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        STRING("tablespace"),
        BOOLEAN("unique"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam create_procedure_params[] = {
        STRING("catalogName"),
        { "comments", PARAM_STRING, PARAM_UNSUMMED_9, NULL },
        { "dbms", PARAM_STRING, PARAM_UNSUMMED_9, NULL },
        { "encoding", PARAM_STRING, PARAM_UNSUMMED_9, NULL },
        { "path", PARAM_STRING, PARAM_UNSUMMED_9, NULL },
        STRING("procedureName"),
        { "procedureText", PARAM_STRING, PARAM_DIRECT | PARAM_UNSUMMED_9, NULL },
        { "relativeToChangelogFile", PARAM_BOOLEAN, PARAM_UNSUMMED_9, NULL },
        BOOLEAN("replaceIfExists"),
        STRING("schemaName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam create_sequence_params[] = {
        INTEGER("cacheSize"),
        STRING("catalogName"),
        BOOLEAN("cycle"),
        STRING("dataType"),
        INTEGER("incrementBy"),
        INTEGER("maxValue"),
        INTEGER("minValue"),
        BOOLEAN("ordered"),
        STRING("schemaName"),
        REQUIRED("sequenceName"),
        INTEGER("startValue"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam create_table_params[] = {
        STRING("catalogName"),
        REQUIRED_COLUMNS("columns"),
        { "ifNotExists", PARAM_BOOLEAN, PARAM_UNSUMMED, NULL },
        STRING("remarks"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        STRING("tableType"),
        STRING("tablespace"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam create_view_params[] = {
        STRING("catalogName"),
        { "encoding", PARAM_STRING, PARAM_UNSUMMED_9, NULL },
        BOOLEAN("fullDefinition"),
        { "path", PARAM_STRING, PARAM_UNSUMMED_9, NULL },
        { "relativeToChangelogFile", PARAM_BOOLEAN, PARAM_UNSUMMED_9, NULL },
        STRING("remarks"),
        BOOLEAN("replaceIfExists"),
        STRING("schemaName"),
        { "selectQuery", PARAM_STRING, PARAM_DIRECT | PARAM_UNSUMMED_9, NULL },
        REQUIRED("viewName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam delete_params[] = {
        STRING("catalogName"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        STRING("where"),
        { "whereParams", PARAM_MAP, PARAM_UNSUMMED, NULL },
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_all_foreign_key_constraints_params[] = {
        STRING("baseTableCatalogName"),
        REQUIRED("baseTableName"),
        STRING("baseTableSchemaName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_column_params[] = {
        STRING("catalogName"),
        STRING("columnName"),
        COLUMNS("columns"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_default_value_params[] = {
        STRING("catalogName"),
        STRING("columnDataType"),
        REQUIRED("columnName"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_foreign_key_constraint_params[] = {
        STRING("baseTableCatalogName"),
        REQUIRED("baseTableName"),
        STRING("baseTableSchemaName"),
        REQUIRED("constraintName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_index_params[] = {
        STRING("catalogName"),
        REQUIRED("indexName"),
        STRING("schemaName"),
        STRING("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_not_null_constraint_params[] = {
        STRING("catalogName"),
        STRING("columnDataType"),
        REQUIRED("columnName"),
        STRING("constraintName"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_primary_key_params[] = {
        STRING("catalogName"),
        STRING("constraintName"),
        BOOLEAN("dropIndex"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_procedure_params[] = {
        STRING("catalogName"),
        REQUIRED("procedureName"),
        STRING("schemaName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_sequence_params[] = {
        STRING("catalogName"),
        STRING("schemaName"),
        REQUIRED("sequenceName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_table_params[] = {
        BOOLEAN("cascadeConstraints"),
        STRING("catalogName"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_unique_constraint_params[] = {
        STRING("catalogName"),
        REQUIRED("constraintName"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        STRING("uniqueColumns"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam drop_view_params[] = {
        STRING("catalogName"),
        BOOLEAN("ifExists"),
        STRING("schemaName"),
        REQUIRED("viewName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam execute_command_params[] = {
        REQUIRED("executable"),
        STRING("timeout"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam insert_params[] = {
        STRING("catalogName"),
        REQUIRED_COLUMNS("columns"),
        STRING("dbms"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam load_data_params[] = {
        STRING("catalogName"),
        COLUMNS("columns"),
        { "commentLineStartsWith", PARAM_STRING, 0, "#" },
        STRING("encoding"),
        REQUIRED("file"),
        { "quotchar", PARAM_STRING, 0, "\"" },
        BOOLEAN("relativeToChangelogFile"),
        STRING("schemaName"),
        { "separator", PARAM_STRING, 0, "," },
        REQUIRED("tableName"),
        BOOLEAN("usePreparedStatements"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam load_update_data_params[] = {
        STRING("catalogName"),
        COLUMNS("columns"),
        { "commentLineStartsWith", PARAM_STRING, 0, "#" },
        STRING("encoding"),
        REQUIRED("file"),
        { "onlyUpdate", PARAM_BOOLEAN, 0, "false" },
        REQUIRED("primaryKey"),
        { "quotchar", PARAM_STRING, 0, "\"" },
        BOOLEAN("relativeToChangelogFile"),
        STRING("schemaName"),
        { "separator", PARAM_STRING, 0, "," },
        REQUIRED("tableName"),
        BOOLEAN("usePreparedStatements"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam merge_columns_params[] = {
        STRING("catalogName"),
        REQUIRED("column1Name"),
        REQUIRED("column2Name"),
        REQUIRED("finalColumnName"),
        REQUIRED("finalColumnType"),
        STRING("joinString"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam modify_data_type_params[] = {
        STRING("catalogName"),
        REQUIRED("columnName"),
        REQUIRED("newDataType"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam output_params[] = {
        { "message", PARAM_STRING, PARAM_DIRECT, NULL },
        { "target", PARAM_STRING, 0, "STDERR" },
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam rename_column_params[] = {
        STRING("catalogName"),
        STRING("columnDataType"),
        REQUIRED("newColumnName"),
        REQUIRED("oldColumnName"),
        STRING("remarks"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam rename_sequence_params[] = {
        STRING("catalogName"),
        REQUIRED("newSequenceName"),
        REQUIRED("oldSequenceName"),
        STRING("schemaName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam rename_table_params[] = {
        STRING("catalogName"),
        REQUIRED("newTableName"),
        REQUIRED("oldTableName"),
        STRING("schemaName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam rename_view_params[] = {
        STRING("catalogName"),
        REQUIRED("newViewName"),
        REQUIRED("oldViewName"),
        STRING("schemaName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam set_column_remarks_params[] = {
        STRING("catalogName"),
        STRING("columnDataType"),
        REQUIRED("columnName"),
        STRING("columnParentType"),
        STRING("remarks"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam set_table_remarks_params[] = {
        STRING("catalogName"),
        STRING("remarks"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam sql_params[] = {
        STRING("comment"),
        STRING("dbms"),
        STRING("endDelimiter"),
        BOOLEAN("ignoreOriginalSplitStatements"),
        BOOLEAN("splitStatements"),
        { "sql", PARAM_STRING, PARAM_REQUIRED | PARAM_DIRECT, NULL },
        BOOLEAN("stripComments"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam sql_file_params[] = {
        STRING("dbms"),
        STRING("encoding"),
        STRING("endDelimiter"),
        BOOLEAN("ignoreOriginalSplitStatements"),
        REQUIRED("path"),
        BOOLEAN("relativeToChangelogFile"),
        BOOLEAN("splitStatements"),
        BOOLEAN("stripComments"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam stop_params[] = {
        { "message", PARAM_STRING, 0, "Stop command in changelog file" },
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam tag_database_params[] = {
        STRING("tag"),
        { NULL, PARAM_STRING, 0, NULL },
};

static const ChangeParam update_params[] = {
        STRING("catalogName"),
        REQUIRED_COLUMNS("columns"),
        STRING("schemaName"),
        REQUIRED("tableName"),
        STRING("where"),
        { "whereParams", PARAM_MAP, PARAM_UNSUMMED, NULL },
        { NULL, PARAM_STRING, 0, NULL },
};

#define SQL(name) change_sql_##name
#define INVERSE(name) change_inverse_##name
#define JAVA "it runs Java, which only Liquibase can"
#define COMMERCIAL "only the commercial Liquibase has it"

const ChangeType change_types[] = {
        { .name = "addAutoIncrement", .params = add_auto_increment_params, .sql = SQL(add_auto_increment) },
        { .name = "addColumn", .params = add_column_params, .sql = SQL(add_column), .inverse = INVERSE(add_column) },
        { .name = "addDefaultValue", .params = add_default_value_params, .sql = SQL(add_default_value), .inverse = INVERSE(add_default_value) },
        { .name = "addForeignKeyConstraint", .params = add_foreign_key_constraint_params, .sql = SQL(add_foreign_key_constraint), .inverse = INVERSE(add_foreign_key_constraint) },
        { .name = "addLookupTable", .params = add_lookup_table_params, .sql = SQL(add_lookup_table), .inverse = INVERSE(add_lookup_table) },
        { .name = "addNotNullConstraint", .params = add_not_null_constraint_params, .sql = SQL(add_not_null_constraint), .inverse = INVERSE(add_not_null_constraint) },
        { .name = "addPrimaryKey", .params = add_primary_key_params, .sql = SQL(add_primary_key), .inverse = INVERSE(add_primary_key) },
        { .name = "addUniqueConstraint", .params = add_unique_constraint_params, .sql = SQL(add_unique_constraint), .inverse = INVERSE(add_unique_constraint) },
        { .name = "alterSequence", .params = alter_sequence_params, .sql = SQL(alter_sequence) },
        { .name = "createIndex", .params = create_index_params, .sql = SQL(create_index), .inverse = INVERSE(create_index) },
        { .name = "createProcedure", .params = create_procedure_params, .sql = SQL(create_procedure) },
        { .name = "createSequence", .params = create_sequence_params, .sql = SQL(create_sequence), .inverse = INVERSE(create_sequence) },
        { .name = "createTable", .params = create_table_params, .sql = SQL(create_table), .inverse = INVERSE(create_table) },
        { .name = "createView", .params = create_view_params, .sql = SQL(create_view), .inverse = INVERSE(create_view) },
        { .name = "customChange", .params = no_params, .refused = JAVA, .unknown_sum = true },
        { .name = "delete", .params = delete_params, .sql = SQL(delete) },
        { .name = "dropAllForeignKeyConstraints", .params = drop_all_foreign_key_constraints_params, .sql = SQL(drop_all_foreign_key_constraints) },
        { .name = "dropColumn", .params = drop_column_params, .sql = SQL(drop_column) },
        { .name = "dropDefaultValue", .params = drop_default_value_params, .sql = SQL(drop_default_value) },
        { .name = "dropForeignKeyConstraint", .params = drop_foreign_key_constraint_params, .sql = SQL(drop_foreign_key_constraint) },
        { .name = "dropIndex", .params = drop_index_params, .sql = SQL(drop_index) },
        { .name = "dropNotNullConstraint", .params = drop_not_null_constraint_params, .sql = SQL(drop_not_null_constraint), .inverse = INVERSE(drop_not_null_constraint) },
        { .name = "dropPrimaryKey", .params = drop_primary_key_params, .sql = SQL(drop_primary_key) },
        { .name = "dropProcedure", .params = drop_procedure_params, .sql = SQL(drop_procedure) },
        { .name = "dropSequence", .params = drop_sequence_params, .sql = SQL(drop_sequence) },
        { .name = "dropTable", .params = drop_table_params, .sql = SQL(drop_table) },
        { .name = "dropUniqueConstraint", .params = drop_unique_constraint_params, .sql = SQL(drop_unique_constraint) },
        { .name = "dropView", .params = drop_view_params, .sql = SQL(drop_view) },
        { .name = "empty", .params = no_params, .no_inverse_needed = true },
        { .name = "executeCommand", .params = execute_command_params, .runs_program = true },
        { .name = "insert", .params = insert_params, .sql = SQL(insert), .reads_database = true },
        { .name = "loadData", .params = load_data_params, .sql = SQL(load_data), .reads_database = true },
        { .name = "loadUpdateData", .params = load_update_data_params, .sql = SQL(load_update_data), .inverse = INVERSE(load_update_data), .reads_database = true },
        { .name = "mergeColumns", .params = merge_columns_params, .sql = SQL(merge_columns) },
        { .name = "modifyDataType", .params = modify_data_type_params, .sql = SQL(modify_data_type) },
        { .name = "output", .params = output_params, .sql = SQL(output), .no_inverse_needed = true },
        { .name = "renameColumn", .params = rename_column_params, .sql = SQL(rename_column), .inverse = INVERSE(rename_column) },
        { .name = "renameSequence", .params = rename_sequence_params, .sql = SQL(rename_sequence), .inverse = INVERSE(rename_sequence) },
        { .name = "renameTable", .params = rename_table_params, .sql = SQL(rename_table), .inverse = INVERSE(rename_table) },
        { .name = "renameView", .params = rename_view_params, .sql = SQL(rename_view), .inverse = INVERSE(rename_view) },
        { .name = "setColumnRemarks", .params = set_column_remarks_params, .sql = SQL(set_column_remarks) },
        { .name = "setTableRemarks", .params = set_table_remarks_params, .sql = SQL(set_table_remarks) },
        { .name = "sql", .params = sql_params, .sql = SQL(sql) },
        { .name = "sqlFile", .params = sql_file_params, .sql = SQL(sql_file) },
        { .name = "stop", .params = stop_params, .sql = SQL(stop) },
        { .name = "tagDatabase", .params = tag_database_params, .no_inverse_needed = true },
        { .name = "update", .params = update_params, .sql = SQL(update), .reads_database = true },
        { .name = "createFunction", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "createTrigger", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "createPackage", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "createPackageBody", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "dropFunction", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "dropTrigger", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "dropPackage", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "dropPackageBody", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "renameTrigger", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "enableTrigger", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "disableTrigger", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "addCheckConstraint", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "dropCheckConstraint", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "enableCheckConstraint", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "disableCheckConstraint", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "markUnused", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "createSynonym", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = "dropSynonym", .params = no_params, .refused = COMMERCIAL, .unknown_sum = true },
        { .name = NULL },
};
/* clang-format on */

const ChangeType *change_type_find(const char *name)
{
        for (const ChangeType *t = change_types; t->name; t++)
                if (strcmp(t->name, name) == 0)
                        return t;
        return NULL;
}
