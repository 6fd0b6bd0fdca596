#include "api/router.h"

#include <stdio.h>
#include <string.h>

static bool match(const char *pattern, const RequestTarget *t,
                  const char *arguments[ROUTE_MAX_ARGUMENTS])
{
        const char *p = pattern + 1;
        size_t n_arguments = 0, i = 0;

        while (*p) {
                size_t len = strcspn(p, "/");

                if (i == t->n_segments)
                        return false;
                if (*p == '{') {
                        if (!*t->segments[i])
                                return false;
                        arguments[n_arguments++] = t->segments[i];
                } else if (strlen(t->segments[i]) != len || memcmp(t->segments[i], p, len)) {
                        return false;
                }
                i++;
                p += len + (p[len] == '/');
        }
        return i == t->n_segments;
}

static void allow(RouteMatch *m, const char *method)
{
        size_t len = strlen(m->allow);

        (void) snprintf(m->allow + len, sizeof m->allow - len, "%s%s%s", len ? ", " : "", method,
                        !strcmp(method, "GET") ? ", HEAD" : "");
}

int router_find(RouteMatch *ret, const Route *table, size_t n, const char *method,
                const RequestTarget *target, Error *err)
{
        const char *wanted = strcmp(method, "HEAD") ? method : "GET";

        *ret = (RouteMatch){ 0 };
        for (size_t i = 0; i < n; i++) {
                const char *arguments[ROUTE_MAX_ARGUMENTS] = { 0 };

                if (!match(table[i].pattern, target, arguments))
                        continue;
                allow(ret, table[i].method);
                if (strcmp(table[i].method, wanted))
                        continue;
                ret->route = &table[i];
                memcpy(ret->arguments, arguments, sizeof arguments);
                return 0;
        }
        if (!ret->allow[0]) {
                error_set_to(err, ERROR_NOT_FOUND, "there is nothing at this address");
                return error_hint(err, "GET / lists what there is");
        }
        allow(ret, "OPTIONS");
        if (!strcmp(method, "OPTIONS"))
                return 0;
        return error_set(err, ERROR_NOT_ALLOWED, "method %.16s is not allowed here, only %s",
                         method, ret->allow);
}
