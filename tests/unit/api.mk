## What the HTTP floor needs of the floors below it; the engine is played by fake_dispatcher.c.
API_TEST_LIBS = libapi.a $(LOOP_LIBS) $(MHD_LIBS)
FAKE_ENGINE = tests/unit/fake_dispatcher.c tests/unit/fake_dispatcher.h
unit_tests += test_problem test_request test_router
test_problem_SOURCES = tests/unit/test_problem.c $(FAKE_ENGINE)
test_problem_LDADD = $(API_TEST_LIBS) $(CMOCKA_LIBS)
test_request_SOURCES = tests/unit/test_request.c $(FAKE_ENGINE)
test_request_LDADD = $(API_TEST_LIBS) $(CMOCKA_LIBS)
test_router_SOURCES = tests/unit/test_router.c $(FAKE_ENGINE)
test_router_LDADD = $(API_TEST_LIBS) $(CMOCKA_LIBS)

## For tests/tools/http_chaos.py.
check_PROGRAMS += api_serve
api_serve_SOURCES = tests/unit/api_serve.c $(FAKE_ENGINE)
api_serve_LDADD = $(API_TEST_LIBS)
EXTRA_DIST += tests/tools/http_chaos.py
