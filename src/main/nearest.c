#include "main/nearest.h"

#include <string.h>

#define MAX_NAME 63

static char folded(char c)
{
        if (c == '-')
                return '_';
        return c;
}

static unsigned least(unsigned a, unsigned b)
{
        return a < b ? a : b;
}

/* Optimal string alignment, three rows at a time. */
unsigned edit_distance(const char *a, const char *b)
{
        unsigned rows[3][MAX_NAME + 1];
        unsigned na = (unsigned) strnlen(a, MAX_NAME), nb = (unsigned) strnlen(b, MAX_NAME);

        for (unsigned j = 0; j <= nb; j++)
                rows[0][j] = j;
        for (unsigned i = 1; i <= na; i++) {
                unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

                now[0] = i;
                for (unsigned j = 1; j <= nb; j++) {
                        char ca = folded(a[i - 1]), cb = folded(b[j - 1]);

                        now[j] = least(least(now[j - 1], last[j]) + 1, last[j - 1] + (ca != cb));
                        if (i > 1 && j > 1 && ca == folded(b[j - 2]) && cb == folded(a[i - 2]))
                                now[j] = least(now[j], before[j - 2] + 1);
                }
        }
        return rows[na % 3][nb];
}

Nearest nearest_begin(const char *name)
{
        /* A third of the letters may be wrong; of short names one. */
        return (Nearest){ .name = name, .distance = (unsigned) strnlen(name, MAX_NAME) / 3 + 1 };
}

void nearest_offer(Nearest *n, const char *candidate)
{
        unsigned d = edit_distance(n->name, candidate);

        if (d < n->distance) {
                n->best = candidate;
                n->distance = d;
        }
}
