#include "engine/drift_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "engine/drift.h"
#include "engine/journal.h"
#include "util/log.h"

#define FILE_MAX ((size_t) 64 << 20)
#define SHOWN_MAX 10 /* objects in a sentence */
#define TAKEN_AT "taken_at"

/* ---- where snapshots are ---- */

static bool has_place(const Conversation *c)
{
        return c->run->operation.snapshot || c->db->store;
}

static int load_file(const char *path, json_t **ret, Error *err)
{
        _cleanup_free_ char *text = NULL;
        json_error_t why;
        int r;

        if (access(path, F_OK) < 0 && errno == ENOENT)
                return 0;
        r = file_read_text(&text, path, FILE_MAX, err);
        if (r < 0)
                return r;
        *ret = json_loads(text, 0, &why);
        if (json_is_object(*ret))
                return 1;
        json_decref(*ret);
        *ret = NULL;
        return error_set(err, ERROR_CONFIG, "%s is not a snapshot that pgmigrated wrote", path);
}

/* Whole or not at all: a file of its own takes the place of the old one. */
static int save_file(const char *path, const json_t *snapshot, Error *err)
{
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *new = NULL;

        if (asprintf(&new, "%s.new", path) < 0) {
                new = NULL;
                return error_oom(err, "a file name");
        }
        fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd >= 0 && json_dumpfd(snapshot, fd, JSON_INDENT(1)) == 0 && fsync(fd) == 0 &&
            rename(new, path) == 0)
                return 0;
        (void) error_set(err, ERROR_IO, "snapshot %s: %m", path);
        (void) unlink(new);
        return -(int) err->code;
}

/* 1 and *ret, or 0: there is none. */
static int load(const Conversation *c, json_t **ret, Error *err)
{
        const char *path = c->run->operation.snapshot;

        return path ? load_file(path, ret, err)
                    : store_load_snapshot(c->db->store, c->db->name, ret, err);
}

static int save(const Conversation *c, const json_t *snapshot, Error *err)
{
        const char *path = c->run->operation.snapshot;

        return path ? save_file(path, snapshot, err)
                    : store_save_snapshot(c->db->store, c->db->name, snapshot, err);
}

/* ---- what is there now ---- */

static bool contains(const json_t *list, const char *name)
{
        const json_t *v;
        size_t i;

        json_array_foreach(list, i, v) if (strcmp(json_string_value(v), name) == 0) return true;
        return false;
}

static json_t *managed_schemas(const Conversation *c)
{
        json_t *list = json_pack("[s]", c->context.schema);
        char *rest, *name, *copy = strdup(c->options.schemas);

        for (name = copy ? strtok_r(copy, ",", &rest) : NULL; name;
             name = strtok_r(NULL, ",", &rest)) {
                name += strspn(name, " \t");
                for (char *end = strchr(name, '\0'); end > name && strchr(" \t", end[-1]);)
                        *--end = '\0';
                if (*name && !contains(list, name))
                        (void) json_array_append_new(list, json_string(name));
        }
        if (!copy) {
                json_decref(list);
                return NULL;
        }
        free(copy);
        return list;
}

static json_t *own_tables(const Conversation *c)
{
        json_t *list = json_pack("[s]", JOURNAL_TABLE);
        const char *const *names = c->changelog->format->own_tables;

        if (*c->options.table)
                (void) json_array_append_new(list, json_string(c->options.table));
        for (; names && *names; names++)
                (void) json_array_append_new(list, json_string(*names));
        return list;
}

static int take(Conversation *c, json_t **ret, Error *err)
{
        json_t *schemas = managed_schemas(c), *own = own_tables(c);
        char now[CLOCK_TEXT_MAX];
        int r = schemas && own ? drift_snapshot(ret, c->session, schemas, own, err)
                               : error_oom(err, "a snapshot");

        json_decref(schemas);
        json_decref(own);
        if (r < 0)
                return r;
        (void) json_object_set_new(*ret, DRIFT_HISTORY, json_integer((json_int_t) c->next_rank));
        (void) json_object_set_new(*ret, TAKEN_AT, json_string(clock_format(clock_wall(), now)));
        return 0;
}

/* ---- in a run ---- */

static void describe(Text *out, const json_t *changes)
{
        size_t i, n = json_array_size(changes);
        json_t *v;

        json_array_foreach(changes, i, v) if (i < SHOWN_MAX) text_printf(
                out, "%s%s %s %s", i ? ", " : "", json_string_value(json_object_get(v, "change")),
                json_string_value(json_object_get(v, "kind")),
                json_string_value(json_object_get(v, "object")));
        if (n > SHOWN_MAX)
                text_printf(out, " and %zu more", n - SHOWN_MAX);
}

