## The floor that everything stands on. WRAP_ALLOC lets tests/lib/torture.c fail any one allocation.
WRAP_ALLOC = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=strndup
TORTURE_SOURCES = tests/lib/torture.c tests/lib/torture.h
TORTURE_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/lib

unit_tests += test_clock test_error test_file test_parse test_secret test_text test_utf8
test_clock_SOURCES = tests/unit/test_clock.c
test_clock_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
test_error_SOURCES = tests/unit/test_error.c
test_error_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
test_file_SOURCES = tests/unit/test_file.c $(TORTURE_SOURCES)
test_file_CPPFLAGS = $(TORTURE_CPPFLAGS)
test_file_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
test_file_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
test_parse_SOURCES = tests/unit/test_parse.c
test_parse_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
test_secret_SOURCES = tests/unit/test_secret.c $(TORTURE_SOURCES)
test_secret_CPPFLAGS = $(TORTURE_CPPFLAGS)
test_secret_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
test_secret_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
test_text_SOURCES = tests/unit/test_text.c $(TORTURE_SOURCES)
test_text_CPPFLAGS = $(TORTURE_CPPFLAGS)
test_text_LDFLAGS = $(AM_LDFLAGS) $(WRAP_ALLOC)
test_text_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
test_utf8_SOURCES = tests/unit/test_utf8.c
test_utf8_LDADD = $(UTIL_LIBS) $(CMOCKA_LIBS)
