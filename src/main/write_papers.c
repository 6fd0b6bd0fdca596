/* write-papers KIND: one text that comes from the tables, to standard output. For make generate and tests/lint/papers. */
#include <stdio.h>
#include <string.h>

#include "main/commands.h"
#include "main/option_text.h"

static void write_example(Text *out)
{
        option_text(OPTION_TEXT_EXAMPLE, out);
}

static void write_file_manual(Text *out)
{
        option_text(OPTION_TEXT_MAN, out);
}

static void write_markdown(Text *out)
{
        option_text(OPTION_TEXT_MARKDOWN, out);
}

static const struct {
        const char *kind;
        void (*write)(Text *out);
} papers[] = {
        { "pgmigrated.conf", write_example },
        { "pgmigrated.conf.5", write_file_manual },
        { "configuration.md", write_markdown },
        { "pgmigrated.8", command_manual },
};

int main(int argc, char *argv[])
{
        _cleanup_text_ Text out = TEXT_INIT(1 << 20);

        for (size_t i = 0; argc == 2 && i < sizeof papers / sizeof *papers; i++)
                if (strcmp(argv[1], papers[i].kind) == 0)
                        papers[i].write(&out);
        if (out.bad || out.len == 0) {
                (void) fprintf(stderr, "write-papers: which of pgmigrated.conf, pgmigrated.conf.5, "
                                       "configuration.md, pgmigrated.8?\n");
                return 64;
        }
        return fputs(text_str(&out), stdout) < 0 || fflush(stdout) ? 74 : 0;
}
