#include "format/liquibase/change/checksum.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistr.h>

#include "format/liquibase/change/digest.h"
#include "format/liquibase/change/object.h"
#include "format/liquibase/change/packed.h"
#include "format/liquibase/change/serialize.h"

/* Databases or labels of one modifySql. */
#define MODIFY_SQL_MAX_NAMES 256
#define SUM_TEXT_MAX ((size_t) 256 << 20)

/* One sum that is being computed. */
typedef struct Summing {
        const Model *model;
        const ChangeSet *set;
        int version;
        bool expand; /* properties in the files of sqlFile */
} Summing;

typedef int (*ChangeSum)(char buf[CHECKSUM_MAX], const Summing *s, const Change *c, Error *err);

static int digest(char buf[CHECKSUM_MAX], int version, const Text *text, Error *err)
{
        if (text->bad)
                return error_oom(err, "a checksum");
        return digest_text(buf, version, text_str(text), text->len, err);
}

static int open_file(FileView *ret, const Summing *s, const Change *c, Error *err)
{
        const char *name = object_text(&c->fields, "path") ?: object_text(&c->fields, "file");
        int r = model_open(ret, s->model, c->set->file, name ? name : "",
                           object_flag(&c->fields, "relativeToChangelogFile", false), NULL, err);

        return r < 0 ? error_prefix(err, "%s", c->type->name) : r;
}

/* ---- the kinds of sums ---- */

static int sum_generic(char buf[CHECKSUM_MAX], const Summing *s, const Change *c, Error *err)
{
        _cleanup_text_ Text text = TEXT_INIT(SUM_TEXT_MAX);
        int r = serialize_object(&text, c->type->name, &c->fields, c->type, s->version, err);

        return r < 0 ? r : digest(buf, s->version, &text, err);
}

/* SQL without regard to white space; version 8 has the way to split it in front. */
static int sum_sql_bytes(char buf[CHECKSUM_MAX], int version, const char *head, const char *data,
                         size_t size, Error *err)
{
        _cleanup_text_ Text text = TEXT_INIT(SUM_TEXT_MAX);
        size_t n;
        _cleanup_free_ char *normal =
                version >= 9 ? squeeze_space(data, size, &n) : collapse_space(data, size, &n);

        if (!normal)
                return error_oom(err, "a checksum");
        if (version < 9)
                text_add(&text, head);
        text_append(&text, normal, n);
        if (text.bad)
                return error_oom(err, "a checksum");
        return digest_raw(buf, version, text_str(&text), text.len, err);
}

static int sum_sql_change(char buf[CHECKSUM_MAX], const Summing *s, const Change *c,
                          const char *data, size_t size, Error *err)
{
        _cleanup_text_ Text head = TEXT_INIT(65536);

        text_add(&head, object_text(&c->fields, "endDelimiter") ?: "null");
        text_add(&head, object_flag(&c->fields, "splitStatements", true) ? ":true" : ":false");
        text_add(&head, object_flag(&c->fields, "stripComments", false) ? ":true:" : ":false:");
        return sum_sql_bytes(buf, s->version, text_str(&head), data, size, err);
}

static int sum_sql(char buf[CHECKSUM_MAX], const Summing *s, const Change *c, Error *err)
{
        size_t len;
        const char *text = java_trim(c->sql ? c->sql : "", &len);

        return sum_sql_change(buf, s, c, text, len, err);
}

static int sum_sql_file(char buf[CHECKSUM_MAX], const Summing *s, const Change *c, Error *err)
{
        _cleanup_file_view_ FileView file = { .data = NULL };
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 1 << 30);
        const char *text;
        size_t size;
        int r = open_file(&file, s, c, err);

        if (r < 0)
                return r;
        text = file.data;
        size = file.size;
        if (s->version >= 9)
                r = decode_any_text(&text, &size, &arena, file.data, file.size,
                                    object_text(&c->fields, "encoding"),
                                    object_text(&c->fields, "path"), err);
        if (r >= 0 && s->expand) {
                r = property_expand(&text, (Properties *) (uintptr_t) &s->model->properties, text,
                                    c->set->file->logical, err);
                size = strlen(text);
        }
        return r < 0 ? r : sum_sql_change(buf, s, c, text, size, err);
}

