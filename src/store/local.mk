libstore_a_SOURCES = %D%/store.c %D%/store.h