static int judge(Conversation *c, const json_t *changes, Error *err)
{
        static const char said[] =
                "the schema was changed outside of migrations since the last run";
        _cleanup_text_ Text names = TEXT_INIT(65536), text = TEXT_INIT(65536);

        if (json_array_size(changes) == 0)
                return 0;
        describe(&names, changes);
        if (c->db->settings->drift == DRIFT_REFUSE) {
                (void) error_set(err, ERROR_REFUSED, "%s: %s", said, text_str(&names));
                return error_hint(
                        err, "take it back; or accept it: %s, or one run with drift = warn",
                        c->run->operation.snapshot ? "pgmigrated drift --snapshot FILE --save"
                                                   : "POST /databases/NAME/drift");
        }
        text_printf(&text, "%s: %s", said, text_str(&names));
        run_warn(c->run, text_str(&text));
        log_warning("the schema was changed outside of migrations", LOG_S("DATABASE", c->db->name),
                    LOG_S("RUN", c->run->id), LOG_S("OBJECTS", text_str(&names)));
        return 0;
}

static int compare_and_judge(Conversation *c, const json_t *before, Error *err)
{
        json_t *now = NULL, *changes = NULL;
        int r = take(c, &now, err);
        const char *obstacle = r >= 0 ? drift_obstacle(before, now) : NULL;
        char text[256];

        if (obstacle) {
                (void) snprintf(text, sizeof text,
                                "the schema was not compared with the last snapshot: %s", obstacle);
                run_warn(c->run, text);
        } else if (r >= 0) {
                r = drift_compare(&changes, before, now, err);
        }
        if (r >= 0)
                r = judge(c, changes, err);
        json_decref(changes);
        json_decref(now);
        return r;
}

int drift_guard(Conversation *c, Error *err)
{
        json_t *before = NULL;
        int r;

        if (c->db->settings->drift == DRIFT_OFF || c->drift_checked)
                return 0;
        if (!has_place(c)) {
                c->drift_checked = true;
                run_warn(c->run, "drift cannot be checked: no --snapshot FILE is given");
                return 0;
        }
        r = load(c, &before, err);
        if (r > 0)
                r = compare_and_judge(c, before, err);
        json_decref(before);
        c->drift_checked = r >= 0;
        return r < 0 ? r : 0;
}

bool drift_wanted(const Conversation *c)
{
        return c->db->settings->drift != DRIFT_OFF && has_place(c) && c->drift_checked &&
               c->run->state == RUN_APPLYING;
}

int drift_begin(Conversation *c, Error *err)
{
        json_t *nothing;
        int r;

        if (!drift_wanted(c))
                return 0;
        nothing = json_pack("{s:n}", "objects");
        r = nothing ? save(c, nothing, err) : error_oom(err, "a snapshot");
        json_decref(nothing);
        return r;
}

void drift_keep(Conversation *c)
{
        json_t *now = NULL;
        Error err;
        int r = take(c, &now, &err);

        if (r >= 0)
                r = save(c, now, &err);
        json_decref(now);
        if (r >= 0)
                return;
        log_warning("cannot keep a snapshot of the schema", LOG_S("DATABASE", c->db->name),
                    LOG_S("RUN", c->run->id), LOG_ERR_FIELDS(&err));
        run_warn(c->run, err.text);
}

/* ---- when asked ---- */

static int nothing_to_compare(const Conversation *c, const char *obstacle, Error *err)
{
        const char *path = c->run->operation.snapshot;

        if (obstacle)
                (void) error_set(err, ERROR_REFUSED, "the snapshot%s%s cannot be compared with: %s",
                                 path ? " " : "", path ? path : "", obstacle);
        else
                (void) error_set(err, ERROR_NOT_FOUND, "there is no snapshot%s%s yet",
                                 path ? " " : " of ", path ? path : c->db->name);
        return error_hint(err, path ? "--save takes one"
                                    : "POST to this address takes one, and so does every run with "
                                      "drift = warn or refuse");
}

int drift_act(Conversation *c, Error *err)
{
        bool saves = c->run->operation.save;
        json_t *before = NULL, *now = NULL, *changes = NULL;
        int r = load(c, &before, err), known = r;
        const char *obstacle = NULL;

        if (r >= 0)
                r = take(c, &now, err);
        if (r >= 0 && known > 0)
                obstacle = drift_obstacle(before, now);
        if (r >= 0 && !saves && (known == 0 || obstacle))
                r = nothing_to_compare(c, obstacle, err);
        if (r >= 0 && known > 0 && !obstacle)
                r = drift_compare(&changes, before, now, err);
        if (r >= 0 && saves)
                r = save(c, now, err);
        if (r >= 0)
                c->run->result =
                        json_pack("{s:s,s:b,s:O?,s:b,s:o}", "database", c->db->name, "drifted",
                                  json_array_size(changes) > 0, "snapshot_at",
                                  json_object_get(before, TAKEN_AT), "saved", saves, "changes",
                                  changes ? json_incref(changes) : json_array());
        json_decref(changes);
        json_decref(before);
        json_decref(now);
        return r < 0 ? r : 0;
}
