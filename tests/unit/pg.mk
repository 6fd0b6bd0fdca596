## unit_tests += test_x ; test_x_SOURCES = tests/unit/test_x.c ; test_x_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
unit_tests += test_sqlstate test_target test_availability test_session
test_sqlstate_SOURCES = tests/unit/test_sqlstate.c
test_sqlstate_LDADD = $(PG_LIBS) $(CMOCKA_LIBS)
test_target_SOURCES = tests/unit/test_target.c
test_target_LDADD = $(PG_LIBS) $(CMOCKA_LIBS)
test_availability_SOURCES = tests/unit/test_availability.c tests/lib/fake_server.h tests/lib/in_fiber.h
test_availability_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/lib
test_availability_LDADD = $(PG_LIBS) $(CMOCKA_LIBS)
## Needs a server: PGMIGRATED_TEST_URL, a superuser's; skips itself without.
test_session_SOURCES = tests/unit/test_session.c tests/lib/in_fiber.h
test_session_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/lib
test_session_LDADD = $(PG_LIBS) $(CMOCKA_LIBS)
unit_tests += test_scanner test_scanner_kinds test_session_object
test_session_object_SOURCES = tests/unit/test_session_object.c
test_session_object_LDADD = $(PG_LIBS) $(CMOCKA_LIBS)
test_scanner_SOURCES = tests/unit/test_scanner.c
test_scanner_LDADD = $(PG_LIBS) $(CMOCKA_LIBS)
test_scanner_kinds_SOURCES = tests/unit/test_scanner_kinds.c
test_scanner_kinds_LDADD = $(PG_LIBS) $(CMOCKA_LIBS)
EXTRA_DIST += tests/vectors/flyway.json
