#include <string.h>
#include <strings.h>

#include "format/liquibase/model/loader.h"

/* What is being read. */
typedef struct Reading {
        Loader *loader;
        const LoadContext *x;
        ChangeSet *set;
} Reading;

static Arena *arena_of(const Reading *d)
{
        return &d->loader->model->arena;
}

static int at_node(Error *err, const Reading *d, const Node *n)
{
        return err->path[0] ? -(int) err->code
                            : error_at(err, d->x->file->physical, n->line, n->column);
}

/* In front of an error that does not begin with it: which changeset it is in. */
static int prefix(Error *err, const Reading *d, const Node *n)
{
        const ChangeSet *s = d->set;

        (void) at_node(err, d, n);
        if (strncmp(err->text, s->path, strlen(s->path)) == 0)
                return -(int) err->code;
        return error_prefix(err, "%s::%s::%s", s->path, s->id, s->author);
}

/* ---- words ---- */

static const char *const quotings[] = { [QUOTING_LEGACY] = "LEGACY",
                                        [QUOTING_ALL] = "QUOTE_ALL_OBJECTS",
                                        [QUOTING_RESERVED] = "QUOTE_ONLY_RESERVED_WORDS" };

const char *quoting_name(Quoting q)
{
        return quotings[q];
}

int quoting_read(Quoting *ret, const char *text, Error *err)
{
        if (!text || !*text)
                return 0;
        for (size_t i = 0; i < sizeof quotings / sizeof *quotings; i++)
                if (strcmp(quotings[i], text) == 0) {
                        *ret = (Quoting) i;
                        return 0;
                }
        return error_set(err, ERROR_CHANGELOG,
                         "objectQuotingStrategy is \"%.50s\"; it has to be LEGACY, "
                         "QUOTE_ALL_OBJECTS or QUOTE_ONLY_RESERVED_WORDS",
                         text);
}

static int read_order(RunOrder *ret, const char *text, Error *err)
{
        *ret = RUN_NORMAL;
        if (!text || !*text)
                return 0;
        if (strcmp(text, "first") == 0)
                *ret = RUN_FIRST;
        else if (strcmp(text, "last") == 0)
                *ret = RUN_LAST;
        else
                return error_set(err, ERROR_CHANGELOG,
                                 "runOrder is \"%.50s\"; it has to be first or last", text);
        return 0;
}

/* ---- identity ---- */

static const char *path_of(const Reading *d, const Node *n)
{
        Arena *a = arena_of(d);
        const ChangelogFile *f = d->x->file;
        const char *own = java_trimmed(a, node_text(n, "logicalFilePath"));

        if (f->is_raw)
                return f->path;
        if (f->is_sql)
                return path_normalise(a, own ? own : f->logical);
        return own ? path_clean(a, own) : f->path_of_sets;
}

static int read_identity(const Reading *d, const Node *n, Error *err)
{
        ChangeSet *s = d->set;
        Arena *a = arena_of(d);
        const char *id = node_text(n, "id"), *author = node_text(n, "author"), *normal;

        s->id = id ? id : "";
        s->author = author ? author : "";
        s->path = path_of(d, n);
        normal = s->path ? path_normalise(a, s->path) : NULL;
        s->key = normal ? arena_printf(a, "%s::%s::%s", normal, s->id, s->author) : NULL;
        return s->key ? 0 : error_oom(err, "a changeset");
}

static int add_fault(const Reading *d, const char *text, Error *err)
{
        Error fault = { 0 };

        (void) error_set(&fault, ERROR_CHANGELOG, "%s", text);
        return model_fault(d->loader->model, d->set, &fault, err);
}

