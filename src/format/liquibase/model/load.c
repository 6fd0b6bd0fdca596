#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/liquibase/model/loader.h"

#define FILES_MAX 100000
#define INCLUDE_DEPTH 50

/* What an include says of the file that it brings in. */
typedef struct Inclusion {
        const char *contexts, *labels;
        bool ignored, may_be_missing;
} Inclusion;

static int load_file(Loader *l, const char *path, const LoadContext *from, const Inclusion *how,
                     const Node *at, Error *err);

static int at_node(Error *err, const LoadContext *x, const Node *n)
{
        if (err->path[0])
                return -(int) err->code;
        return error_at(err, x->file->physical, n->line, n->column);
}

/* ---- properties in texts ---- */

static int expand_node(Loader *l, const ChangelogFile *f, Node *n, Error *err)
{
        Properties *all = &l->model->properties;
        int r = 0;

        if (n->type == NODE_TEXT && n->value)
                r = property_expand(&n->value, all, n->value, f->logical, err);
        for (size_t i = 0; r >= 0 && n->type == NODE_LIST && i < n->n_values; i++)
                if (n->values[i])
                        r = property_expand(&n->values[i], all, n->values[i], f->logical, err);
        if (r < 0 && !err->path[0])
                return error_at(err, f->physical, n->line, n->column);
        for (Node *c = n->children; r >= 0 && c; c = c->next)
                r = expand_node(l, f, c, err);
        return r < 0 ? r : 0;
}

static int add_property_file(Loader *l, const LoadContext *x, const Node *n, const Property *p,
                             Error *err)
{
        _cleanup_file_view_ FileView view = { 0 };
        const char *file = node_text(n, "file"), *shown = NULL;
        bool relative = node_flag(n, "relativeToChangelogFile", false);
        int r = model_open(&view, l->model, x->file, file, relative, &shown, err);

        if (r < 0 && errno == ENOENT && !node_flag(n, "errorIfMissing", true)) {
                *err = (Error){ 0 };
                return 0;
        }
        return r < 0 ? r
                     : property_add_file(&l->model->properties, view.data, view.size, *p, shown,
                                         err);
}

static int handle_property(Loader *l, LoadContext *x, Node *n, Error *err)
{
        bool global = node_flag(n, "global", true);
        const Property p = {
                .name = node_text(n, "name"),
                .value = node_text(n, "value"),
                .contexts = node_text_of(n, "contextFilter", "context"),
                .labels = node_text(n, "labels"),
                .dbms = node_text(n, "dbms"),
                .scope = global ? NULL : x->file->logical,
        };
        int r;

        if (!p.name && node_text(n, "file"))
                r = add_property_file(l, x, n, &p, err);
        else if (!p.name)
                r = error_set(err, ERROR_CHANGELOG, "a property has neither a name nor a file");
        else if (!p.value)
                r = error_set(err, ERROR_CHANGELOG, "property \"%.100s\" has no value", p.name);
        else
                r = property_add(&l->model->properties, p, err);
        return r < 0 ? at_node(err, x, n) : 0;
}

/* ---- other files ---- */

static Inclusion inclusion_of(const Node *n)
{
        return (Inclusion){
                .contexts = node_text_of(n, "contextFilter", "context"),
                .labels = node_text(n, "labels"),
                .ignored = node_flag(n, "ignore", false),
        };
}

static int handle_include(Loader *l, LoadContext *x, Node *n, Error *err)
{
        const char *file = node_text(n, "file"), *base;
        char *path;
        Inclusion how = inclusion_of(n);

        how.may_be_missing = !node_flag(n, "errorIfMissing", true);
        if (!file || !*file) {
                (void) error_set(err, ERROR_CHANGELOG, "an include names no file");
                return at_node(err, x, n);
        }
        path = arena_strdup(&l->model->arena, file);
        for (char *s = path; s && *s; s++)
                if (*s == '\\')
                        *s = '/';
        if (path && node_flag(n, "relativeToChangelogFile", false))
                path = path_beside(&l->model->arena, x->file, path);
        if (!path)
                return error_oom(err, "an include");
        base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        if (strcasecmp(base, ".svn") == 0 || strcasecmp(base, "cvs") == 0)
                return 0;
        if (syntax_of(path) == SYNTAX_NONE) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "\"%.200s\" is no changelog: its name ends neither in .xml, "
                                 ".yaml, .yml, .json nor .sql",
                                 path);
                return at_node(err, x, n);
        }
        return load_file(l, path, x, &how, n, err);
}

