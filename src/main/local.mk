libmain_a_SOURCES =
sbin_PROGRAMS += pgmigrated
pgmigrated_SOURCES = %D%/main.c
pgmigrated_LDADD = $(MAIN_LIBS)
