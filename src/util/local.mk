libutil_a_SOURCES = %D%/arena.c %D%/arena.h %D%/cleanup.h %D%/clock.c %D%/clock.h %D%/error.c %D%/error.def %D%/error.h \
  %D%/file.c %D%/file.h %D%/list.h %D%/log.c %D%/log.h %D%/parse.c %D%/parse.h %D%/secret.c \
  %D%/secret.h %D%/text.c %D%/text.h %D%/utf8.c %D%/utf8.h
