unit_tests += test_fiber
test_fiber_SOURCES = tests/unit/test_fiber.c tests/lib/in_fiber.h
test_fiber_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/lib
test_fiber_LDADD = $(LOOP_LIBS) $(CMOCKA_LIBS)