static int read_depth(unsigned long *ret, const Node *n, const char *name, Error *err)
{
        const char *text = node_text(n, name);
        char *end;

        if (!text)
                return 0;
        errno = 0;
        *ret = strtoul(text, &end, 10);
        if (errno || *end || end == text || *text == '-')
                return error_set(err, ERROR_CHANGELOG,
                                 "%s of includeAll is \"%.50s\"; it has to be a number", name,
                                 text);
        return 0;
}

/* What the XML schema of a changelog says when the attribute is left out: that of 3.4 to 4.5 says false. */
static bool missing_is_error(const Node *root)
{
        const char *schema = node_text(root, "schemaLocation");
        const char *file = schema ? strstr(schema, "/dbchangelog-") : NULL;
        unsigned major, minor;

        if (!file || sscanf(file, "/dbchangelog-%3u.%3u.xsd", &major, &minor) != 2)
                return true;
        return major * 1000 + minor < 3004 || major * 1000 + minor > 4005;
}

static int refuse_empty(const Loader *l, const Node *n, bool exists, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG,
                         exists ? "includeAll \"%.200s\": no changelog is in that folder"
                                : "includeAll \"%.200s\": there is no such folder",
                         node_text(n, "path"));
        return error_hint(err,
                          "paths start at \"%.200s\"; errorIfMissingOrEmpty=\"false\" lets it be "
                          "empty",
                          l->model->root);
}

static int include_all(Loader *l, const LoadContext *x, const Node *n, Error *err)
{
        static const char *const java[] = { "filter", "resourceFilter", "resourceComparator" };
        const char *path = node_text(n, "path");
        const char *ending = node_text(n, "endsWithFilter");
        FolderWalk w = { .ending = ending ? ending : "", .max_depth = ULONG_MAX };
        bool relative = node_flag(n, "relativeToChangelogFile", false);
        Inclusion how = inclusion_of(n);
        int r;

        how.may_be_missing = !node_flag(n, "errorIfMissingOrEmpty", x->missing_is_error);
        for (size_t i = 0; i < sizeof java / sizeof *java; i++)
                if (node_text(n, java[i]))
                        return error_set(err, ERROR_CHANGELOG,
                                         "%s of includeAll names a Java class, which pgmigrated "
                                         "cannot load",
                                         java[i]);
        if (!path || !*path)
                return error_set(err, ERROR_CHANGELOG, "an includeAll names no path");
        r = read_depth(&w.min_depth, n, "minDepth", err);
        if (r >= 0)
                r = read_depth(&w.max_depth, n, "maxDepth", err);
        if (r >= 0)
                r = path_resolve_folder(&w.folder, l->model, x->file, path, relative, err);
        if (r >= 0)
                r = folder_walk(&w, l->model, err);
        if (r >= 0 && w.n == 0 && !how.may_be_missing)
                return refuse_empty(l, n, r > 0, err);
        for (size_t i = 0; r >= 0 && i < w.n; i++)
                r = load_file(l, w.paths[i], x, &how, n, err);
        return r;
}

static int handle_include_all(Loader *l, LoadContext *x, Node *n, Error *err)
{
        int r = include_all(l, x, n, err);

        return r < 0 ? at_node(err, x, n) : 0;
}

static int handle_modify_sets(Loader *l, LoadContext *x, Node *n, Error *err)
{
        LoadContext inner = *x;
        const char *runner = node_text(n, "runWith");
        int r = 0;

        if (runner && *runner && strcasecmp(runner, "jdbc") != 0) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "runWith=\"%.50s\" is for an extension of Liquibase: pgmigrated "
                                 "runs all SQL itself",
                                 runner);
                return at_node(err, x, n);
        }
        if (node_text(n, "endDelimiter"))
                inner.end_delimiter = node_text(n, "endDelimiter");
        if (node_text(n, "stripComments"))
                inner.strip_comments = node_text(n, "stripComments");
        for (Node *c = n->children; r >= 0 && c; c = c->next)
                if (strcmp(c->name, "include") == 0)
                        r = handle_include(l, &inner, c, err);
                else if (strcmp(c->name, "includeAll") == 0)
                        r = handle_include_all(l, &inner, c, err);
        return r;
}