static int check_identity(const Reading *d, const Node *n, Error *err)
{
        const char *runner = node_text(n, "runWith");
        char buf[100], text[200];
        const char *unknown = match_unknown_dbms(d->set->dbms, buf, sizeof buf);
        int r = 0;

        if (!*d->set->id)
                r = add_fault(d, "the id of the changeset is empty", err);
        if (r >= 0 && !node_text(n, "author"))
                r = add_fault(d, "the changeset has no author", err);
        if (r >= 0 && *unknown) {
                (void) snprintf(text, sizeof text, "dbms: \"%s\" is no database that is known",
                                unknown);
                r = add_fault(d, text, err);
        }
        if (r >= 0 && runner && *runner && strcasecmp(runner, "jdbc") != 0) {
                (void) snprintf(text, sizeof text,
                                "runWith=\"%.50s\" is for an extension of Liquibase: pgmigrated "
                                "runs all SQL itself",
                                runner);
                r = add_fault(d, text, err);
        }
        return r;
}

static int read_flags(const Reading *d, const Node *n, RunOrder *order, Error *err)
{
        ChangeSet *s = d->set;
        const char *on_fault = node_text(n, "onValidationFail");
        int r;

        s->run_always = node_flag(n, "runAlways", node_flag(n, "alwaysRun", false));
        s->run_on_change = node_flag(n, "runOnChange", false);
        s->fail_on_error = node_flag(n, "failOnError", true);
        s->in_transaction = node_flag(n, "runInTransaction", true);
        s->ignored = node_flag(n, "ignore", false) || s->file->ignored;
        s->quoting = s->file->quoting;
        s->mark_ran_when_invalid = on_fault && strcmp(on_fault, "MARK_RAN") == 0;
        if (on_fault && *on_fault && !s->mark_ran_when_invalid && strcmp(on_fault, "HALT") != 0)
                return error_set(err, ERROR_CHANGELOG,
                                 "onValidationFail is \"%.50s\"; it has to be HALT or MARK_RAN",
                                 on_fault);
        r = quoting_read(&s->quoting, node_text(n, "objectQuotingStrategy"), err);
        return r < 0 ? r : read_order(order, node_text(n, "runOrder"), err);
}

/* For whom it is. */
static int read_audience(const Reading *d, const Node *n, Error *err)
{
        ChangeSet *s = d->set;
        int r;

        s->contexts_column = s->file->contexts;
        s->labels_column = s->file->labels;
        s->filter_reason = s->file->filter_reason;
        r = audience_add_contexts(&s->contexts_column, &s->filter_reason, d->loader,
                                  node_text_of(n, "contextFilter", "context"), true, err);
        if (r >= 0)
                r = audience_add_labels(&s->labels_column, &s->filter_reason, d->loader,
                                        node_text(n, "labels"), true, err);
        if (!s->filter_reason && !match_dbms(s->dbms))
                s->filter_reason = "dbms";
        if (!s->filter_reason && s->ignored)
                s->filter_reason = "ignore";
        s->filtered = s->filter_reason;
        return r;
}

/* ---- changes ---- */

static void remove_field(Node *n, const char *field)
{
        Node *last = NULL;

        for (Node **at = &n->children; *at;) {
                if (strcasecmp((*at)->name, field) == 0) {
                        *at = (*at)->next;
                        continue;
                }
                last = *at;
                at = &(*at)->next;
        }
        n->last_child = last;
}

/* removeChangeSetProperty: columns are children, or children of `columns`. */
static void remove_fields(Node *n, const Removal *removals)
{
        for (Node *c = n->children; c; c = c->next) {
                if (strcasecmp(c->name, "columns") == 0)
                        remove_fields(c, removals);
                for (const Removal *x = removals;
                     x && strcasecmp(c->name, "column") == 0 && c->children; x = x->next)
                        remove_field(c, x->field);
        }
}

static int modify(const Reading *d, Node *n, Error *err)
{
        const LoadContext *x = d->x;
        Arena *a = arena_of(d);

        if (x->removals && strcmp(n->name, "addColumn") == 0)
                remove_fields(n, x->removals);
        if (strcmp(n->name, "sql") != 0)
                return 0;
        if ((x->end_delimiter && !node_child(n, "endDelimiter") &&
             !node_add_text(a, n, "endDelimiter", x->end_delimiter)) ||
            (x->strip_comments && !node_child(n, "stripComments") &&
             !node_add_text(a, n, "stripComments", x->strip_comments)))
                return error_oom(err, "a change");
        return 0;
}

