#pragma once
/* "Did you mean": the offered name that is the fewest typing errors (insertion, removal, replacement, two letters
 * swapped) away from a given one. */
typedef struct Nearest {
        const char *name, *best; /* best: NULL when none was near */
        unsigned distance;
} Nearest;

Nearest nearest_begin(const char *name);
void nearest_offer(Nearest *n, const char *candidate); /* borrowed */
unsigned edit_distance(const char *a,
                       const char *b); /* '-' and '_' are the same; of at most 63 characters each */
