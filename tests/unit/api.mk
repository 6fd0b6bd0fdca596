## What the HTTP floor needs of the floors below it; the engine is played by fake_dispatcher.c.
API_TEST_LIBS = libapi.a $(LOOP_LIBS) $(MHD_LIBS)
FAKE_ENGINE = tests/unit/fake_dispatcher.c tests/unit/fake_dispatcher.h

## Serves until SIGTERM, for clients that misbehave.
check_PROGRAMS += api_serve
api_serve_SOURCES = tests/unit/api_serve.c $(FAKE_ENGINE)
api_serve_LDADD = $(API_TEST_LIBS)
