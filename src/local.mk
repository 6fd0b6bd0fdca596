## One static library a floor, listed bottom up. A unit test links its own floor and those below, so
## a call to a higher floor does not link: the layering is checked by the linker as well as by
## tests/lint/layers.
noinst_LIBRARIES += libutil.a libloop.a libpg.a libstore.a libformat.a libengine.a libapi.a libmain.a
include src/util/local.mk
include src/loop/local.mk
include src/pg/local.mk
include src/store/local.mk
include src/format/local.mk
include src/engine/local.mk
include src/api/local.mk
include src/main/local.mk

UTIL_LIBS = libutil.a $(JANSSON_LIBS) $(SYSTEMD_LIBS)
LOOP_LIBS = libloop.a $(UTIL_LIBS)
PG_LIBS = libpg.a $(LOOP_LIBS) $(PQ_LIBS)
STORE_LIBS = libstore.a $(UTIL_LIBS) $(SQLITE_LIBS)
FORMAT_DEP_LIBS = $(ZLIB_LIBS) $(CRYPTO_LIBS) $(EXPAT_LIBS) $(YAML_LIBS) $(PCRE2_LIBS) $(UNISTRING_LIBS)
FORMAT_LIBS = libformat.a $(PG_LIBS) $(FORMAT_DEP_LIBS)
ENGINE_LIBS = libengine.a libformat.a libstore.a $(PG_LIBS) $(SQLITE_LIBS) $(FORMAT_DEP_LIBS)
API_LIBS = libapi.a $(ENGINE_LIBS) $(MHD_LIBS)
MAIN_LIBS = libmain.a $(API_LIBS) $(CURL_LIBS)