static int sum_data(char buf[CHECKSUM_MAX], const Summing *s, const Change *c, Error *err)
{
        _cleanup_file_view_ FileView file = { .data = NULL };
        _cleanup_text_ Text text = TEXT_INIT(65536), bytes = TEXT_INIT(PACKED_MAX);
        _cleanup_free_ char *kept = NULL;
        char inner[CHECKSUM_MAX];
        const char *data = NULL;
        size_t size = 0, n;
        int r = open_file(&file, s, c, err);

        if (r >= 0)
                r = packed_read(&data, &size, &bytes, &file, object_text(&c->fields, "file") ?: "",
                                err);
        if (r < 0)
                return r;
        kept = skip_comments(data, size, object_text(&c->fields, "commentLineStartsWith"), &n);
        if (!kept)
                return error_oom(err, "a checksum");
        r = digest_raw(inner, s->version, kept, n, err);
        if (r < 0)
                return r;
        text_add(&text, object_text(&c->fields, "tableName") ?: "null");
        text_printf(&text, ":%s", inner);
        return digest(buf, s->version, &text, err);
}

/* The text of a view or procedure, of its file when it has one: decoded and expanded, as version 9 sees it. */
static int read_body(const char **ret, size_t *size, Arena *a, FileView *file, const Summing *s,
                     const Change *c, const char *field, Error *err)
{
        const char *text;
        int r;

        if (!object_text(&c->fields, "path")) {
                *ret = object_text(&c->fields, field) ?: "";
                *size = strlen(*ret);
                return 0;
        }
        r = open_file(file, s, c, err);
        if (r >= 0)
                r = decode_any_text(&text, size, a, file->data, file->size, NULL,
                                    object_text(&c->fields, "path"), err);
        if (r >= 0)
                r = property_expand(&text, (Properties *) (uintptr_t) &s->model->properties, text,
                                    c->set->file->logical, err);
        if (r < 0)
                return r;
        *ret = text;
        *size = strlen(text);
        return 0;
}

static int join_sums(char buf[CHECKSUM_MAX], int version, const char *head, const char *body,
                     Error *err)
{
        _cleanup_text_ Text text = TEXT_INIT(4 * CHECKSUM_MAX);

        text_printf(&text, "%s:%s", head, body);
        return digest(buf, version, &text, err);
}

static int sum_body(char buf[CHECKSUM_MAX], const Summing *s, const Change *c, Error *err)
{
        const char *field =
                strcmp(c->type->name, "createView") == 0 ? "selectQuery" : "procedureText";
        _cleanup_arena_ Arena arena = ARENA_INIT((size_t) 1 << 30);
        _cleanup_file_view_ FileView file = { .data = NULL };
        const char *inline_text = object_text(&c->fields, field), *body;
        char head[CHECKSUM_MAX], tail[CHECKSUM_MAX];
        size_t size;
        int r = sum_generic(head, s, c, err);

        if (r >= 0 && s->version < 9) {
                if (!object_text(&c->fields, "path")) {
                        memcpy(buf, head, CHECKSUM_MAX);
                        return 0;
                }
                r = inline_text ? 0 : open_file(&file, s, c, err);
                if (r >= 0)
                        r = sum_sql_bytes(tail, s->version,
                                          ";:false:false:", inline_text ? inline_text : file.data,
                                          inline_text ? strlen(inline_text) : file.size, err);
        } else if (r >= 0) {
                r = read_body(&body, &size, &arena, &file, s, c, field, err);
                if (r >= 0)
                        r = sum_sql_bytes(tail, s->version, "", body, size, err);
        }
        return r < 0 ? r : join_sums(buf, s->version, head, tail, err);
}

static const struct {
        const char *name;
        ChangeSum sum;
} sums[] = {
        { "sql", sum_sql },         { "sqlFile", sum_sql_file },
        { "loadData", sum_data },   { "loadUpdateData", sum_data },
        { "createView", sum_body }, { "createProcedure", sum_body },
};

static int sum_change(char buf[CHECKSUM_MAX], const Summing *s, const Change *c, Error *err)
{
        for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
                if (strcmp(sums[i].name, c->type->name) == 0)
                        return sums[i].sum(buf, s, c, err);
        return sum_generic(buf, s, c, err);
}

