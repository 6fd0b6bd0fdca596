/* Two names, at the first newline: what is parsed is consistent, and versions have an order. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "format/flyway/flyway.h"
#include "util/text.h"
#include "util/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(FlywayName *n, const char *base)
{
        flyway_name_parse(n, base);
        assert(strlen(n->version) <= FLYWAY_MAX_NAME);
        assert(strlen(n->description) <= FLYWAY_MAX_NAME);
        switch (n->class) {
        case FLYWAY_NAME_MIGRATION:
                assert(!n->event && n->kind < _MIGRATION_KIND_MAX);
                assert((n->kind == MIGRATION_REPEATABLE) == !*n->version);
                assert(!*n->version || flyway_version_valid(n->version));
                assert(flyway_version_compare(n->version, n->version) == 0);
                break;
        case FLYWAY_NAME_HOOK:
                assert(n->event && !*n->version);
                break;
        case FLYWAY_NAME_INVALID:
        case FLYWAY_NAME_REFUSED:
                assert(n->reason);
                break;
        default:
                break;
        }
}

static int sign(int x)
{
        return (x > 0) - (x < 0);
}

static void check_order(const char *a, const char *b)
{
        assert(sign(flyway_version_compare(a, b)) == -sign(flyway_version_compare(b, a)));
        assert(utf8_compare_utf16(a, b) == -utf8_compare_utf16(b, a));
        assert((utf8_compare_utf16(a, b) == 0) == (strcmp(a, b) == 0));
}

static void check_widths(const char *s)
{
        _cleanup_text_ Text t = TEXT_INIT(1U << 20);

        flyway_abbreviate_description(&t, s);
        flyway_abbreviate_script(&t, s);
        assert(!t.bad);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FlywayName a, b;
        char *first = strndup((const char *) data, size), *second;

        if (!first)
                return 0;
        second = strchr(first, '\n');
        if (second)
                *second++ = '\0';
        check_name(&a, first);
        check_name(&b, second ? second : "");
        check_order(a.version, b.version);
        check_order(first, second ? second : "");
        check_widths(first);
        (void) flyway_checksum((const char *) data, size);
        free(first);
        return 0;
}