static int read_change(const Reading *d, Change *ret, const ChangeType *type, Node *n, Error *err)
{
        int r = modify(d, n, err);

        *ret = (Change){ .type = type, .set = d->set, .node = n };
        if (r >= 0)
                r = change_read(ret, d->loader->model, err);
        if (r >= 0)
                return change_validate(ret, d->loader->model, err);
        return prefix(err, d, n);
}

static int add_change(Reading *d, const ChangeType *type, Node *n, Error *err)
{
        ChangeSet *s = d->set;
        Change *c;
        int r;

        c = arena_room(arena_of(d), s->changes, s->n_changes, sizeof *c);
        if (!c)
                return error_oom(err, "a changeset");
        s->changes = c;
        c += s->n_changes;
        r = read_change(d, c, type, n, err);
        if (r < 0)
                return r;
        s->n_changes++;
        if (!s->tag && strcmp(type->name, "tagDatabase") == 0)
                s->tag = object_text(&c->fields, "tag");
        return 0;
}

static int refuse_type(const Reading *d, const Node *n, Error *err)
{
        (void) error_set(err, ERROR_CHANGELOG, "unknown change type \"%.100s\"", n->name);
        (void) error_hint(err, "check the spelling; extensions of Liquibase are not supported");
        return prefix(err, d, n);
}

/* A scalar that is no change is nothing to Liquibase, where the syntax is not XML. */
static bool is_ignored(const Reading *d, const Node *n)
{
        return n->attribute || (!d->x->file->is_xml && !n->children);
}

/* ---- rollback ---- */

static int add_rollback(Reading *d, const Change *c, Error *err)
{
        ChangeSet *s = d->set;
        Change *all =
                arena_room(arena_of(d), s->rollback_changes, s->n_rollback_changes, sizeof *all);

        if (!all)
                return error_oom(err, "a rollback");
        s->rollback_changes = all;
        all[s->n_rollback_changes++] = *c;
        s->rollback = ROLLBACK_CHANGES;
        return 0;
}

/* The changes of another changeset. */
static int rollback_of(Reading *d, const Node *n, const char *id, Error *err)
{
        const char *author = node_text(n, "changeSetAuthor"), *path = node_text(n, "changeSetPath");
        const ChangeSet *other;
        int r = 0;

        author = author ? author : "";
        path = path ? path : d->set->path;
        other = loader_find(d->loader, path, id, author);
        if (!other) {
                (void) error_set(
                        err, ERROR_CHANGELOG,
                        "%s::%s::%s: its rollback names the changeset %.200s::%.100s::%.100s, "
                        "which does not exist before it",
                        d->set->path, d->set->id, d->set->author, path, id, author);
                return at_node(err, d, n);
        }
        for (size_t i = 0; r >= 0 && i < other->n_changes; i++)
                r = add_rollback(d, &other->changes[i], err);
        return r;
}

/* Text within rollback: SQL that is cut at semicolons, without its comments. */
static int rollback_text(Reading *d, const Node *n, const char *text, Error *err)
{
        Arena *a = arena_of(d);
        Node *sql = node_new(a, "sql", n->line, n->column);
        Change c;
        int r;

        if (!sql || !node_add_text(a, sql, "stripComments", "true") ||
            !node_add_text(a, sql, "endDelimiter", ";"))
                return error_oom(err, "a rollback");
        sql->type = NODE_TEXT;
        sql->value = text;
        sql->value_line = n->value_line;
        sql->value_lines = n->value_lines;
        sql->n_value_lines = n->n_value_lines;
        r = read_change(d, &c, change_type_find("sql"), sql, err);
        return r < 0 ? r : add_rollback(d, &c, err);
}

