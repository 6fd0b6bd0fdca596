unit_tests += test_events
test_events_SOURCES = tests/unit/test_events.c $(TORTURE_SOURCES)
test_events_CPPFLAGS = $(TORTURE_CPPFLAGS)
test_events_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
test_events_LDADD = $(ENGINE_LIBS) $(CMOCKA_LIBS)