/* ---- modifySql ---- */

/* Names of a comma list as Java's split() and trim() have them, each once: empty ones at the end of the list are dropped. */
static int split_names(const char *ret[MODIFY_SQL_MAX_NAMES], size_t *n, Arena *a, const char *list,
                       Error *err)
{
        size_t len = strlen(list);

        *n = 0;
        while (len > 0 && list[len - 1] == ',')
                len--;
        for (size_t at = 0; at <= len && len > 0;) {
                const char *comma = memchr(list + at, ',', len - at), *name;
                size_t size = comma ? (size_t) (comma - list) - at : len - at, i = 0;

                name = arena_strndup(a, list + at, size);
                name = name ? java_trim(name, &size) : NULL;
                name = name ? arena_strndup(a, name, size) : NULL;
                if (!name)
                        return error_oom(err, "a checksum");
                while (i < *n && strcmp(ret[i], name) != 0)
                        i++;
                if (i == MODIFY_SQL_MAX_NAMES)
                        return error_set(err, ERROR_CHANGELOG, "modifySql names more than %d",
                                         MODIFY_SQL_MAX_NAMES);
                ret[i] = name;
                *n = i == *n ? i + 1 : *n;
                at = comma ? (size_t) (comma - list) + 1 : len + 1;
        }
        return 0;
}

/* Java's hash of a string, of its UTF-16 units, spread as HashMap does. */
static uint32_t java_hash(const char *s)
{
        uint32_t h = 0;

        for (const uint8_t *u = (const uint8_t *) s; *u;) {
                ucs4_t c;

                u += u8_mbtouc(&c, u, strlen((const char *) u));
                if (c > 0xffff)
                        h = 31 * h + (0xd7c0 + (c >> 10));
                h = 31 * h + (c > 0xffff ? 0xdc00 + (c & 0x3ff) : c);
        }
        return h ^ h >> 16;
}

/* In the order in which Java's HashSet has them: by the low bits of the hash, then as they were put in. */
static int add_dbms_set(Text *out, const char *list, Error *err)
{
        const char *sep = "    applicableDbms=[\n        ", *names[MODIFY_SQL_MAX_NAMES];
        _cleanup_arena_ Arena arena = ARENA_INIT(1U << 20);
        size_t n, buckets = 16;
        int r = split_names(names, &n, &arena, list, err);

        while (r >= 0 && n > buckets / 4 * 3)
                buckets *= 2;
        for (size_t bucket = 0; r >= 0 && bucket < buckets; bucket++)
                for (size_t i = 0; i < n; i++)
                        if ((java_hash(names[i]) & (buckets - 1)) == bucket) {
                                text_add(out, sep);
                                text_add(out, names[i]);
                                sep = ",\n        ";
                        }
        if (r >= 0 && n > 0)
                text_add(out, "\n    ]\n");
        return r;
}

static int add_label_set(Text *out, const char *labels, Error *err)
{
        _cleanup_arena_ Arena arena = ARENA_INIT(1U << 20);
        const char *all = java_lower(&arena, labels), *names[MODIFY_SQL_MAX_NAMES];
        size_t n = 0;
        int r = all ? split_names(names, &n, &arena, all, err) : error_oom(err, "a checksum");

        for (size_t i = 0; r >= 0 && i < n; i++) {
                text_add(out, i > 0 ? "," : "");
                text_add(out, names[i]);
        }
        return r;
}

/* The list of databases sorts before every other field: it goes to the start of the lines. */
static int insert_dbms_line(Text *text, size_t at, const char *list, Error *err)
{
        _cleanup_text_ Text all = TEXT_INIT(SUM_TEXT_MAX);
        int r;

        text_append(&all, text_str(text), at);
        r = add_dbms_set(&all, list, err);
        text_add(&all, text_str(text) + at);
        text_clear(text);
        text_append(text, text_str(&all), all.len);
        text->bad = text->bad || all.bad;
        return r;
}

