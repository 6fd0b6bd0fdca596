#include <string.h>

#include "format/liquibase/model/loader.h"

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

static uint64_t hash(const char *s, bool ignore_case)
{
        uint64_t h = 14695981039346656037u;

        for (; *s; s++)
                h = (h ^ (unsigned char) (ignore_case ? lower(*s) : *s)) * 1099511628211u;
        return h ^ h >> 29;
}

static bool same(const char *a, const char *b)
{
        while (*a && lower(*a) == lower(*b))
                a++, b++;
        return lower(*a) == lower(*b);
}

static size_t slot_of(const Loader *l, const char *key)
{
        size_t i = hash(key, true) & (l->index_size - 1);

        while (l->index[i] && !same(l->index[i]->key, key))
                i = (i + 1) & (l->index_size - 1);
        return i;
}

int loader_add(Loader *l, ChangeSet *s)
{
        ChangeSet **old = l->index;
        size_t old_size = l->index_size, i;

        if (2 * l->n_index >= l->index_size) {
                l->index_size = old_size ? 2 * old_size : 1024;
                l->index = arena_array(&l->model->arena, l->index_size, sizeof(ChangeSet *));
                if (!l->index)
                        return -1;
                for (i = 0; i < old_size; i++)
                        if (old[i])
                                l->index[slot_of(l, old[i]->key)] = old[i];
        }
        i = slot_of(l, s->key);
        if (!l->index[i]) {
                l->index[i] = s;
                l->n_index++;
        }
        return 0;
}

ChangeSet *loader_find(const Loader *l, const char *path, const char *id, const char *author)
{
        Arena *a = &l->model->arena;
        const char *normal = path_normalise(a, path);
        const char *key = normal ? arena_printf(a, "%s::%s::%s", normal, id, author) : NULL;

        return key && l->index_size > 0 ? l->index[slot_of(l, key)] : NULL;
}

static bool same_identity(const ChangeSet *a, const ChangeSet *b)
{
        return strcmp(a->id, b->id) == 0 && strcmp(a->author, b->author) == 0 &&
               strcmp(a->path, b->path) == 0;
}

static int add_duplicate(Model *m, const ChangeSet *first, const ChangeSet *s, Error *err)
{
        Error fault;

        (void) error_set(&fault, ERROR_CHANGELOG,
                         "%s::%s::%s: another changeset of the same id, author and path is in %s, "
                         "line %lu",
                         s->path, s->id, s->author, first->file->physical, first->node->line);
        (void) error_at(&fault, s->file->physical, s->node->line, s->node->column);
        (void) error_hint(&fault,
                          first->file != s->file && strcmp(first->file->path, s->file->path) == 0
                                  ? "the file is included twice"
                                  : "give one of them another id");
        return model_fault(m, NULL, &fault, err);
}

int loader_check_duplicates(Loader *l, Error *err)
{
        Model *m = l->model;
        size_t size = 16;
        const ChangeSet **table;

        while (size < 2 * m->n_sets)
                size *= 2;
        table = calloc(size, sizeof(const ChangeSet *));
        if (!table)
                return error_oom(err, "the changesets");
        _cleanup_free_ void *owned = (void *) table;
        for (size_t i = 0; i < m->n_sets; i++) {
                const ChangeSet *s = m->sets[i];
                size_t k;
                int r;

                if (s->filtered)
                        continue;
                k = (hash(s->path, false) * 31 + hash(s->id, false) * 7 + hash(s->author, false)) &
                    (size - 1);
                while (table[k] && !same_identity(table[k], s))
                        k = (k + 1) & (size - 1);
                r = table[k] ? add_duplicate(m, table[k], s, err) : 0;
                if (r < 0)
                        return r;
                if (!table[k])
                        table[k] = s;
        }
        return 0;
}
