#include "format/liquibase/sql/sql_body.h"

#include <string.h>
#include <strings.h>

#include "format/liquibase/sql/sql_lexeme.h"

int sql_body(const char **ret, Arena *a, const Change *c, const SqlContext *x,
             const char *attribute, Error *err)
{
        const char *path = sql_attribute(c, "path");
        Content content;
        int r;

        *ret = sql_attribute(c, attribute);
        if (*ret || !path)
                return 0;
        r = content_read(&content, a, x, c, path,
                         object_flag(&c->fields, "relativeToChangelogFile", false),
                         sql_attribute(c, "encoding"), err);
        if (r < 0)
                return r;
        r = content_expand(&content, a, x, c, err);
        if (r < 0)
                return r;
        *ret = content.text;
        return 0;
}

const char *sql_find_word(const char *s, const char *word)
{
        size_t len = strlen(s), n = strlen(word);

        for (size_t at = 0; at < len;) {
                size_t end = sql_lexeme_skip(s, len, at);

                if (end == at)
                        while (end < len && sql_is_name_char(s[end]))
                                end++;
                if (end - at == n && strncasecmp(s + at, word, n) == 0)
                        return s + at;
                at = end > at ? end : at + 1;
        }
        return NULL;
}