static int handle_removal(Loader *l, LoadContext *x, Node *n, Error *err)
{
        static const char *const fields[] = { "afterColumn", "beforeColumn", "position" };
        const char *field = node_text(n, "remove"), *change = node_text(n, "change");
        Removal *removal;

        if (!match_dbms(node_text(n, "dbms")))
                return 0;
        if (!field || !change || strcmp(change, "addColumn") != 0) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "removeChangeSetProperty has to have change=\"addColumn\" and "
                                 "remove=\"...\"");
                return at_node(err, x, n);
        }
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
                if (strcmp(fields[i], field) != 0)
                        continue;
                removal = arena_alloc(&l->model->arena, sizeof *removal);
                if (!removal)
                        return error_oom(err, "removeChangeSetProperty");
                *removal = (Removal){ .field = fields[i], .next = x->removals };
                x->removals = removal;
                return 0;
        }
        (void) error_set(err, ERROR_CHANGELOG,
                         "remove=\"%.50s\": only afterColumn, beforeColumn and position can be "
                         "removed",
                         field);
        return at_node(err, x, n);
}

/* ---- changesets ---- */

static int list_add(SetList *list, ChangeSet *s, Arena *a)
{
        if (list->n == list->size) {
                size_t size = list->size ? 2 * list->size : 256;
                ChangeSet **grown = arena_array(a, size, sizeof(ChangeSet *));

                if (!grown)
                        return -1;
                if (list->n > 0)
                        memcpy(grown, list->sets, list->n * sizeof(ChangeSet *));
                list->sets = grown;
                list->size = size;
        }
        list->sets[list->n++] = s;
        return 0;
}

static int handle_set(Loader *l, LoadContext *x, Node *n, Error *err)
{
        ChangeSet *s = NULL;
        RunOrder order = RUN_NORMAL;
        int r = changeset_read(&s, &order, l, x, n, err);

        if (r < 0)
                return at_node(err, x, n);
        if (s && (list_add(&l->lists[order], s, &l->model->arena) < 0 || loader_add(l, s) < 0))
                return error_oom(err, "the changesets");
        return 0;
}

static int handle_preconditions(Loader *l, LoadContext *x, Node *n, Error *err)
{
        int r = preconditions_read(l->last_precondition, l, x->file, NULL, n, err);

        if (r < 0)
                return at_node(err, x, n);
        l->last_precondition = &(*l->last_precondition)->next;
        return 0;
}

/* ---- one file ---- */

static const struct {
        const char *name;
        int (*handle)(Loader *l, LoadContext *x, Node *n, Error *err);
} handlers[] = {
        { "changeSet", handle_set },
        { "include", handle_include },
        { "includeAll", handle_include_all },
        { "modifyChangeSets", handle_modify_sets },
        { "preConditions", handle_preconditions },
        { "property", handle_property },
        { "removeChangeSetProperty", handle_removal },
};
#define N_HANDLERS (sizeof handlers / sizeof *handlers)

static int handle(Loader *l, LoadContext *x, Node *n, Error *err)
{
        size_t i = 0;
        int r = 0;

        while (i < N_HANDLERS && strcmp(handlers[i].name, n->name) != 0)
                i++;
        if (x->file->is_xml && !n->attribute && strcmp(n->name, "changeSet") != 0)
                r = element_check(n, x->file, err);
        if (r < 0)
                return r;
        if (i < N_HANDLERS)
                return handlers[i].handle(l, x, n, err);
        if (n->attribute || (!n->children && !x->file->is_xml))
                return 0;
        (void) error_set(err, ERROR_CHANGELOG, "unknown element \"%.100s\" in databaseChangeLog",
                         n->name);
        return at_node(err, x, n);
}

static int handle_tree(Loader *l, LoadContext *x, Node *root, Error *err)
{
        int r = 0;

        for (Node *n = root->children; r >= 0 && n; n = n->next) {
                r = expand_node(l, x->file, n, err);
                if (r >= 0)
                        r = handle(l, x, n, err);
        }
        return r;
}

/* YAML defines all properties of the file before it looks at anything else in it, and expands the whole of it; then, one item after
 * another, what only the files included above define. */
static int handle_yaml(Loader *l, LoadContext *x, Node *root, Error *err)
{
        int r = 0;

        for (Node *n = root->children; r >= 0 && n; n = n->next)
                if (strcmp(n->name, "property") == 0)
                        r = handle_property(l, x, n, err);
        if (r >= 0)
                r = expand_node(l, x->file, root, err);
        for (Node *n = root->children; r >= 0 && n; n = n->next) {
                if (strcmp(n->name, "property") == 0)
                        continue;
                r = expand_node(l, x->file, n, err);
                if (r >= 0)
                        r = handle(l, x, n, err);
        }
        return r;
}

