/* YAML and JSON to the tree, from libyaml's events. Facts: liquibase.md 1.1.
 *
 * First a document of plain maps, lists and scalars is built, with aliases sharing what their anchors have; then that becomes nodes:
 * a list of maps adds the entries of all of them to one parent, a list of scalars is the parent's value. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "format/liquibase/syntax/json_text.h"
#include "format/liquibase/syntax/node.h"
#include "format/liquibase/syntax/yaml_scalar.h"

#define MAX_ANCHORS 1000
#define FIRST_BUCKETS 1024

typedef enum ItemKind { ITEM_SCALAR, ITEM_LIST, ITEM_MAP } ItemKind;

typedef struct Item Item;
struct Item {
        ItemKind kind;
        const char *text;
        const char *tag; /* what a plain scalar has to be; NULL: whatever it is */
        bool plain;
        bool open; /* its entries are still being read */
        unsigned long line, column;
        unsigned long text_line;
        Item *first, *last; /* entries of a list or map */
        Item *previous, *next;
        /* Of an entry of a map: its key, the map, and the next one in its bucket of keys. */
        Item *key, *chain;
        const Item *map;
        uint64_t hash; /* of both */
};

typedef struct Reader {
        yaml_parser_t parser;
        Arena *arena;
        const char *path;
        struct Anchor {
                const char *name;
                Item *item;
        } anchors[MAX_ANCHORS];
        size_t n_anchors, count;
        Item **keys; /* those of all maps, by hash */
        size_t n_keys, n_buckets;
        Error *err;
} Reader;

static int fail(Reader *r, const yaml_mark_t *mark, const char *what)
{
        (void) error_set(r->err, ERROR_CHANGELOG, "%s", what);
        return error_at(r->err, r->path, mark->line + 1, mark->column + 1);
}

static int next_event(Reader *r, yaml_event_t *e)
{
        if (yaml_parser_parse(&r->parser, e))
                return 0;
        if (r->parser.error == YAML_MEMORY_ERROR)
                return error_oom(r->err, "a changelog");
        return fail(r, &r->parser.problem_mark,
                    r->parser.problem ? r->parser.problem : "not valid YAML");
}

/* ---- the document ---- */

static int build(Reader *r, yaml_event_t *e, unsigned depth, Item **ret);

static Item *new_item(Reader *r, const yaml_event_t *e, ItemKind kind)
{
        Item *i = ++r->count > NODE_MAX_COUNT ? NULL : arena_alloc(r->arena, sizeof *i);

        if (i)
                *i = (Item){ .kind = kind,
                             .line = e->start_mark.line + 1,
                             .column = e->start_mark.column + 1 };
        return i;
}

static int fail_at(Reader *r, const Item *i, const char *what)
{
        const yaml_mark_t mark = { .line = i->line - 1, .column = i->column - 1 };

        return fail(r, &mark, what);
}

static int too_many(Reader *r, const Item *at)
{
        return fail_at(r, at, "the file has too many elements, or more than fit into memory");
}

/* The same entries, but a place of its own in whatever it is put into. NULL: too many. */
static Item *copy_item(Reader *r, const yaml_event_t *e, const Item *from)
{
        Item *copy = new_item(r, e, from->kind);

        if (!copy)
                return NULL;
        *copy = *from;
        copy->previous = copy->next = copy->chain = NULL;
        copy->map = NULL;
        return copy;
}

static int remember(Reader *r, const yaml_event_t *e, const yaml_char_t *name, Item *item)
{
        if (!name)
                return 0;
        if (r->n_anchors == MAX_ANCHORS)
                return fail(r, &e->start_mark, "too many anchors");
        r->anchors[r->n_anchors].name = arena_strdup(r->arena, (const char *) name);
        if (!r->anchors[r->n_anchors].name)
                return error_oom(r->err, "a changelog");
        r->anchors[r->n_anchors++].item = item;
        return 0;
}

static int find_alias(Reader *r, const yaml_event_t *e, Item **ret)
{
        for (size_t i = r->n_anchors; i > 0; i--) {
                const Item *item = r->anchors[i - 1].item;

                if (strcmp(r->anchors[i - 1].name, (const char *) e->data.alias.anchor) != 0)
                        continue;
                if (item->open)
                        return fail(r, &e->start_mark, "an alias within what it stands for");
                *ret = copy_item(r, e, item);
                return *ret ? 0 : fail(r, &e->start_mark, "the file has too many elements");
        }
        return fail(r, &e->start_mark, "an alias without an anchor before it");
}

/* Tags of scalars, by what an unquoted one is without a tag. */
static const char *const scalar_tags[] = {
        [SCALAR_TEXT] = "str",    [SCALAR_NULL] = "null",   [SCALAR_BOOLEAN] = "bool",
        [SCALAR_INTEGER] = "int", [SCALAR_FLOAT] = "float", [SCALAR_DATE] = "timestamp",
};

