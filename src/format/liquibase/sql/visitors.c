#define PCRE2_CODE_UNIT_WIDTH 8
#include "format/liquibase/sql/visitors.h"

#include <ctype.h>
#include <pcre2.h>
#include <string.h>

#define VISITED_MAX ((size_t) 512 << 20)
#define PATTERN_MAX 10000
/* Steps of one match, and KiB of its memory: patterns that explode end in an error. */
#define MATCH_LIMIT 1000000
#define MATCH_HEAP 65536

typedef struct Pattern {
        pcre2_code *code;
        pcre2_match_data *data;
        pcre2_match_context *match;
        pcre2_compile_context *compile;
} Pattern;

static void pattern_done(Pattern *p)
{
        pcre2_match_data_free(p->data);
        pcre2_match_context_free(p->match);
        pcre2_code_free(p->code);
        pcre2_compile_context_free(p->compile);
}
#define _cleanup_pattern_ _cleanup_(pattern_done)

static int refuse_pattern(const char *pattern, int code, Error *err)
{
        PCRE2_UCHAR why[128];

        (void) pcre2_get_error_message(code, why, sizeof why);
        (void) error_set(err, ERROR_CHANGELOG, "regExpReplace of \"%.200s\": %s", pattern,
                         (const char *) why);
        return error_hint(err, "look at the replace attribute of modifySql");
}

static int pattern_compile(Pattern *p, const char *pattern, Error *err)
{
        int code = 0;
        PCRE2_SIZE at = 0;

        p->compile = pcre2_compile_context_create(NULL);
        p->match = pcre2_match_context_create(NULL);
        if (!p->compile || !p->match)
                return error_oom(err, "a regular expression");
        (void) pcre2_set_newline(p->compile, PCRE2_NEWLINE_ANY);
        (void) pcre2_set_max_pattern_length(p->compile, PATTERN_MAX);
        (void) pcre2_set_match_limit(p->match, MATCH_LIMIT);
        (void) pcre2_set_heap_limit(p->match, MATCH_HEAP);
        p->code = pcre2_compile((PCRE2_SPTR) pattern, PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, p->compile);
        if (!p->code)
                return refuse_pattern(pattern, code, err);
        p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
        return p->data ? 0 : error_oom(err, "a regular expression");
}

/* ---- Java's replacement text: $1, ${name}, backslash before a character that stands for itself ---- */

static void add_group(Text *t, const char *s, const PCRE2_SIZE *groups, uint32_t group)
{
        PCRE2_SIZE from = groups[2 * group], to = groups[2 * group + 1];

        if (from != PCRE2_UNSET && from <= to)
                text_append(t, s + from, to - from);
}

static int refuse_group(const char *with, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG,
                         "regExpReplace: \"%.200s\" refers to a group that there is not", with);
        return error_hint(err, "write \\$ for a dollar sign in the with attribute of modifySql");
}

/* The group after a dollar sign: as many digits as still are a group, or a name. -1: none. */
static int read_group(const Pattern *p, const char **at)
{
        uint32_t count = 0;
        const char *s = *at;
        int group;

        (void) pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &count);
        if (*s == '{') {
                char name[64];
                size_t len = strcspn(s + 1, "}");

                if (s[1 + len] != '}' || len >= sizeof name)
                        return -1;
                memcpy(name, s + 1, len);
                name[len] = '\0';
                *at = s + len + 2;
                return pcre2_substring_number_from_name(p->code, (PCRE2_SPTR) name);
        }
        if (!isdigit((unsigned char) *s))
                return -1;
        group = *s++ - '0';
        while (isdigit((unsigned char) *s) && (uint32_t) (group * 10 + (*s - '0')) <= count)
                group = group * 10 + (*s++ - '0');
        *at = s;
        return (uint32_t) group <= count ? group : -1;
}

static int add_replacement(Text *t, const Pattern *p, const char *s, const char *with, Error *err)
{
        const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(p->data);

        for (const char *at = with; *at;) {
                if (*at == '\\' && at[1]) {
                        text_addc(t, at[1]);
                        at += 2;
                } else if (*at == '$') {
                        int group;

                        at++;
                        group = read_group(p, &at);
                        if (group < 0)
                                return refuse_group(with, err);
                        add_group(t, s, groups, (uint32_t) group);
                } else {
                        text_addc(t, *at++);
                }
        }
        return 0;
}

