## Unit tests: one test_<noun>.c per noun, linking its own floor and those below. Each floor's rows are in its own fragment.
if HAVE_CMOCKA
include tests/unit/util.mk
include tests/unit/loop.mk
include tests/unit/pg.mk
include tests/unit/store.mk
include tests/unit/format.mk
include tests/unit/engine.mk
include tests/unit/api.mk
include tests/unit/main.mk
endif
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
AM_TESTS_ENVIRONMENT = srcdir='$(srcdir)'; export srcdir; CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT;
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh

## Fuzz targets (--enable-fuzz, clang): fuzz_<noun>.c, run by script/test for a fixed number of inputs.
if FUZZ
include tests/fuzz/local.mk
noinst_PROGRAMS += $(fuzz_programs)
endif
