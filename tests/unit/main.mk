## unit_tests += test_x ; test_x_SOURCES = tests/unit/test_x.c ; test_x_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