/* Length of the character at s. */
static size_t character(const char *s, size_t len)
{
        size_t n = 1;

        while (n < len && ((unsigned char) s[n] & 0xc0) == 0x80)
                n++;
        return n;
}

static int replace_pattern(Text *t, const char *s, size_t len, const Visitor *v, Error *err)
{
        _cleanup_pattern_ Pattern p = { .code = NULL };
        size_t done = 0, at = 0;
        int r = pattern_compile(&p, v->replace, err);

        if (r < 0)
                return r;
        while (at <= len && !t->bad) {
                const PCRE2_SIZE *groups = pcre2_get_ovector_pointer(p.data);
                int found = pcre2_match(p.code, (PCRE2_SPTR) s, len, at,
                                        at > 0 ? PCRE2_NO_UTF_CHECK : 0, p.data, p.match);

                if (found == PCRE2_ERROR_NOMATCH)
                        break;
                if (found < 0)
                        return refuse_pattern(v->replace, found, err);
                if (groups[1] < groups[0] || groups[0] < done) /* \K: not of Java */
                        return refuse_pattern(v->replace, PCRE2_ERROR_BADOFFSET, err);
                text_append(t, s + done, groups[0] - done);
                r = add_replacement(t, &p, s, v->with ? v->with : "", err);
                if (r < 0)
                        return r;
                done = groups[1];
                at = groups[1] > groups[0] ? done
                     : done < len          ? done + character(s + done, len - done)
                                           : len + 1;
        }
        text_append(t, s + done, len - done);
        return 0;
}

/* ---- the others ---- */

static void replace_text(Text *t, const char *s, size_t len, const char *from, const char *to)
{
        size_t n = strlen(from);

        for (const char *hit; n > 0 && (hit = memmem(s, len, from, n)) && !t->bad;) {
                text_append(t, s, (size_t) (hit - s));
                text_add(t, to);
                len -= (size_t) (hit - s) + n;
                s = hit + n;
        }
        text_append(t, s, len);
}

static int visit(Text *t, const SqlStatement *st, const Visitor *v, Error *err)
{
        const char *value = v->value ? v->value : "";
        bool regular = v->kind == VISITOR_REGEXP_REPLACE, plain = v->kind == VISITOR_REPLACE;

        if ((regular || plain) && v->replace && *v->replace) {
                if (regular)
                        return replace_pattern(t, st->sql, st->len, v, err);
                replace_text(t, st->sql, st->len, v->replace, v->with ? v->with : "");
                return 0;
        }
        if (v->kind == VISITOR_PREPEND)
                text_add(t, value);
        text_append(t, st->sql, st->len);
        if (v->kind == VISITOR_APPEND || (v->kind == VISITOR_APPEND_IF_NOT_PRESENT &&
                                          !memmem(st->sql, st->len, value, strlen(value))))
                text_add(t, value);
        return 0;
}

static size_t count_lines(const char *s, size_t len)
{
        size_t n = 0;

        for (size_t i = 0; i < len; i++)
                n += s[i] == '\n';
        return n;
}

/* Lines that are no longer those of the user's text are not counted along it: what is left is where the statement begins. */
static void detach(SqlStatement *st)
{
        if (st->node)
                st->line = node_value_line(st->node, st->at);
        else if (st->source)
                st->line = 1 + count_lines(st->source, st->at);
        st->node = NULL;
        st->source = NULL;
}

static int apply(SqlStatement *st, Arena *a, const Visitor *v, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(VISITED_MAX);
        const char *sql;
        int r = visit(&t, st, v, err);

        if (r < 0)
                return r;
        if (t.bad)
                return error_oom(err, "what modifySql makes of a statement");
        sql = arena_strndup(a, text_str(&t), t.len);
        if (!sql)
                return error_oom(err, "what modifySql makes of a statement");
        if (count_lines(sql, t.len) != count_lines(st->sql, st->len))
                detach(st);
        st->sql = sql;
        st->len = t.len;
        return 0;
}

int visitors_apply(SqlList *list, size_t first, const ChangeSet *s, bool rollback, Error *err)
{
        int r = 0;

        for (size_t i = first; i < list->n; i++)
                for (size_t k = 0; r >= 0 && k < s->n_visitors; k++)
                        if (!rollback || s->visitors[k].to_rollback)
                                r = apply(&list->items[i], list->arena, &s->visitors[k], err);
        return r;
}
