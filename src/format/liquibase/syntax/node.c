#include "format/liquibase/syntax/node.h"

#include <string.h>
#include <strings.h>

Node *node_new(Arena *a, const char *name, unsigned long line, unsigned long column)
{
        Node *n = arena_alloc(a, sizeof *n);
        char *copy = arena_strdup(a, name);

        if (!n || !copy)
                return NULL;
        *n = (Node){ .name = copy, .line = line, .column = column };
        return n;
}

void node_add(Node *parent, Node *child)
{
        if (parent->last_child)
                parent->last_child->next = child;
        else
                parent->children = child;
        parent->last_child = child;
}

Node *node_add_text(Arena *a, Node *parent, const char *name, const char *value)
{
        Node *n = node_new(a, name, parent->line, parent->column);
        char *copy = arena_strdup(a, value);

        if (!n || !copy)
                return NULL;
        n->type = NODE_TEXT;
        n->value = copy;
        node_add(parent, n);
        return n;
}

const Node *node_each(const Node *n, const char *name, const Node *after)
{
        const Node *c = after ? after->next : n->children;

        while (c && strcasecmp(c->name, name) != 0)
                c = c->next;
        return c;
}

const Node *node_child(const Node *n, const char *name)
{
        return node_each(n, name, NULL);
}

size_t node_count(const Node *n, const char *name)
{
        size_t count = 0;

        for (const Node *c = NULL; (c = node_each(n, name, c));)
                count++;
        return count;
}

const char *node_text(const Node *n, const char *name)
{
        const Node *c = node_child(n, name);

        return c ? c->value : NULL;
}

const char *node_text_of(const Node *n, const char *name, const char *old_name)
{
        const char *value = node_text(n, name);

        return value ? value : node_text(n, old_name);
}

bool node_flag(const Node *n, const char *name, bool unset)
{
        const char *value = node_text(n, name);

        return value ? java_true(value) : unset;
}

unsigned long node_next_value_line(const Node *n, size_t at, size_t *last, size_t *breaks)
{
        for (const char *p = n->value + *last, *end = n->value + at;
             p < end && (p = memchr(p, '\n', (size_t) (end - p))); p++)
                ++*breaks;
        *last = at;
        if (n->value_lines && n->n_value_lines > 0)
                return n->value_lines[*breaks < n->n_value_lines ? *breaks : n->n_value_lines - 1];
        return (n->value_line ? n->value_line : n->line) + *breaks;
}

unsigned long node_value_line(const Node *n, size_t at)
{
        size_t last = 0, breaks = 0;

        return node_next_value_line(n, at, &last, &breaks);
}