static bool is_blank(const char *s)
{
        size_t len = s ? strlen(s) : 0;

        if (len > 0)
                (void) java_trim(s, &len);
        return len == 0;
}

static int read_rollback(Reading *d, Node *n, Error *err)
{
        const char *id = node_text(n, "changeSetId");
        ChangeSet *s = d->set;
        int r = 0;

        if (s->rollback == ROLLBACK_DERIVED)
                s->rollback = ROLLBACK_NOTHING;
        if (id && *id)
                return rollback_of(d, n, id, err);
        for (Node *c = n->children; r >= 0 && c; c = c->next) {
                const ChangeType *type = c->attribute ? NULL : change_type_find(c->name);
                Change change;

                if (type) {
                        r = read_change(d, &change, type, c, err);
                        if (r >= 0 && strcmp(type->name, "empty") != 0)
                                r = add_rollback(d, &change, err);
                } else if (!is_ignored(d, c) && strcasecmp(c->name, "comment") != 0)
                        r = refuse_type(d, c, err);
        }
        if (r >= 0 && !is_blank(n->value))
                r = rollback_text(d, n, n->value, err);
        for (size_t i = 0; r >= 0 && i < n->n_values; i++)
                if (!is_blank(n->values[i]))
                        r = rollback_text(d, n, n->values[i], err);
        return r;
}

/* ---- the other children ---- */

/* Visitors that are not for this run are gone before checksums are computed, as in Liquibase; labels count for nothing there. */
static int read_modify_sql(Reading *d, Node *n, Error *err)
{
        static const char *const names[] = {
                [VISITOR_APPEND] = "append",
                [VISITOR_PREPEND] = "prepend",
                [VISITOR_REPLACE] = "replace",
                [VISITOR_REGEXP_REPLACE] = "regExpReplace",
                [VISITOR_APPEND_IF_NOT_PRESENT] = "appendSqlIfNotPresent",
        };
        Arena *a = arena_of(d);
        ChangeSet *s = d->set;
        Visitor v = { .dbms = java_trimmed(a, node_text(n, "dbms")),
                      .contexts = java_trimmed(a, node_text(n, "contextFilter")),
                      .labels = java_trimmed(a, node_text(n, "labels")),
                      .to_rollback = node_flag(n, "applyToRollback", false) };
        int r;

        if (!v.contexts)
                v.contexts = java_trimmed(a, node_text(n, "context"));
        r = match_expression(v.contexts, &d->loader->model->properties.contexts, err);
        if (r <= 0 || !match_dbms(v.dbms))
                return r < 0 ? at_node(err, d, n) : 0;
        for (const Node *c = n->children; c; c = c->next) {
                size_t i = 0;

                while (i < _VISITOR_KIND_MAX && strcmp(names[i], c->name) != 0)
                        i++;
                if (i == _VISITOR_KIND_MAX)
                        continue;
                v.kind = (VisitorKind) i;
                v.value = node_text(c, "value");
                v.replace = node_text(c, "replace");
                v.with = node_text(c, "with");
                s->visitors = arena_room(a, s->visitors, s->n_visitors, sizeof v);
                if (!s->visitors)
                        return error_oom(err, "modifySql");
                s->visitors[s->n_visitors++] = v;
        }
        return 0;
}

/* Comments are lines of one text. */
static int read_comment(Reading *d, Node *n, Error *err)
{
        ChangeSet *s = d->set;
        const char *text = n->value ? n->value : "";

        s->comments = s->comments ? arena_printf(arena_of(d), "%s\n%s", s->comments, text) : text;
        return s->comments ? 0 : error_oom(err, "a comment");
}

