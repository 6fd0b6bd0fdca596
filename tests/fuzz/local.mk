## fuzz_programs += fuzz_x ; fuzz_x_SOURCES = tests/fuzz/fuzz_x.c ; fuzz_x_CFLAGS/_LDFLAGS = ... -fsanitize=fuzzer
fuzz_programs += fuzz_http_body
fuzz_http_body_SOURCES = tests/fuzz/fuzz_http_body.c tests/unit/fake_dispatcher.c tests/unit/fake_dispatcher.h
fuzz_http_body_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_http_body_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_http_body_LDADD = libapi.a $(LOOP_LIBS) $(MHD_LIBS)
fuzz_programs += fuzz_config
fuzz_config_SOURCES = tests/fuzz/fuzz_config.c
fuzz_config_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_config_LDADD = $(MAIN_LIBS)
fuzz_programs += fuzz_scanner
fuzz_scanner_SOURCES = tests/fuzz/fuzz_scanner.c
fuzz_scanner_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_scanner_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_scanner_LDADD = libpg.a libutil.a
fuzz_programs += fuzz_flyway_names fuzz_flyway_conf
fuzz_flyway_names_SOURCES = tests/fuzz/fuzz_flyway_names.c
fuzz_flyway_names_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_flyway_names_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_flyway_names_LDADD = $(FORMAT_LIBS)
fuzz_flyway_conf_SOURCES = tests/fuzz/fuzz_flyway_conf.c
fuzz_flyway_conf_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_flyway_conf_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_flyway_conf_LDADD = $(FORMAT_LIBS)
fuzz_programs += fuzz_liquibase_readers fuzz_liquibase_splitter fuzz_liquibase_text
fuzz_liquibase_readers_SOURCES = tests/fuzz/fuzz_liquibase_readers.c
fuzz_liquibase_readers_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_liquibase_readers_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_liquibase_readers_LDADD = $(FORMAT_LIBS)
fuzz_liquibase_splitter_SOURCES = tests/fuzz/fuzz_liquibase_splitter.c
fuzz_liquibase_splitter_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_liquibase_splitter_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_liquibase_splitter_LDADD = $(FORMAT_LIBS)
fuzz_liquibase_text_SOURCES = tests/fuzz/fuzz_liquibase_text.c
fuzz_liquibase_text_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_liquibase_text_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_liquibase_text_LDADD = $(FORMAT_LIBS)
fuzz_programs += fuzz_liquibase_sql
fuzz_liquibase_sql_SOURCES = tests/fuzz/fuzz_liquibase_sql.c
fuzz_liquibase_sql_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_liquibase_sql_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_liquibase_sql_LDADD = $(FORMAT_LIBS)
fuzz_programs += fuzz_liquibase_csv
fuzz_liquibase_csv_SOURCES = tests/fuzz/fuzz_liquibase_csv.c
fuzz_liquibase_csv_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_liquibase_csv_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_liquibase_csv_LDADD = $(FORMAT_LIBS)
fuzz_programs += fuzz_liquibase_changeset
fuzz_liquibase_changeset_SOURCES = tests/fuzz/fuzz_liquibase_changeset.c
fuzz_liquibase_changeset_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
fuzz_liquibase_changeset_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
fuzz_liquibase_changeset_LDADD = $(FORMAT_LIBS)
