#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/flyway/flyway.h"
#include "util/utf8.h"

/* NAMEDATALEN - 1: the server cuts longer names, and then they are other names. */
#define MAX_IDENTIFIER 63

const char *flyway_table(const FormatOptions *o)
{
        return o->table && *o->table ? o->table : FLYWAY_TABLE;
}

const char *flyway_baseline_version(const FormatOptions *o)
{
        return o->baseline_version && *o->baseline_version ? o->baseline_version : "1";
}

const char *flyway_baseline_description(const FormatOptions *o)
{
        return o->baseline_description && *o->baseline_description ? o->baseline_description
                                                                   : "<< Flyway Baseline >>";
}

/* The next element of a comma-separated list, trimmed; empty ones are passed over. */
static bool next_element(const char **list, const char **element, size_t *len)
{
        while (**list) {
                const char *s = *list + strspn(*list, " \t,");
                size_t n = strcspn(s, ",");

                *list = s + n;
                while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
                        n--;
                *element = s;
                *len = n;
                if (n > 0)
                        return true;
        }
        return false;
}

static bool is_word(const char *s, size_t len, const char *word)
{
        return strlen(word) == len && strncasecmp(s, word, len) == 0;
}

static bool one_of(const char *s, size_t len, const char *const *words)
{
        for (; *words; words++)
                if (is_word(s, len, *words))
                        return true;
        return false;
}

static int check_patterns(const FormatOptions *o, Error *err)
{
        static const char *const kinds[] = { "*", "repeatable", "versioned", NULL };
        static const char *const states[] = {
                "*", "missing", "pending", "ignored", "future", NULL
        };
        const char *list = o->ignore_migration_patterns, *e, *colon;
        size_t len;

        while (list && next_element(&list, &e, &len)) {
                colon = memchr(e, ':', len);
                if (colon && one_of(e, (size_t) (colon - e), kinds) &&
                    one_of(colon + 1, (size_t) (e + len - colon - 1), states))
                        continue;
                (void) error_set(err, ERROR_CONFIG,
                                 "ignore_migration_patterns: \"%.*s\" is no pattern", (int) len, e);
                return error_hint(err, "a pattern is KIND:STATE, with KIND *, versioned or "
                                       "repeatable, and STATE *, missing, pending, ignored or "
                                       "future; for example *:future");
        }
        return 0;
}

bool flyway_ignores(const FormatOptions *o, bool repeatable, const char *state)
{
        const char *list = o->ignore_migration_patterns ?: "*:future", *e, *colon;
        const char *kinds[] = { "*", repeatable ? "repeatable" : "versioned", NULL };
        const char *states[] = { "*", state, NULL };
        size_t len;

        while (next_element(&list, &e, &len)) {
                colon = memchr(e, ':', len);
                if (colon && one_of(e, (size_t) (colon - e), kinds) &&
                    one_of(colon + 1, (size_t) (e + len - colon - 1), states))
                        return true;
        }
        return false;
}

static int check_target(const char *target, Error *err)
{
        static const char *const words[] = { "latest", "current", "next", NULL };
        char version[FLYWAY_MAX_NAME + 1];
        size_t len = target ? strlen(target) : 0;

        if (len == 0 || one_of(target, len, words))
                return 0;
        if (target[len - 1] == '?')
                len--;
        if (len < sizeof version) {
                (void) snprintf(version, sizeof version, "%.*s", (int) len, target);
                if (flyway_version_valid(version))
                        return 0;
        }
        (void) error_set(err, ERROR_CONFIG, "target \"%s\" is no version", target);
        return error_hint(err, "a target is latest, current, next, a version such as 1.2, or a "
                               "version with a question mark when it may be absent (1.2?)");
}

static int check_length(const char *option, const char *s, size_t max, Error *err)
{
        if (!s || utf8_count(s, strlen(s)) <= max)
                return 0;
        return error_set(err, ERROR_CONFIG,
                         "%s is longer than the %zu characters that the history "
                         "table holds",
                         option, max);
}

/* Options that would silently do nothing. */
static int check_foreign(const FormatOptions *o, Error *err)
{
        const struct {
                const char *name, *value;
        } foreign[] = { { "contexts", o->contexts },
                        { "labels", o->labels },
                        { "migrations_root", o->root } };

        for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
                if (foreign[i].value && *foreign[i].value) {
                        (void) error_set(err, ERROR_CONFIG, "%s = %s means nothing to flyway",
                                         foreign[i].name, foreign[i].value);
                        return error_hint(err, "remove it, or set format = liquibase");
                }
        return 0;
}

