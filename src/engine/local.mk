libengine_a_SOURCES = %D%/apply.c %D%/apply.h %D%/apply_journalled.c %D%/batch.c %D%/batch.h \
  %D%/conversation.c %D%/conversation.h %D%/database.c %D%/database.h %D%/dispatcher.c \
  %D%/dispatcher.h %D%/dispatcher_private.h %D%/dispatcher_query.c %D%/events.c %D%/events.h %D%/evidence.c %D%/evidence.h %D%/journal.c \
  %D%/journal.h %D%/operation.c %D%/operation.h %D%/plan.c %D%/plan.h %D%/findings.c %D%/findings.h \
  %D%/run.c %D%/run.h %D%/script.c %D%/script.h %D%/settings.c %D%/settings.h
