/* Any text as modifySql and as raw SQL: the first byte says which visitor and which options, the first two lines what it replaces and with
 * what, the rest is the SQL. What comes of it lies within its text, or is refused with an error that says why. */
#include <stdlib.h>
#include <string.h>

#include "format/liquibase/sql/change_sql.h"

static void check_statements(const SqlList *out)
{
        for (size_t i = 0; i < out->n; i++) {
                const SqlStatement *st = &out->items[i];

                if (memchr(st->sql, '\0', st->len))
                        abort();
                if (st->node &&
                    (st->at > strlen(st->node->value) || node_value_line(st->node, st->at) == 0))
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
        _cleanup_arena_ Arena a = ARENA_INIT((size_t) 256 << 20);
        static const ChangelogFile file = { .path = "c.xml",
                                            .physical = "c.xml",
                                            .logical = "c.xml" };
        const SqlContext x = { .default_schema = "public" };
        unsigned options = size > 0 ? data[0] : 0;
        char *text = arena_strndup(&a, (const char *) data + (size > 0), size - (size > 0));
        Field fields[] = { { .name = "stripComments", .text = options & 8 ? "true" : "false" },
                           { .name = "splitStatements", .text = options & 16 ? "false" : "true" } };
        Visitor visitor = { .kind = (VisitorKind) (options % _VISITOR_KIND_MAX) };
        Node node = { .name = "sql", .type = NODE_TEXT, .line = 1, .value_line = 1 };
        ChangeSet set = { .id = "1",
                          .author = "a",
                          .path = "c.xml",
                          .file = &file,
                          .n_changes = 1,
                          .visitors = &visitor,
                          .n_visitors = options & 32 ? 0 : 1 };
        Change change = { .type = change_type_find("sql"), .set = &set, .node = &node };
        SqlList out = { .arena = &a };
        Error err = { 0 };

        if (!text || size > 20000)
                return 0;
        visitor.replace = visitor.value = strsep(&text, "\n");
        visitor.with = text ? strsep(&text, "\n") : "";
        change.sql = node.value = text ? text : "";
        change.fields = (Object){ .fields = fields, .n_fields = 2 };
        set.changes = &change;
        if (changeset_sql(&out, &set, &x, &err) < 0) {
                if (!*err.text)
                        abort();
                return 0;
        }
        check_statements(&out);
        return 0;
}
