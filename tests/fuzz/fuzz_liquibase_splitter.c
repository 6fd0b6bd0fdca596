/* Liquibase's splitter: the first byte holds the options, then comes a delimiter up to a NUL byte, then the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/liquibase/sql/splitter.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 256 << 20);
        Error err = { .code = ERROR_NONE };
        char *copy, *delimiter, *text;
        Split *pieces;
        size_t n;

        if (size < 2)
                return 0;
        copy = calloc(1, size + 2);
        memcpy(copy, data + 1, size - 1);
        delimiter = copy;
        text = copy + strlen(copy) + 1;
        if (text < copy + size && utf8_valid_prefix(text, strlen(text)) == strlen(text) &&
            utf8_valid_prefix(delimiter, strlen(delimiter)) == strlen(delimiter))
                (void) split_statements(
                        &pieces, &n, &arena, text, strlen(text),
                        &(SplitOptions){ .strip_comments = data[0] & 1,
                                         .split = data[0] & 2,
                                         .delimiter = data[0] & 4 ? delimiter : NULL },
                        NULL, &err);
        free(copy);
        return 0;
}
