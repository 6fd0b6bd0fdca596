libmain_a_SOURCES = %D%/config.c %D%/config.h %D%/config_file.c %D%/config_file.h %D%/nearest.c %D%/nearest.h \
  %D%/option_text.c %D%/option_text.h %D%/options.c %D%/options.def %D%/options.h %D%/setting.c %D%/setting.h
sbin_PROGRAMS += pgmigrated
pgmigrated_SOURCES = %D%/main.c
pgmigrated_LDADD = $(MAIN_LIBS)

## Writes the papers that come from the option and command tables.
noinst_PROGRAMS += write-papers
write_papers_SOURCES = %D%/write_papers.c
write_papers_LDADD = $(MAIN_LIBS)