/* The name of a tag of YAML itself, "" when there is none; NULL: a tag of something else. */
static const char *core_tag(const yaml_char_t *tag)
{
        static const char prefix[] = "tag:yaml.org,2002:";
        const char *t = (const char *) tag;

        if (!t || strcmp(t, "!") == 0)
                return "";
        return strncmp(t, prefix, sizeof prefix - 1) == 0 ? t + sizeof prefix - 1 : NULL;
}

static int check_tag(Reader *r, const yaml_event_t *e, const yaml_char_t *tag,
                     const char *const *expected, size_t n)
{
        const char *name = core_tag(tag);

        if (name && !*name)
                return 0;
        for (size_t i = 0; name && i < n; i++)
                if (strcmp(name, expected[i]) == 0)
                        return 0;
        return fail(r, &e->start_mark, "tags of other types are not allowed");
}

static int build_scalar(Reader *r, const yaml_event_t *e, Item **ret)
{
        Item *i = new_item(r, e, ITEM_SCALAR);
        bool block = e->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
                     e->data.scalar.style == YAML_FOLDED_SCALAR_STYLE;
        const char *tag = core_tag(e->data.scalar.tag);
        int result = check_tag(r, e, e->data.scalar.tag, scalar_tags,
                               sizeof scalar_tags / sizeof *scalar_tags);

        if (result < 0)
                return result;
        if (!i)
                return fail(r, &e->start_mark, "the file has too many elements");
        i->text =
                arena_strndup(r->arena, (const char *) e->data.scalar.value, e->data.scalar.length);
        if (!i->text)
                return error_oom(r->err, "a changelog");
        if (strlen(i->text) != e->data.scalar.length)
                return fail(r, &e->start_mark, "a text holds a NUL character");
        i->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !e->data.scalar.tag;
        if (*tag && strcmp(tag, scalar_tags[SCALAR_TEXT]) != 0) {
                i->plain = true;
                i->tag = arena_strdup(r->arena, tag);
                if (!i->tag)
                        return error_oom(r->err, "a changelog");
        }
        i->text_line = i->line + block;
        *ret = i;
        return remember(r, e, e->data.scalar.anchor, i);
}

static void append(Item *list, Item *item)
{
        item->previous = list->last;
        if (list->last)
                list->last->next = item;
        else
                list->first = item;
        list->last = item;
}

static uint64_t hash_key(const Item *map, const char *key)
{
        uint64_t hash = (uint64_t) (uintptr_t) map * UINT64_C(0x9e3779b97f4a7c15);

        for (const char *p = key; *p; p++)
                hash = (hash ^ (unsigned char) *p) * UINT64_C(0x100000001b3);
        return hash ^ hash >> 32;
}

/* Where the map's entry of that key hangs, or where one would. */
static Item **find_key(Reader *r, const Item *map, const char *key, uint64_t hash)
{
        Item **at = &r->keys[hash % r->n_buckets];

        while (*at &&
               !((*at)->hash == hash && (*at)->map == map && strcmp((*at)->key->text, key) == 0))
                at = &(*at)->chain;
        return at;
}

/* Room for one more key. */
static int reserve_key(Reader *r)
{
        size_t n = r->n_buckets ? r->n_buckets * 2 : FIRST_BUCKETS;
        Item **keys;

        if (r->n_keys < r->n_buckets)
                return 0;
        keys = calloc(n, sizeof(Item *));
        if (!keys)
                return error_oom(r->err, "a changelog");
        for (size_t i = 0; i < r->n_buckets; i++)
                while (r->keys[i]) {
                        Item *item = r->keys[i], **to = &keys[item->hash % n];

                        r->keys[i] = item->chain;
                        item->chain = *to;
                        *to = item;
                }
        free(r->keys);
        r->keys = keys;
        r->n_buckets = n;
        return 0;
}

/* Of two entries with one key the last one counts, in the place of the first. */
static int put(Reader *r, Item *map, Item *value)
{
        int result = reserve_key(r);
        Item **at, *old;

        if (result < 0)
                return result;
        value->hash = hash_key(map, value->key->text);
        at = find_key(r, map, value->key->text, value->hash);
        old = *at;
        *at = value;
        value->map = map;
        if (!old) {
                r->n_keys++;
                append(map, value);
                return 0;
        }
        value->chain = old->chain;
        value->previous = old->previous;
        value->next = old->next;
        *(old->previous ? &old->previous->next : &map->first) = value;
        *(old->next ? &old->next->previous : &map->last) = value;
        return 0;
}

