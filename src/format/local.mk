libformat_a_SOURCES = %D%/changelog.c %D%/changelog.h %D%/format.c %D%/format.h %D%/script_text.c \
  %D%/script_text.h %D%/flyway/arrange.c %D%/flyway/assess.c %D%/flyway/checksum.c \
  %D%/flyway/conf.c %D%/flyway/flyway.c %D%/flyway/flyway.h %D%/flyway/history.c %D%/flyway/lock.c \
  %D%/flyway/names.c %D%/flyway/options.c %D%/flyway/read.c %D%/flyway/repair.c \
  %D%/flyway/script.c %D%/flyway/sql.c %D%/flyway/validate.c %D%/flyway/version.c
include src/format/liquibase/local.mk
