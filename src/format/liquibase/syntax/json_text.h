#pragma once
/* What JSON has and YAML has not. */
#include "util/arena.h"
#include "util/error.h"

/* JSON has characters beyond the first 65,536 as two escapes, which libyaml refuses: they become one of YAML's. *text, which a NUL
 * byte follows, becomes a copy in the arena. */
int json_join_surrogates(const char **text, size_t *size, Arena *a, Error *err);
