#include "format/script_text.h"

#include <string.h>

#include "format/changelog.h"

#define BOM "\xef\xbb\xbf"
#define BOM_LEN 3

void script_text_done(ScriptText *t)
{
        file_view_done(&t->file);
        free(t->replaced);
        free(t->splices);
        free(t->places);
        for (size_t i = 0; i < t->n_paths; i++)
                free(t->paths[i]);
        free(t->paths);
        *t = (ScriptText){ 0 };
}

void script_position(const char *data, size_t at, unsigned long *line, unsigned long *column)
{
        const char *start = data, *end = data + at, *nl;

        *line = 1;
        *column = 1;
        if (at >= BOM_LEN && memcmp(data, BOM, BOM_LEN) == 0)
                start += BOM_LEN;
        while ((nl = memchr(start, '\n', (size_t) (end - start)))) {
                start = nl + 1;
                (*line)++;
        }
        for (; start < end; start++)
                if (((unsigned char) *start & 0xc0) != 0x80)
                        (*column)++;
}

static int add_splice(ScriptText *t, size_t out, size_t in, bool fixed, Error *err)
{
        struct ScriptSplice *room = array_room(t->splices, t->n_splices, sizeof *room);

        if (!room)
                return error_oom(err, "the placeholders of a script");
        t->splices = room;
        room[t->n_splices++] = (struct ScriptSplice){ .out = out, .in = in, .fixed = fixed };
        return 0;
}

int script_text_start(ScriptText *ret, FileView *file, Error *err)
{
        *ret = (ScriptText){ .file = *file, .data = file->data, .size = file->size };
        *file = (FileView){ 0 };
        if (ret->size < BOM_LEN || memcmp(ret->data, BOM, BOM_LEN) != 0)
                return 0;
        ret->data += BOM_LEN;
        ret->size -= BOM_LEN;
        return add_splice(ret, 0, BOM_LEN, false, err);
}

size_t script_text_origin(const ScriptText *t, size_t at)
{
        size_t lo = 0, hi = t->n_splices;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (t->splices[mid].out <= at)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        if (lo == 0)
                return at;
        const struct ScriptSplice *s = &t->splices[lo - 1];
        return s->fixed ? s->in : s->in + (at - s->out);
}

static const struct ScriptPlace *place_of(const ScriptText *t, size_t at)
{
        size_t lo = 0, hi = t->n_places;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;

                if (t->places[mid].out <= at)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo > 0 ? &t->places[lo - 1] : NULL;
}

const char *script_text_position(const ScriptText *t, size_t at, unsigned long *line,
                                 unsigned long *column)
{
        const struct ScriptPlace *place = place_of(t, at);

        *line = *column = 0;
        if (!place && !t->file.data)
                return NULL;
        if (!place) {
                script_position(t->file.data, script_text_origin(t, at), line, column);
                return NULL;
        }
        *line = 1;
        *column = 0;
        if (place->follows)
                script_position(t->data + place->out, at - place->out, line, column);
        if (*line == 1) /* it may begin anywhere in its line */
                *column = 0;
        *line += place->line - 1;
        return place->path;
}

const char *script_text_keep_path(ScriptText *t, const char *path)
{
        char **room, *copy;

        for (size_t i = 0; i < t->n_paths; i++)
                if (strcmp(t->paths[i], path) == 0)
                        return t->paths[i];
        room = array_room(t->paths, t->n_paths, sizeof *room);
        if (!room)
                return NULL;
        t->paths = room;
        copy = strdup(path);
        if (copy)
                room[t->n_paths++] = copy;
        return copy;
}

int script_text_add_place(ScriptText *t, struct ScriptPlace place, Error *err)
{
        struct ScriptPlace *room = array_room(t->places, t->n_places, sizeof *room);

        if (!room)
                return error_oom(err, "the places of a script");
        t->places = room;
        room[t->n_places++] = place;
        return 0;
}

static int fault(const ScriptText *t, const char *at, const char *path, Error *err)
{
        unsigned long line, column;

        script_position(t->file.data, (size_t) (at - t->file.data), &line, &column);
        return error_at(err, path, line, column);
}

static int undefined(const ScriptText *t, const char *at, size_t len, const char *path, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "no value for placeholder %.*s",
                         (int) (len < 200 ? len : 200), at);
        (void) error_hint(err, "define it among the placeholders of the configuration, or set "
                               "placeholder_replacement = no if it is meant literally");
        return fault(t, at, path, err);
}

static int unterminated(const ScriptText *t, const char *at, const char *prefix, const char *suffix,
                        const char *path, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "placeholder that begins with %s has no %s", prefix,
                         suffix);
        (void) error_hint(err, "end it, or set placeholder_replacement = no, or choose another "
                               "placeholder_prefix, if it is meant literally");
        return fault(t, at, path, err);
}

/* The text between two placeholders: from p up to at. */
static int keep(ScriptText *t, Text *out, const char *p, const char *at, Error *err)
{
        int r = add_splice(t, out->len, (size_t) (p - t->file.data), false, err);

        text_append(out, p, (size_t) (at - p));
        return r;
}

/* memmem() for a needle whose first byte is rare: many times faster in a big script without placeholders. */
static const char *find_prefix(const char *p, const char *end, const char *prefix, size_t len)
{
        while (p < end && (p = memchr(p, prefix[0], (size_t) (end - p)))) {
                if ((size_t) (end - p) >= len && memcmp(p, prefix, len) == 0)
                        return p;
                p++;
        }
        return NULL;
}

int script_text_replace(ScriptText *t, const char *prefix, const char *suffix,
                        PlaceholderLookup lookup, void *userdata, const char *path, Error *err)
{
        _cleanup_text_ Text out = TEXT_INIT(SCRIPT_TEXT_MAX);
        const char *p = t->data, *end = t->data + t->size, *at, *close, *value;
        size_t prefix_len = strlen(prefix), suffix_len = strlen(suffix);
        int r = 0;

        if (!find_prefix(p, end, prefix, prefix_len))
                return 0;
        t->n_splices = 0;
        while (r >= 0 && (at = find_prefix(p, end, prefix, prefix_len))) {
                const char *name = at + prefix_len;

                close = memmem(name, (size_t) (end - name), suffix, suffix_len);
                if (!close)
                        return unterminated(t, at, prefix, suffix, path, err);
                value = lookup(userdata, name, (size_t) (close - name));
                if (!value)
                        return undefined(t, at, (size_t) (close - at) + suffix_len, path, err);
                r = keep(t, &out, p, at, err);
                if (r >= 0)
                        r = add_splice(t, out.len, (size_t) (at - t->file.data), true, err);
                text_add(&out, value);
                p = close + suffix_len;
        }
        if (r >= 0)
                r = keep(t, &out, p, end, err);
        if (r < 0)
                return r;
        t->size = out.len;
        t->replaced = text_take(&out);
        if (!t->replaced) {
                (void) error_set(err, ERROR_TOO_LARGE,
                                 "the text is too long once its placeholders are replaced");
                return error_at(err, path, 0, 0);
        }
        t->data = t->replaced;
        return 0;
}