int flyway_check_options(const FormatOptions *o, Error *err)
{
        int r = check_patterns(o, err);

        if (r >= 0)
                r = check_foreign(o, err);
        if (r >= 0)
                r = check_target(o->target, err);
        if (r >= 0)
                r = check_length("installed_by", o->installed_by, FLYWAY_MAX_INSTALLED_BY, err);
        if (r >= 0)
                r = check_length("baseline_version", o->baseline_version, FLYWAY_MAX_VERSION, err);
        if (r >= 0)
                r = check_length("baseline_description", o->baseline_description,
                                 FLYWAY_MAX_DESCRIPTION, err);
        if (r < 0)
                return r;
        if (!flyway_version_valid(flyway_baseline_version(o)))
                return error_set(err, ERROR_CONFIG,
                                 "baseline_version \"%s\" is no version such as "
                                 "1 or 1.2",
                                 o->baseline_version);
        if (o->placeholder_replacement && (!o->placeholder_prefix || !*o->placeholder_prefix ||
                                           !o->placeholder_suffix || !*o->placeholder_suffix))
                return error_set(err, ERROR_CONFIG,
                                 "placeholder_prefix and placeholder_suffix cannot be empty");
        return 0;
}

static bool in_list(const char *list, const char *name)
{
        const char *e;
        size_t len;

        while (next_element(&list, &e, &len))
                if (len == strlen(name) && memcmp(e, name, len) == 0)
                        return true;
        return false;
}

int flyway_each_schema(const FormatContext *ctx,
                       int (*fn)(void *userdata, const char *name, Error *err), void *userdata,
                       Error *err)
{
        const char *list = ctx->options->schemas ?: "", *e;
        size_t len;
        int r = 0;

        if (!in_list(list, ctx->schema))
                r = fn(userdata, ctx->schema, err);
        while (r >= 0 && next_element(&list, &e, &len)) {
                _cleanup_free_ char *name = strndup(e, len);

                if (!name)
                        return error_oom(err, "the list of schemas");
                r = fn(userdata, name, err);
        }
        return r < 0 ? r : 0;
}

static int check_identifier(const char *option, const char *s, size_t len, Error *err)
{
        if (len <= MAX_IDENTIFIER)
                return 0;
        return error_set(err, ERROR_CONFIG,
                         "%s \"%.*s\" is longer than the %d bytes of a name in "
                         "PostgreSQL",
                         option, (int) len, s, MAX_IDENTIFIER);
}

int flyway_resolve(FormatContext *ctx, Error *err)
{
        const FormatOptions *o = ctx->options;
        const char *list = o->schemas ?: "", *e, *schema = ctx->current_schema ?: "";
        size_t len, schema_len = strlen(schema);
        bool first = true;
        int r;

        while (next_element(&list, &e, &len)) {
                r = check_identifier("schemas: name", e, len, err);
                if (r < 0)
                        return r;
                if (first) {
                        schema = e;
                        schema_len = len;
                }
                first = false;
        }
        if (o->default_schema && *o->default_schema) {
                schema = o->default_schema;
                schema_len = strlen(schema);
        }
        if (schema_len == 0) {
                (void) error_set(err, ERROR_CONFIG,
                                 "database \"%s\": no schema of the search_path "
                                 "exists, so there is no place for the history",
                                 ctx->database ?: "");
                return error_hint(err, "set default_schema, or schemas");
        }
        if (schema_len == strlen("$user") && strncmp(schema, "$user", schema_len) == 0) {
                (void) error_set(err, ERROR_CONFIG,
                                 "the history cannot be in a schema called \"$user\": in the "
                                 "search_path that is the schema with the user's name");
                return error_hint(err, "set default_schema, or schemas, to the name itself");
        }
        r = check_identifier("default_schema", schema, schema_len, err);
        if (r >= 0)
                r = check_identifier("table", flyway_table(o), strlen(flyway_table(o)), err);
        if (r < 0)
                return r;
        memcpy(ctx->schema_buf, schema, schema_len);
        ctx->schema_buf[schema_len] = '\0';
        ctx->schema = ctx->schema_buf;
        ctx->table = flyway_table(o);
        return 0;
}
