#include <string.h>
#include <strings.h>

#include "format/liquibase/sql/change_sql.h"
#include "format/liquibase/sql/sql_body.h"
#include "format/liquibase/sql/sql_lexeme.h"

static size_t skip_blanks(const char *s, size_t len, size_t at)
{
        while (at < len) {
                size_t end = sql_comment_skip(s, len, at);

                if (end == at && strchr(" \t\r\n\f\v", s[at]))
                        end++;
                if (end == at)
                        return at;
                at = end;
        }
        return at;
}

/* End of the part of a dotted name that begins at byte `at`. */
static size_t skip_part(const char *s, size_t len, size_t at)
{
        if (at < len && s[at] == '"')
                return sql_lexeme_skip(s, len, at);
        while (at < len && (sql_is_name_char(s[at]) || s[at] == '$'))
                at++;
        return at;
}

/* Text with the schema put in front of the name behind the word PROCEDURE, in the place of the one that is there. */
static void add_with_schema(Text *t, const SqlContext *x, const char *s, const char *schema)
{
        const char *word = sql_find_word(s, "PROCEDURE"), *package = sql_find_word(s, "PACKAGE");
        size_t len = strlen(s), name, last, end;

        if (!word || (package && package < word)) {
                text_add(t, s);
                return;
        }
        name = last = skip_blanks(s, len, (size_t) (word - s) + strlen("PROCEDURE"));
        end = skip_part(s, len, last);
        while (end < len && s[end] == '.') {
                last = end + 1;
                end = skip_part(s, len, last);
        }
        text_append(t, s, name);
        sql_form(t, x, "%N.", schema);
        text_add(t, s + last);
}

/* Length without a semicolon at the end, and without the comments that follow it. */
static size_t without_delimiter(const char *s, size_t len)
{
        size_t end = 0, at = 0;

        while (at < len) {
                size_t next = sql_comment_skip(s, len, at);

                if (next == at) {
                        next = sql_lexeme_skip(s, len, at);
                        next = next > at ? next : at + 1;
                        if (!strchr(" \t\r\n\f\v", s[at]))
                                end = next;
                }
                at = next;
        }
        return end > 0 && s[end - 1] == ';' ? end - 1 : len;
}

int change_sql_create_procedure(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(SQL_DATA_MAX);
        const char *schema = sql_attribute(c, "schemaName"), *text;
        const char *name = sql_attribute(c, "procedureName");
        size_t len;
        int r = sql_body(&text, out->arena, c, x, "procedureText", err);

        if (r < 0)
                return r;
        if (!text)
                return error_set(err, ERROR_CHANGELOG, "a procedure has no text");
        if (object_flag(&c->fields, "replaceIfExists", false)) {
                if (!name)
                        return error_set(err, ERROR_CHANGELOG,
                                         "procedureName is required if replaceIfExists = true");
                /* Liquibase leaves the schema out here, and so would drop another one. */
                r = sql_emit(out, c, x, err,
                             schema ? "DROP PROCEDURE IF EXISTS %N.%N"
                                    : "DROP PROCEDURE IF EXISTS %N",
                             schema ? schema : name, name);
                if (r < 0)
                        return r;
        }
        len = strlen(text);
        text = java_trim(text, &len);
        text = arena_strndup(out->arena, text, without_delimiter(text, len));
        if (!text)
                return error_oom(err, "a procedure");
        if (schema)
                add_with_schema(&t, x, text, schema);
        else
                text_add(&t, text);
        return sql_add(out, c, &t, err);
}

int change_sql_drop_procedure(SqlList *out, const Change *c, const SqlContext *x, Error *err)
{
        return sql_emit(out, c, x, err, "DROP PROCEDURE %T", sql_attribute(c, "schemaName"),
                        sql_attribute(c, "procedureName"));
}
