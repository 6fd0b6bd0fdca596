libpg_a_SOURCES = %D%/advisory_lock.c %D%/advisory_lock.h %D%/availability.c %D%/availability.h \
  %D%/cancel.c %D%/cancel.h %D%/query.c %D%/scanner.c %D%/scanner.h %D%/scanner_kinds.c %D%/session.c \
  %D%/session.h %D%/sql_token.c %D%/sql_token.h %D%/sqlstate.c %D%/sqlstate.h %D%/target.c
