/* The four syntaxes of changelogs: the first byte chooses one, the rest is the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/liquibase/syntax/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct {
                int (*read)(Node **, Arena *, const char *, size_t, const char *, Error *);
                const char *path;
        } readers[] = { { read_xml, "fuzz.xml" },
                        { read_yaml, "fuzz.yaml" },
                        { read_sql, "fuzz.sql" },
                        { read_yaml, "fuzz.json" } };
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 256 << 20);
        Error err = { .code = ERROR_NONE };
        Node *root = NULL;
        char *copy;

        if (size == 0)
                return 0;
        copy = calloc(1, size);
        memcpy(copy, data + 1, size - 1);
        if (readers[data[0] % 4].read(&root, &arena, copy, size - 1, readers[data[0] % 4].path,
                                      &err) >= 0)
                (void) node_text(root, "logicalFilePath");
        free(copy);
        return 0;
}
