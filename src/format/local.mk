libformat_a_SOURCES = %D%/changelog.c %D%/format.c %D%/format.h %D%/script_text.c
