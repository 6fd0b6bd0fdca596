unit_tests += test_options test_config
test_options_SOURCES = tests/unit/test_options.c
test_options_LDADD = $(MAIN_LIBS) $(CMOCKA_LIBS)
test_config_SOURCES = tests/unit/test_config.c
test_config_LDADD = $(MAIN_LIBS) $(CMOCKA_LIBS)
