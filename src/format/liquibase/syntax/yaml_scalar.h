#pragma once
/* What an unquoted scalar of YAML 1.1 is, as SnakeYAML has it, and Java's text of that. Facts: liquibase.md 1.1. */
#include "format/liquibase/syntax/node.h"

typedef enum ScalarKind {
        SCALAR_TEXT,
        SCALAR_NULL,
        SCALAR_BOOLEAN,
        SCALAR_INTEGER,
        SCALAR_FLOAT,
        SCALAR_DATE
} ScalarKind;

/* Sets type, value and iso of the node from a plain scalar, returns its ScalarKind. Liquibase's process is taken to live in UTC. */
int yaml_scalar_resolve(Node *n, Arena *a, const char *text, Error *err);