static bool is_body(const Node *n)
{
        return strcmp(n->name, "sql") == 0 || strcmp(n->name, "rollback") == 0;
}

static int finish_sql_set(Loader *l, LoadContext *x, Node *set, Error *err)
{
        int r = 0;

        for (Node *c = set->children; r >= 0 && c; c = c->next)
                if (is_body(c))
                        r = expand_node(l, x->file, c, err);
        return r < 0 ? r : handle_set(l, x, set, err);
}

/* The SQL of a changeset knows the properties that are defined up to its end, its first line those before it. */
static int handle_sql(Loader *l, LoadContext *x, Node *root, Error *err)
{
        Node *open = NULL;
        int r = 0;

        for (Node *n = root->children; r >= 0 && n; n = n->next) {
                if (strcmp(n->name, "property") == 0)
                        r = handle_property(l, x, n, err);
                if (strcmp(n->name, "changeSet") != 0)
                        continue;
                if (x->file->is_raw) {
                        r = handle_set(l, x, n, err);
                        continue;
                }
                if (open)
                        r = finish_sql_set(l, x, open, err);
                for (Node *c = n->children; r >= 0 && c; c = c->next)
                        if (!is_body(c) && strcmp(c->name, "comment") != 0)
                                r = expand_node(l, x->file, c, err);
                open = n;
        }
        return r >= 0 && open ? finish_sql_set(l, x, open, err) : r;
}

static int read_quoting(ChangelogFile *f, const Node *root, Error *err)
{
        int r = quoting_read(&f->quoting, node_text(root, "objectQuotingStrategy"), err);

        return r < 0 ? error_at(err, f->physical, root->line, root->column) : 0;
}

/* The attributes of the root, and what it has from those that include it. */
static int file_header(Loader *l, ChangelogFile *f, const Node *root, const Inclusion *how,
                       Error *err)
{
        Arena *a = &l->model->arena;
        const ChangelogFile *up = f->parent;
        const char *contexts = node_text_of(root, "contextFilter", "context");
        const char *logical = node_text(root, "logicalFilePath");
        int r;

        if (logical && f->is_sql)
                r = property_expand(&logical, &l->model->properties, logical, f->logical, err);
        else
                r = 0;
        if (logical)
                f->logical = f->path_of_sets = path_clean(a, logical);
        if (r >= 0 && !f->logical)
                r = error_oom(err, "a changelog");
        if (r >= 0)
                r = read_quoting(f, root, err);
        f->ignored = how->ignored || (up && up->ignored);
        f->contexts = up ? up->contexts : NULL;
        f->labels = up ? up->labels : NULL;
        f->filter_reason = up ? up->filter_reason : NULL;
        if (r >= 0)
                r = audience_add_contexts(&f->contexts, &f->filter_reason, l, how->contexts, false,
                                          err);
        if (r >= 0)
                r = audience_add_contexts(&f->contexts, &f->filter_reason, l, contexts, false, err);
        if (r >= 0)
                r = audience_add_labels(&f->labels, &f->filter_reason, l, how->labels, false, err);
        if (r < 0 && !err->path[0])
                return error_at(err, f->physical, root->line, root->column);
        return r;
}

static int refuse_circle(const ChangelogFile *parent, const char *path, Error *err)
{
        _cleanup_text_ Text chain = TEXT_INIT(400);

        text_add(&chain, path);
        for (const ChangelogFile *f = parent; f; f = f->parent) {
                text_printf(&chain, ", which %s includes", f->path);
                if (strcmp(f->path, path) == 0)
                        break;
        }
        return error_set(err, ERROR_CHANGELOG, "changelogs include each other in a circle: %s",
                         text_str(&chain));
}

static int check_nesting(Loader *l, const ChangelogFile *parent, const char *path, Error *err)
{
        size_t depth = 0;

        for (const ChangelogFile *f = parent; f; f = f->parent, depth++)
                if (strcmp(f->path, path) == 0)
                        return refuse_circle(parent, path, err);
        if (depth >= INCLUDE_DEPTH)
                return error_set(err, ERROR_CHANGELOG,
                                 "%s: includes are nested more than %d levels deep", path,
                                 INCLUDE_DEPTH);
        if (l->n_files++ >= FILES_MAX)
                return error_set(err, ERROR_CHANGELOG, "more than %d changelog files are included",
                                 FILES_MAX);
        return 0;
}