static int sum_visitor(char buf[CHECKSUM_MAX], int version, const Visitor *v, Error *err)
{
        static const char *const names[_VISITOR_KIND_MAX] = {
                [VISITOR_APPEND] = "append",
                [VISITOR_PREPEND] = "prepend",
                [VISITOR_REPLACE] = "replace",
                [VISITOR_REGEXP_REPLACE] = "regExpReplace",
                [VISITOR_APPEND_IF_NOT_PRESENT] = "appendSqlIfNotPresent",
        };
        _cleanup_text_ Text text = TEXT_INIT(SUM_TEXT_MAX), labels = TEXT_INIT(65536);
        _cleanup_arena_ Arena arena = ARENA_INIT(1U << 20);
        Object o;
        int r = object_start(&o, &arena, 8, 0, err);

        if (r < 0)
                return r;
        if (v->value)
                (void) object_add(&o, "value", v->value);
        if (v->replace)
                (void) object_add(&o, "replace", v->replace);
        if (v->with)
                (void) object_add(&o, "with", v->with);
        (void) object_add(&o, "applyToRollback", v->to_rollback ? "true" : "false");
        if (version < 9 && v->contexts)
                (void) object_add(&o, "contextFilter", v->contexts);
        if (version < 9 && v->labels) {
                r = add_label_set(&labels, v->labels, err);
                (void) object_add(&o, "labels", text_str(&labels));
        }
        if (r >= 0)
                r = serialize_object(&text, names[v->kind], &o, NULL, version, err);
        if (r >= 0 && version < 9 && v->dbms && *v->dbms)
                r = insert_dbms_line(&text, strlen(names[v->kind]) + strlen(":[\n"), v->dbms, err);
        return r < 0 ? r : digest(buf, version, &text, err);
}

/* ---- the changeset ---- */

bool changeset_has_checksum(const ChangeSet *s)
{
        for (size_t i = 0; i < s->n_changes; i++)
                if (s->changes[i].type->unknown_sum)
                        return false;
        return true;
}

/* Version 9 leaves out what is not for PostgreSQL. */
static bool is_covered(const Change *c, int version)
{
        static const char *const types[] = { "sql", "sqlFile", "createProcedure", "insert" };

        for (size_t i = 0; version >= 9 && i < sizeof types / sizeof *types; i++)
                if (strcmp(types[i], c->type->name) == 0)
                        return match_dbms(object_text(&c->fields, "dbms"));
        return true;
}

static int sum_set(char buf[CHECKSUM_MAX], const Summing *s, Error *err)
{
        const ChangeSet *set = s->set;
        _cleanup_text_ Text all = TEXT_INIT(SUM_TEXT_MAX);
        char one[CHECKSUM_MAX];
        int r = 0;

        for (size_t i = 0; r >= 0 && i < set->n_changes; i++) {
                if (!is_covered(&set->changes[i], s->version))
                        continue;
                r = sum_change(one, s, &set->changes[i], err);
                text_printf(&all, "%s:", r < 0 ? "" : one);
        }
        for (size_t i = 0; r >= 0 && i < set->n_visitors; i++) {
                r = sum_visitor(one, s->version, &set->visitors[i], err);
                text_printf(&all, "%s;", r < 0 ? "" : one);
        }
        return r < 0 ? r : digest(buf, s->version, &all, err);
}

int changeset_checksum(char buf[CHECKSUM_MAX], const Model *m, const ChangeSet *set, int version,
                       Error *err)
{
        return sum_set(buf, &(Summing){ .model = m, .set = set, .version = version }, err);
}

int changeset_checksum_expanded(char buf[CHECKSUM_MAX], const Model *m, const ChangeSet *set,
                                Error *err)
{
        const Summing s = { .model = m, .set = set, .version = CHECKSUM_NEWEST, .expand = true };

        for (size_t i = 0; i < set->n_changes; i++)
                if (strcmp(set->changes[i].type->name, "sqlFile") == 0) {
                        int r = sum_set(buf, &s, err);

                        return r < 0 ? r : 1;
                }
        return 0;
}

int checksum_version(const char *stored)
{
        char *end;
        long version = strtol(stored, &end, 10);

        if (end == stored || *end != ':' || !end[1] ||
            end[1 +
                strspn(end + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")])
                return 1;
        return version >= 1 && version <= CHECKSUM_NEWEST ? (int) version : 0;
}