/* "<<": entries of other maps, which those of this one override. */
static int merge(Reader *r, const yaml_event_t *e, Item *map, const Item *from)
{
        if (from->kind == ITEM_LIST) {
                for (const Item *i = from->first; i; i = i->next)
                        if (i->kind != ITEM_MAP)
                                return fail(r, &e->start_mark, "what is merged is no map");
                for (const Item *i = from->first; i; i = i->next)
                        if (merge(r, e, map, i) < 0)
                                return -(int) r->err->code;
                return 0;
        }
        if (from->kind != ITEM_MAP)
                return fail(r, &e->start_mark, "what is merged is no map");
        for (const Item *i = from->first; i; i = i->next) {
                Item *copy;
                int result;

                if (*find_key(r, map, i->key->text, hash_key(map, i->key->text)))
                        continue;
                copy = copy_item(r, e, i);
                if (!copy)
                        return fail(r, &e->start_mark, "the file has too many elements");
                result = put(r, map, copy);
                if (result < 0)
                        return result;
        }
        return 0;
}

static int build_entry(Reader *r, yaml_event_t *e, unsigned depth, Item *map, Item **merged)
{
        Item *key, *value;
        int result = build(r, e, depth, &key);

        if (result < 0)
                return result;
        if (key->kind != ITEM_SCALAR)
                return fail(r, &e->start_mark, "a key is no text");
        yaml_event_delete(e);
        *e = (yaml_event_t){ .type = YAML_NO_EVENT };
        result = next_event(r, e);
        if (result >= 0)
                result = build(r, e, depth, &value);
        if (result < 0)
                return result;
        if (strcmp(key->text, "<<") == 0 && key->plain) {
                *merged = value;
                return 0;
        }
        value->key = key;
        return put(r, map, value);
}

static int build_collection(Reader *r, yaml_event_t *e, unsigned depth, bool map, Item **ret)
{
        yaml_event_type_t end = map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
        const yaml_char_t *tag = map ? e->data.mapping_start.tag : e->data.sequence_start.tag;
        Item *i = new_item(r, e, map ? ITEM_MAP : ITEM_LIST), *merged = NULL;
        int result = check_tag(r, e, tag, (const char *const[]){ map ? "map" : "seq" }, 1);

        if (result >= 0 && !i)
                result = fail(r, &e->start_mark, "the file has too many elements");
        if (result >= 0 && depth >= NODE_MAX_DEPTH)
                result = fail(r, &e->start_mark, "nested too deeply");
        if (result >= 0)
                result = remember(
                        r, e, map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor,
                        i);
        if (result < 0)
                return result;
        i->open = true;
        while (result >= 0) {
                yaml_event_t inner = { .type = YAML_NO_EVENT };
                Item *item;

                result = next_event(r, &inner);
                if (result >= 0 && inner.type == end) {
                        yaml_event_delete(&inner);
                        break;
                }
                if (result >= 0 && map)
                        result = build_entry(r, &inner, depth + 1, i, &merged);
                else if (result >= 0) {
                        result = build(r, &inner, depth + 1, &item);
                        if (result >= 0)
                                append(i, item);
                }
                if (result >= 0 && merged) {
                        result = merge(r, &inner, i, merged);
                        merged = NULL;
                }
                yaml_event_delete(&inner);
        }
        i->open = false;
        *ret = i;
        return result;
}

static int build(Reader *r, yaml_event_t *e, unsigned depth, Item **ret)
{
        switch (e->type) {
        case YAML_SCALAR_EVENT:
                return build_scalar(r, e, ret);
        case YAML_ALIAS_EVENT:
                return find_alias(r, e, ret);
        case YAML_SEQUENCE_START_EVENT:
                return build_collection(r, e, depth, false, ret);
        case YAML_MAPPING_START_EVENT:
                return build_collection(r, e, depth, true, ret);
        default:
                return fail(r, &e->start_mark, "not valid YAML");
        }
}

static int build_document(Reader *r, Item **ret)
{
        bool seen = false;

        *ret = NULL;
        for (;;) {
                yaml_event_t e = { .type = YAML_NO_EVENT };
                int result = next_event(r, &e);
                bool end = e.type == YAML_STREAM_END_EVENT;

                if (result >= 0 && e.type == YAML_DOCUMENT_START_EVENT && seen)
                        result = fail(r, &e.start_mark, "more than one document");
                else if (result >= 0 && e.type != YAML_STREAM_START_EVENT &&
                         e.type != YAML_DOCUMENT_START_EVENT && e.type != YAML_DOCUMENT_END_EVENT &&
                         !end) {
                        result = build(r, &e, 0, ret);
                        seen = true;
                }
                yaml_event_delete(&e);
                if (result < 0 || end)
                        return result;
        }
}

/* ---- the tree ---- */

static int fill(Reader *r, Node *n, const Item *i, unsigned depth);

