FLYWAY_VECTORS = tests/unit/flyway_vectors.h
unit_tests += test_script_text test_flyway_names test_flyway_checksum test_flyway_lock test_flyway_read \
  test_flyway_assess test_flyway_sql
test_script_text_SOURCES = tests/unit/test_script_text.c
test_script_text_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_flyway_names_SOURCES = tests/unit/test_flyway_names.c $(FLYWAY_VECTORS)
test_flyway_names_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_flyway_checksum_SOURCES = tests/unit/test_flyway_checksum.c $(FLYWAY_VECTORS)
test_flyway_checksum_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_flyway_lock_SOURCES = tests/unit/test_flyway_lock.c $(FLYWAY_VECTORS)
test_flyway_lock_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_flyway_read_SOURCES = tests/unit/test_flyway_read.c $(FLYWAY_VECTORS)
test_flyway_read_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_flyway_assess_SOURCES = tests/unit/test_flyway_assess.c
test_flyway_assess_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_flyway_sql_SOURCES = tests/unit/test_flyway_sql.c
test_flyway_sql_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
unit_tests += test_liquibase_java test_liquibase_read
test_liquibase_java_SOURCES = tests/unit/test_liquibase_java.c
test_liquibase_java_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_liquibase_read_SOURCES = tests/unit/test_liquibase_read.c
test_liquibase_read_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
unit_tests += test_liquibase_match test_liquibase_properties test_liquibase_load
test_liquibase_match_SOURCES = tests/unit/test_liquibase_match.c
test_liquibase_match_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_liquibase_properties_SOURCES = tests/unit/test_liquibase_properties.c
test_liquibase_properties_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_liquibase_load_SOURCES = tests/unit/test_liquibase_load.c
test_liquibase_load_LDADD = $(FORMAT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
EXTRA_DIST += tests/vectors/flyway.json
unit_tests += test_liquibase_splitter test_liquibase_read_sql
test_liquibase_splitter_SOURCES = tests/unit/test_liquibase_splitter.c
test_liquibase_splitter_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_liquibase_read_sql_SOURCES = tests/unit/test_liquibase_read_sql.c
test_liquibase_read_sql_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)

unit_tests += test_liquibase_names test_liquibase_types test_liquibase_values test_liquibase_ddl
test_liquibase_names_SOURCES = tests/unit/test_liquibase_names.c
test_liquibase_names_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_liquibase_types_SOURCES = tests/unit/test_liquibase_types.c
test_liquibase_types_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_liquibase_values_SOURCES = tests/unit/test_liquibase_values.c tests/unit/liquibase_json.h
test_liquibase_values_LDADD = $(FORMAT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
test_liquibase_ddl_SOURCES = tests/unit/test_liquibase_ddl.c tests/unit/liquibase_json.h
test_liquibase_ddl_LDADD = $(FORMAT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
unit_tests += test_liquibase_digest test_liquibase_history
test_liquibase_digest_SOURCES = tests/unit/test_liquibase_digest.c
test_liquibase_digest_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)
test_liquibase_history_SOURCES = tests/unit/test_liquibase_history.c
test_liquibase_history_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)

unit_tests += test_liquibase_sums
test_liquibase_sums_SOURCES = tests/unit/test_liquibase_sums.c
test_liquibase_sums_LDADD = $(FORMAT_LIBS) $(CMOCKA_LIBS)

## Answers questions about Liquibase's changelogs for tests/integration/test_liquibase_*.py.
check_PROGRAMS += liquibase_probe
liquibase_probe_SOURCES = tests/unit/liquibase_probe.c
liquibase_probe_LDADD = $(FORMAT_LIBS)

## The SQL of a changelog, for tests/integration/test_liquibase_sql.py.
check_PROGRAMS += liquibase_sql
liquibase_sql_SOURCES = tests/tools/liquibase_sql.c
liquibase_sql_LDADD = $(FORMAT_LIBS) $(JANSSON_LIBS)

unit_tests += test_liquibase_dml test_liquibase_load_data test_liquibase_changeset_sql
test_liquibase_dml_SOURCES = tests/unit/test_liquibase_dml.c tests/unit/liquibase_folder.h tests/unit/liquibase_json.h
test_liquibase_dml_LDADD = $(FORMAT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
test_liquibase_load_data_SOURCES = tests/unit/test_liquibase_load_data.c tests/unit/liquibase_folder.h tests/unit/liquibase_json.h
test_liquibase_load_data_LDADD = $(FORMAT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
test_liquibase_changeset_sql_SOURCES = tests/unit/test_liquibase_changeset_sql.c tests/unit/liquibase_folder.h tests/unit/liquibase_json.h
test_liquibase_changeset_sql_LDADD = $(FORMAT_LIBS) $(JANSSON_LIBS) $(CMOCKA_LIBS)
