## What the HTTP floor needs of the floors below it; the engine is played by fake_dispatcher.c.
API_TEST_LIBS = libapi.a $(LOOP_LIBS) $(MHD_LIBS)
FAKE_ENGINE = tests/unit/fake_dispatcher.c tests/unit/fake_dispatcher.h
unit_tests += test_listener test_problem test_request test_router
test_listener_SOURCES = tests/unit/test_listener.c $(FAKE_ENGINE)
test_listener_LDADD = $(API_TEST_LIBS) $(CMOCKA_LIBS)
test_problem_SOURCES = tests/unit/test_problem.c $(FAKE_ENGINE)
test_problem_LDADD = $(API_TEST_LIBS) $(CMOCKA_LIBS)
test_request_SOURCES = tests/unit/test_request.c $(FAKE_ENGINE)
test_request_LDADD = $(API_TEST_LIBS) $(CMOCKA_LIBS)
test_router_SOURCES = tests/unit/test_router.c $(FAKE_ENGINE)
test_router_LDADD = $(API_TEST_LIBS) $(CMOCKA_LIBS)

## The real server over that engine, and two clients: one that knows the contract, one that misbehaves.
check_PROGRAMS += api_serve
api_serve_SOURCES = tests/unit/api_serve.c $(FAKE_ENGINE)
api_serve_LDADD = $(API_TEST_LIBS)
dist_check_SCRIPTS = tests/tools/http_chaos.py tests/tools/http_contract.py
TESTS += $(dist_check_SCRIPTS)
