/* write-papers KIND: one text that comes from the tables, to standard output. For make generate and tests/lint/papers. */
#include <stdio.h>
#include <string.h>

#include "main/option_text.h"

int main(int argc, char *argv[])
{
        _cleanup_text_ Text out = TEXT_INIT(1 << 20);

        for (int i = 0; argc == 2 && i < _OPTION_TEXT_MAX; i++)
                if (strcmp(argv[1], option_text_names[i]) == 0)
                        option_text((OptionText) i, &out);
        if (out.bad || out.len == 0) {
                (void) fprintf(stderr,
                               "write-papers: expected one of help, example, man, markdown\n");
                return 64;
        }
        return fputs(text_str(&out), stdout) < 0 || fflush(stdout) ? 74 : 0;
}