static int add_entries(Reader *r, Node *parent, const Item *map, unsigned depth)
{
        for (const Item *i = map->first; i; i = i->next) {
                Node *n = ++r->count > NODE_MAX_COUNT
                                  ? NULL
                                  : node_new(r->arena, i->key->text, i->key->line, i->key->column);
                int result;

                if (!n)
                        return too_many(r, i->key);
                node_add(parent, n);
                result = fill(r, n, i, depth + 1);
                if (result < 0)
                        return result;
        }
        return 0;
}

static int set_scalar(Reader *r, Node *n, const Item *i)
{
        n->value_line = i->text_line;
        if (i->plain) {
                int kind = yaml_scalar_resolve(n, r->arena, i->text, r->err);

                if (kind >= 0 && i->tag && strcmp(i->tag, scalar_tags[kind]) != 0)
                        return fail_at(r, i, "a scalar is not of the type that its tag says");
                return kind < 0 ? kind : 0;
        }
        n->type = NODE_TEXT;
        n->value = i->text;
        return 0;
}

/* Scalars beside the maps of a list: one is the value, several are a list. */
static int set_scalars(Reader *r, Node *n, const Item *list)
{
        size_t count = 0;

        for (const Item *i = list->first; i; i = i->next) {
                if (i->kind == ITEM_LIST)
                        return fail_at(r, i, "a list within a list");
                count += i->kind == ITEM_SCALAR;
        }
        if (count == 0)
                return 0;
        r->count += count;
        if (r->count > NODE_MAX_COUNT)
                return too_many(r, list);
        n->values = arena_array(r->arena, count, sizeof *n->values);
        if (!n->values)
                return error_oom(r->err, "a changelog");
        for (const Item *i = list->first; i; i = i->next) {
                int result = i->kind == ITEM_SCALAR ? set_scalar(r, n, i) : 0;

                if (result < 0)
                        return result;
                if (i->kind == ITEM_SCALAR)
                        n->values[n->n_values++] = n->value ? n->value : "";
        }
        if (count == 1) {
                n->n_values = 0;
                return 0;
        }
        n->type = NODE_LIST;
        n->value = n->iso = NULL;
        return 0;
}

static int fill(Reader *r, Node *n, const Item *i, unsigned depth)
{
        int result = 0;

        if (depth > NODE_MAX_DEPTH) /* aliases nest more deeply than the text */
                return fail_at(r, i, "aliases are nested too deeply");
        if (i->kind == ITEM_SCALAR)
                return set_scalar(r, n, i);
        if (i->kind == ITEM_MAP)
                return add_entries(r, n, i, depth);
        for (const Item *inner = i->first; inner && result >= 0; inner = inner->next)
                if (inner->kind == ITEM_MAP)
                        result = add_entries(r, n, inner, depth);
        return result < 0 ? result : set_scalars(r, n, i);
}

static int find_changelog(Reader *r, const Item *top, Node **ret)
{
        const yaml_mark_t start = { .line = top ? top->line - 1 : 0 };

        if (!top || top->kind != ITEM_MAP)
                return fail(r, &start, "no map with the key databaseChangeLog");
        for (const Item *i = top->first; i; i = i->next) {
                if (strcmp(i->key->text, "databaseChangeLog") != 0)
                        continue;
                /* One without a value is empty. */
                bool empty = i->kind == ITEM_SCALAR && !(i->text && *i->text);
                if (i->kind != ITEM_LIST && !empty)
                        return fail_at(r, i->key, "databaseChangeLog is no list");
                *ret = node_new(r->arena, "databaseChangeLog", i->key->line, i->key->column);
                if (!*ret)
                        return error_oom(r->err, "a changelog");
                return empty ? 0 : fill(r, *ret, i, 0);
        }
        return fail(r, &start, "no key databaseChangeLog");
}

static bool is_json(const char *path)
{
        size_t len = strlen(path);

        return len >= 5 && strcasecmp(path + len - 5, ".json") == 0;
}

int read_yaml(Node **ret, Arena *a, const char *data, size_t size, const char *path, Error *err)
{
        _cleanup_free_ Reader *r = calloc(1, sizeof *r);
        const char *text;
        Item *top;
        int result;

        if (!r)
                return error_oom(err, "a changelog");
        r->arena = a;
        r->path = path;
        r->err = err;
        result = decode_text(&text, &size, a, data, size, NULL, path, err);
        if (result >= 0 && is_json(path))
                result = json_join_surrogates(&text, &size, a, err);
        if (result >= 0)
                result = reserve_key(r);
        if (result < 0)
                return result;
        if (!yaml_parser_initialize(&r->parser)) {
                free(r->keys);
                return error_oom(err, "a changelog");
        }
        yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r->parser, (const unsigned char *) text, size);
        result = build_document(r, &top);
        if (result >= 0)
                result = find_changelog(r, top, ret);
        yaml_parser_delete(&r->parser);
        free(r->keys);
        return result;
}
