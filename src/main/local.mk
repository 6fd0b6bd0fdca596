libmain_a_SOURCES = %D%/check_config.c %D%/commands.c %D%/commands.h %D%/config.c %D%/config.h %D%/config_file.c \
  %D%/config_file.h %D%/conninfo.c %D%/conninfo.h %D%/ctl.c %D%/direct.c %D%/nearest.c %D%/nearest.h %D%/new.c %D%/option_text.c \
  %D%/option_text.h %D%/options.c %D%/options.def %D%/options.h %D%/progress.c %D%/progress.h %D%/report.c \
  %D%/report.h %D%/serve.c %D%/setting.c %D%/setting.h
sbin_PROGRAMS += pgmigrated
pgmigrated_SOURCES = %D%/main.c
pgmigrated_LDADD = $(MAIN_LIBS)

## The papers that come from the option and command tables are kept in git; tests/lint/papers says when they are stale.
noinst_PROGRAMS += write-papers
write_papers_SOURCES = %D%/write_papers.c
write_papers_LDADD = $(MAIN_LIBS)

.PHONY: generate generate-papers
generate: generate-papers
generate-papers: write-papers
	$(MKDIR_P) $(srcdir)/etc $(srcdir)/docs
	./write-papers pgmigrated.conf >$(srcdir)/etc/pgmigrated.conf
	./write-papers pgmigrated.conf.5 >$(srcdir)/docs/pgmigrated.conf.5
	./write-papers pgmigrated.8 >$(srcdir)/docs/pgmigrated.8
	./write-papers configuration.md >$(srcdir)/docs/configuration.md