static const char *checksum_text(Arena *a, const char *text)
{
        static const char *const any[] = { "any", "all", "*", "1:any", "1:all", "1:*" };
        const char *trimmed = java_trimmed(a, text);
        size_t digits = trimmed ? strspn(trimmed, "0123456789") : 0;

        for (size_t i = 0; trimmed && i < sizeof any / sizeof *any; i++)
                if (strcasecmp(any[i], trimmed) == 0)
                        return "any";
        if (!trimmed || (digits > 0 && trimmed[digits] == ':'))
                return trimmed;
        return arena_printf(a, "1:%s", trimmed);
}

static int read_valid_checksum(Reading *d, Node *n, Error *err)
{
        ChangeSet *s = d->set;
        Arena *a = arena_of(d);
        size_t n_values = n->type == NODE_LIST ? n->n_values : 1, n_old = s->n_valid_checksums;
        const char **all = arena_array(a, n_old + n_values, sizeof *all);

        if (!all)
                return error_oom(err, "validCheckSum");
        if (n_old > 0)
                memcpy(all, s->valid_checksums, n_old * sizeof *all);
        for (size_t i = 0; i < n_values; i++) {
                const char *sum = checksum_text(a, n->type == NODE_LIST ? n->values[i] : n->value);

                if (sum)
                        all[s->n_valid_checksums++] = sum;
        }
        s->valid_checksums = all;
        return 0;
}

static int read_preconditions(Reading *d, Node *n, Error *err)
{
        return preconditions_read(&d->set->preconditions, d->loader, d->x->file, d->set, n, err);
}

static int read_children(Reading *d, Node *n, bool wrapped, Error *err);

static int read_wrapped(Reading *d, Node *n, Error *err)
{
        return read_children(d, n, true, err);
}

static const struct {
        const char *name;
        int (*read)(Reading *d, Node *n, Error *err);
} children[] = {
        { "changes", read_wrapped },
        { "comment", read_comment },
        { "modifySql", read_modify_sql },
        { "preConditions", read_preconditions },
        { "rollback", read_rollback },
        { "validCheckSum", read_valid_checksum },
        { "validCheckSums", read_valid_checksum },
};
#define N_CHILDREN (sizeof children / sizeof *children)

/* wrapped: within `changes`, where there are no further ones. */
static int read_children(Reading *d, Node *n, bool wrapped, Error *err)
{
        int r = 0;

        for (Node *c = n->children; r >= 0 && c; c = c->next) {
                const ChangeType *type = c->attribute ? NULL : change_type_find(c->name);
                size_t i = wrapped && strcasecmp(c->name, "changes") == 0 ? N_CHILDREN : 0;

                while (i < N_CHILDREN && strcasecmp(children[i].name, c->name) != 0)
                        i++;
                if (type)
                        r = add_change(d, type, c, err);
                else if (i < N_CHILDREN)
                        r = children[i].read(d, c, err);
                else if (!is_ignored(d, c))
                        r = refuse_type(d, c, err);
        }
        return r;
}

int changeset_read(ChangeSet **ret, RunOrder *order, Loader *l, const LoadContext *x, Node *n,
                   Error *err)
{
        Arena *a = &l->model->arena;
        Reading d = { .loader = l, .x = x, .set = arena_alloc(a, sizeof(ChangeSet)) };
        const char *dbms = node_text(n, "dbms"), *comments;
        int r;

        *ret = NULL;
        if (!x->file->is_sql && !match_dbms(dbms))
                return 0;
        if (!d.set)
                return error_oom(err, "a changeset");
        *d.set = (ChangeSet){ .file = x->file, .node = n, .dbms = dbms };
        r = x->file->is_xml ? element_check(n, x->file, err) : 0;
        if (r >= 0)
                r = read_identity(&d, n, err);
        if (r >= 0)
                r = read_flags(&d, n, order, err);
        if (r >= 0)
                r = read_audience(&d, n, err);
        if (r >= 0)
                r = check_identity(&d, n, err);
        if (r >= 0)
                r = read_children(&d, n, false, err);
        if (r < 0)
                return r;
        comments = java_trimmed(a, d.set->comments);
        d.set->comments = comments ? comments : "";
        *ret = d.set;
        return 0;
}
