libpg_a_SOURCES = %D%/advisory_lock.c %D%/advisory_lock.h %D%/availability.c %D%/availability.h \
  %D%/cancel.c %D%/cancel.h %D%/connect.c %D%/gate.c %D%/gate.h %D%/outcome.c %D%/query.c %D%/result.c \
  %D%/scanner.c %D%/scanner.h %D%/scanner_kinds.c %D%/session.c %D%/session.h %D%/session_object.c %D%/session_object.h %D%/session_private.h \
  %D%/sql.inc %D%/sql_token.c %D%/sql_token.h %D%/sqlstate.c %D%/sqlstate.h %D%/target.c %D%/target.h
PG_SQL_FILES = src/pg/sql/gate.sql src/pg/sql/lock_holder.sql src/pg/sql/place.sql
EXTRA_DIST += script/sql2c $(PG_SQL_FILES)

## Writes the statements in src/pg/sql/ into the C file that holds them (kept in git).
.PHONY: sql
sql:
	cd $(srcdir) && $(AWK) -f script/sql2c $(PG_SQL_FILES) > src/pg/sql.inc