static ChangelogFile *file_new(Loader *l, const char *path, const char *shown, Syntax syntax,
                               const ChangelogFile *parent)
{
        Arena *a = &l->model->arena;
        ChangelogFile *f = arena_alloc(a, sizeof *f);

        if (!f)
                return NULL;
        f->is_sql = syntax == SYNTAX_SQL;
        f->is_xml = syntax == SYNTAX_XML;
        f->path = f->is_sql ? path : shown;
        f->physical = arena_printf(a, "%s/%s", l->model->root, shown);
        f->logical = path_clean(a, f->path);
        f->path_of_sets = f->path;
        f->parent = parent;
        return f->physical && f->logical ? f : NULL;
}

static bool is_raw(const Node *root)
{
        const Node *set = root->children;
        const char *id = set && !set->next ? node_text(set, "id") : NULL;
        const char *author = id ? node_text(set, "author") : NULL;

        return author && strcmp(id, "raw") == 0 && strcmp(author, "includeAll") == 0;
}

static int parse_file(Loader *l, LoadContext *x, const FileView *view, Syntax syntax,
                      const Inclusion *how, Error *err)
{
        static int (*const readers[])(Node **, Arena *, const char *, size_t, const char *,
                                      Error *) = {
                [SYNTAX_XML] = read_xml,
                [SYNTAX_YAML] = read_yaml,
                [SYNTAX_SQL] = read_sql,
        };
        static int (*const handle_all[])(Loader *, LoadContext *, Node *, Error *) = {
                [SYNTAX_XML] = handle_tree,
                [SYNTAX_YAML] = handle_yaml,
                [SYNTAX_SQL] = handle_sql,
        };
        ChangelogFile *f = x->file;
        Node *root = NULL;
        int r;

        if (view->size > NODE_MAX_FILE) {
                (void) error_set(err, ERROR_CHANGELOG, "%s is bigger than %zu MiB", f->path,
                                 NODE_MAX_FILE >> 20);
                return error_at(err, f->physical, 0, 0);
        }
        r = readers[syntax](&root, &l->model->arena, view->data, view->size, f->physical, err);
        if (r < 0)
                return r;
        f->is_raw = f->is_sql && is_raw(root);
        x->missing_is_error = missing_is_error(root);
        if (f->is_xml)
                r = element_check(root, f, err);
        if (r >= 0)
                r = file_header(l, f, root, how, err);
        return r < 0 ? r : handle_all[syntax](l, x, root, err);
}

static int load_file(Loader *l, const char *path, const LoadContext *from, const Inclusion *how,
                     const Node *at, Error *err)
{
        _cleanup_file_view_ FileView view = { 0 };
        Syntax syntax = syntax_of(path);
        const char *shown = NULL;
        LoadContext x = { .end_delimiter = from ? from->end_delimiter : NULL,
                          .strip_comments = from ? from->strip_comments : NULL };
        const ChangelogFile *parent = from ? from->file : NULL;
        int r = model_open(&view, l->model, NULL, path, false, &shown, err);

        if (r < 0 && errno == ENOENT && how->may_be_missing) {
                *err = (Error){ 0 };
                return 0;
        }
        if (r >= 0)
                r = check_nesting(l, parent, syntax == SYNTAX_SQL ? path : shown, err);
        if (r < 0 && from)
                return error_at(err, parent->physical, at->line, at->column);
        if (r < 0 || (view.size == 0 && syntax == SYNTAX_SQL && from))
                return r;
        x.file = file_new(l, path, shown, syntax, parent);
        if (!x.file)
                return error_oom(err, path);
        if (view.size == 0) {
                (void) error_set(err, ERROR_CHANGELOG, "the changelog %s is empty", path);
                return error_at(err, x.file->physical, 0, 0);
        }
        return parse_file(l, &x, &view, syntax, how, err);
}

int load_changelog(Loader *l, const char *path, Error *err)
{
        const Inclusion nothing = { 0 };

        if (syntax_of(path) == SYNTAX_NONE)
                return error_set(err, ERROR_CHANGELOG,
                                 "\"%.200s\" is no changelog: its name ends neither in .xml, "
                                 ".yaml, .yml, .json nor .sql",
                                 path);
        return load_file(l, path, NULL, &nothing, NULL, err);
}
