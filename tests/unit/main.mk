unit_tests += test_options test_config test_commands
test_options_SOURCES = tests/unit/test_options.c
test_options_LDADD = $(MAIN_LIBS) $(CMOCKA_LIBS)
test_config_SOURCES = tests/unit/test_config.c
test_config_LDADD = $(MAIN_LIBS) $(CMOCKA_LIBS)
test_commands_SOURCES = tests/unit/test_commands.c
test_commands_LDADD = $(MAIN_LIBS) $(CMOCKA_LIBS)

TESTS += tests/lint/papers
EXTRA_DIST += tests/lint/papers
