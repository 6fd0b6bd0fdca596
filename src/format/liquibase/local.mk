libformat_a_SOURCES += \
  %D%/assess.c \
  %D%/checksum.h \
  %D%/condition.c \
  %D%/history.c \
  %D%/history_sql.c \
  %D%/java.h \
  %D%/liquibase.c \
  %D%/liquibase.h \
  %D%/loader.h \
  %D%/lock.c \
  %D%/match.c \
  %D%/match.h \
  %D%/model.h \
  %D%/node.c \
  %D%/node.h \
  %D%/path.c \
  %D%/prepare.c \
  %D%/properties.c \
  %D%/properties.h \
  %D%/read.c \
  %D%/script.c \
  %D%/splitter.h \
  %D%/sql.h \
  %D%/undo.c
