unit_tests += test_store
test_store_SOURCES = tests/unit/test_store.c
test_store_LDADD = $(STORE_LIBS) $(CMOCKA_LIBS)
