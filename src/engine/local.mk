libengine_a_SOURCES = %D%/apply.c %D%/apply.h %D%/apply_journalled.c %D%/apply_session.c %D%/batch.c %D%/batch.h \
  %D%/conversation.c %D%/conversation.h %D%/database.c %D%/database.h %D%/dispatcher.c \
  %D%/dispatcher.h %D%/dispatcher_private.h %D%/dispatcher_query.c %D%/drift.c %D%/drift.h %D%/drift_check.c %D%/drift_check.h %D%/sql.inc %D%/events.c %D%/events.h %D%/evidence.c %D%/evidence.h %D%/journal.c \
  %D%/journal.h %D%/operation.c %D%/operation.h %D%/operation_history.c %D%/operation_private.h %D%/plan.c %D%/plan.h %D%/findings.c %D%/findings.h \
  %D%/row_lock.c %D%/row_lock.h %D%/run.c %D%/run.h %D%/script.c %D%/script.h %D%/settings.c %D%/settings.h
ENGINE_SQL_FILES = src/engine/sql/drift.sql
EXTRA_DIST += $(ENGINE_SQL_FILES)
sql: sql-engine
.PHONY: sql-engine
sql-engine:
	cd $(srcdir) && $(AWK) -f script/sql2c $(ENGINE_SQL_FILES) > src/engine/sql.inc
