#pragma once
/* The one tree that XML, YAML, JSON and formatted SQL are read into. Facts: liquibase.md 1.1, 2. Nodes, names and values live in the
 * arena that the reader was given. */
#include <stdbool.h>

#include "format/liquibase/syntax/java.h"

typedef enum NodeType {
        NODE_NONE,  /* no value: only children */
        NODE_TEXT,  /* a string, as written */
        NODE_OTHER, /* a boolean, number or null of YAML; value is Java's text of it */
        NODE_DATE,  /* an unquoted date of YAML; value is Java's text of it, iso its ISO form */
        NODE_LIST,  /* several scalars: values */
} NodeType;

typedef struct Node Node;
struct Node {
        const char *name;
        const char *value; /* NULL: none. Never set for NODE_LIST */
        const char *iso;
        const char **values;
        size_t n_values;
        NodeType type;
        bool attribute; /* of an XML element */
        Node *children, *last_child, *next;
        unsigned long line, column; /* of the element, the key or the directive; 1-based */
        unsigned long value_line;   /* line of the first character of value; 0: that of the node */
        /* Line of each line of value, for text that was put together from lines that do not follow one another; NULL: value_line + i. */
        const unsigned long *value_lines;
        size_t n_value_lines;
};

/* Limits against hostile input: bytes of a changelog file, nodes of one file, depth. */
#define NODE_MAX_FILE ((size_t) 256 << 20)
#define NODE_MAX_COUNT 5000000
#define NODE_MAX_DEPTH 50

Node *node_new(Arena *a, const char *name, unsigned long line, unsigned long column);
void node_add(Node *parent, Node *child);
/* A child that is a scalar. NULL when out of memory. */
Node *node_add_text(Arena *a, Node *parent, const char *name, const char *value);

/* The first child of that name, ignoring case; NULL: none. */
const Node *node_child(const Node *n, const char *name);
/* How many there are. */
size_t node_count(const Node *n, const char *name);
/* The next one after `after` (NULL: the first) of that name. */
const Node *node_each(const Node *n, const char *name, const Node *after);
/* Value of the child, NULL when there is none. */
const char *node_text(const Node *n, const char *name);
/* The same, of the first of two names that is there (contextFilter, context). */
const char *node_text_of(const Node *n, const char *name, const char *old_name);
bool node_flag(const Node *n, const char *name, bool unset);
/* Line of the file that byte `at` of the node's value came from. */
unsigned long node_value_line(const Node *n, size_t at);
/* The same for one place after another: *last is the one before, *breaks how many ends of lines come before it; 0 at first. */
unsigned long node_next_value_line(const Node *n, size_t at, size_t *last, size_t *breaks);

/* Readers. data is the whole file with its byte order mark, followed by a NUL byte; UTF-16 with a mark is understood, other
 * encodings than UTF-8 only where XML declares them. *ret is the root, called databaseChangeLog, its children in file order.
 * What is wrong with the syntax is ERROR_CHANGELOG with path, line and column. */
int read_xml(Node **ret, Arena *a, const char *data, size_t size, const char *path, Error *err);
/* YAML, and JSON, which Liquibase reads by the rules of YAML. */
int read_yaml(Node **ret, Arena *a, const char *data, size_t size, const char *path, Error *err);
/* Formatted SQL (facts 2): properties as `property`, changesets as `changeSet`, each with one child `sql`, and `rollback`,
 * `preConditions`, `comment`, `validCheckSum` as the other syntaxes have them; attributes of the header are children of the root.
 * A file without the header (`raw`) is one changeset "raw" by "includeAll" (facts 2.8). */
int read_sql(Node **ret, Arena *a, const char *data, size_t size, const char *path, Error *err);
/* The text of a file as UTF-8 without its mark, decoded from the encoding that the mark or `encoding` (NULL: UTF-8) tells. *ret is
 * terminated and lives in the arena or is data itself. ERROR_CHANGELOG with line and column for what is not valid. */
int decode_text(const char **ret, size_t *ret_size, Arena *a, const char *data, size_t size,
                const char *encoding, const char *path, Error *err);
/* The same for checksums, which have been computed of anything: bytes that are no UTF-8 become U+FFFD where Java has it. */
int decode_any_text(const char **ret, size_t *ret_size, Arena *a, const char *data, size_t size,
                    const char *encoding, const char *path, Error *err);
