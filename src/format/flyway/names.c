#include <string.h>
#include <strings.h>

#include "format/flyway/flyway.h"

/* clang-format off */
const FlywayEvent flyway_events[] = {
        { "afterConnect",                   HOOK_AFTER_CONNECT },
        { "beforeMigrate",                  HOOK_BEFORE_MIGRATE },
        { "afterMigrate",                   HOOK_AFTER_MIGRATE },
        { "afterMigrateApplied",            HOOK_AFTER_MIGRATE_APPLIED },
        { "afterMigrateError",              HOOK_AFTER_MIGRATE_ERROR },
        { "beforeEachMigrate",              HOOK_BEFORE_EACH_MIGRATE },
        { "afterEachMigrate",               HOOK_AFTER_EACH_MIGRATE },
        { "afterEachMigrateError",          HOOK_AFTER_EACH_MIGRATE_ERROR },
        { "beforeEachMigrateStatement",     HOOK_BEFORE_EACH_STATEMENT },
        { "afterEachMigrateStatement",      HOOK_AFTER_EACH_STATEMENT },
        { "afterEachMigrateStatementError", HOOK_AFTER_EACH_STATEMENT_ERROR },
        { "beforeRepeatables",              HOOK_BEFORE_REPEATABLES },
        { "afterVersioned",                 HOOK_AFTER_VERSIONED },
        { "beforeUndo",                     HOOK_BEFORE_UNDO },
        { "afterUndo",                      HOOK_AFTER_UNDO },
        { "afterUndoError",                 HOOK_AFTER_UNDO_ERROR },
        { "beforeEachUndo",                 HOOK_BEFORE_EACH_UNDO },
        { "afterEachUndo",                  HOOK_AFTER_EACH_UNDO },
        { "afterEachUndoError",             HOOK_AFTER_EACH_UNDO_ERROR },
        { "beforeValidate",                 HOOK_BEFORE_VALIDATE },
        { "afterValidate",                  HOOK_AFTER_VALIDATE },
        { "afterValidateError",             HOOK_AFTER_VALIDATE_ERROR },
        { "beforeBaseline",                 HOOK_BEFORE_BASELINE },
        { "afterBaseline",                  HOOK_AFTER_BASELINE },
        { "afterBaselineError",             HOOK_AFTER_BASELINE_ERROR },
        { "beforeRepair",                   HOOK_BEFORE_REPAIR },
        { "afterRepair",                    HOOK_AFTER_REPAIR },
        { "afterRepairError",               HOOK_AFTER_REPAIR_ERROR },
        { "beforeInfo",                     HOOK_BEFORE_INFO },
        { "afterInfo",                      HOOK_AFTER_INFO },
        { "afterInfoError",                 HOOK_AFTER_INFO_ERROR },
        { "beforeCreateSchema",             HOOK_BEFORE_CREATE_SCHEMA },
        { "createSchema",                   HOOK_CREATE_SCHEMA },
        { "beforeConnect",                  -1 },
        { "beforeClean",                    -1 },
        { "afterClean",                     -1 },
        { "afterCleanError",                -1 },
        { "afterCleanOperationFinish",      -1 },
        { "afterMigrateOperationFinish",    -1 },
        { "beforeEachUndoStatement",        -1 },
        { "afterEachUndoStatement",         -1 },
        { "afterEachUndoStatementError",    -1 },
        { "afterUndoOperationFinish",       -1 },
        { "afterValidateOperationFinish",   -1 },
        { "afterBaselineOperationFinish",   -1 },
        { "afterRepairOperationFinish",     -1 },
        { "afterInfoOperationFinish",       -1 },
        { NULL, -1 },
};

static const struct {
        char prefix;
        MigrationKind kind;
        bool versioned;
} kinds[] = {
        { 'V', MIGRATION_VERSIONED,  true },
        { 'R', MIGRATION_REPEATABLE, false },
        { 'B', MIGRATION_BASELINE,   true },
        { 'U', MIGRATION_UNDO,       true },
};

/* What Flyway hands to a shell, and what it finds on Java's class path. */
static const struct {
        const char *suffix, *reason;
} foreign[] = {
        { ".py",    "is a script, which Flyway would run and pgmigrated cannot" },
        { ".sh",    "is a script, which Flyway would run and pgmigrated cannot" },
        { ".bash",  "is a script, which Flyway would run and pgmigrated cannot" },
        { ".cmd",   "is a script, which Flyway would run and pgmigrated cannot" },
        { ".bat",   "is a script, which Flyway would run and pgmigrated cannot" },
        { ".ps1",   "is a script, which Flyway would run and pgmigrated cannot" },
        { ".java",  "is a migration written in Java, which pgmigrated cannot run" },
        { ".class", "is a migration written in Java, which pgmigrated cannot run" },
        { ".kt",    "is a migration written in Kotlin, which pgmigrated cannot run" },
};
/* clang-format on */

#define N(a) (sizeof(a) / sizeof *(a))

static bool ends_with(const char *s, size_t len, const char *suffix)
{
        size_t n = strlen(suffix);

        return len >= n && strncasecmp(s + len - n, suffix, n) == 0;
}

/* The parts of a name before its suffix was judged. */
typedef struct Split {
        const char *left, *right; /* on either side of the first "__" */
        size_t left_len, right_len, prefix_len;
        bool versioned;
} Split;

static bool find_prefix(FlywayName *n, Split *s, const char *base)
{
        size_t longest = 0;

        for (size_t i = 0; i < N(kinds); i++)
                if (*base == kinds[i].prefix) {
                        longest = 1;
                        n->kind = kinds[i].kind;
                        s->versioned = kinds[i].versioned;
                }
        for (const FlywayEvent *e = flyway_events; e->name; e++) {
                size_t len = strlen(e->name);

                if (len > longest && strncmp(base, e->name, len) == 0) {
                        longest = len;
                        n->event = e;
                }
        }
        s->prefix_len = longest;
        return longest > 0;
}

static void split(Split *s, const char *base, size_t len)
{
        const char *rest = base + s->prefix_len;
        size_t rest_len = len - s->prefix_len;
        const char *sep = memmem(rest, rest_len, "__", 2);

        s->left = rest;
        s->left_len = sep ? (size_t) (sep - rest) : rest_len;
        s->right = sep ? sep + 2 : rest + rest_len;
        s->right_len = (size_t) (rest + rest_len - s->right);
}

static void copy_mapped(char *to, const char *from, size_t len, char instead)
{
        for (size_t i = 0; i < len; i++)
                if (from[i] == '_')
                        to[i] = instead;
                else
                        to[i] = from[i];
        to[len] = '\0';
}

/* NULL when the two sides of the separator are what the prefix asks for, else what is wrong. */
static const char *judge(FlywayName *n, const Split *s)
{
        static const char *const words[] = { "current", "latest", "next" };

        copy_mapped(n->description, s->right, s->right_len, ' ');
        if (!s->versioned || n->event)
                return s->left_len == 0 ? NULL : "has something between its prefix and \"__\"";
        if (s->left_len == 0)
                return "has no version: a name looks like V1.2__add_orders.sql";
        copy_mapped(n->version, s->left, s->left_len, '.');
        for (size_t i = 0; i < N(words); i++)
                if (strcasecmp(n->version, words[i]) == 0) {
                        n->class = FLYWAY_NAME_REFUSED;
                        return "has a word for a version: it has to be a number such as 1 or 1.2";
                }
        return flyway_version_valid(n->version)
                       ? NULL
                       : "has a version that is no number such as 1 or 1.2";
}

/* Flyway looks for V, R, B and U with something behind them, and for callbacks with nothing too. */
static bool long_enough(const FlywayName *n, const Split *s, size_t len)
{
        return n->event ? len >= s->prefix_len : len > s->prefix_len;
}

static void parse_sql(FlywayName *n, const char *base, size_t len)
{
        Split s = { 0 };

        n->class = FLYWAY_NAME_INVALID;
        if (!find_prefix(n, &s, base) || !long_enough(n, &s, len)) {
                n->reason = "is no migration's name: those look like V1__name.sql or R__name.sql";
                return;
        }
        split(&s, base, len);
        n->reason = judge(n, &s);
        if (!n->reason)
                n->class = n->event ? FLYWAY_NAME_HOOK : FLYWAY_NAME_MIGRATION;
}

/* len is that of the name without its suffix. */
static void parse_foreign(FlywayName *n, const char *base, size_t len, const char *reason)
{
        Split s = { 0 };

        if (!find_prefix(n, &s, base) || !long_enough(n, &s, len))
                return;
        split(&s, base, len);
        if (judge(n, &s))
                n->class = FLYWAY_NAME_NONE;
        else if (reason) {
                n->class = FLYWAY_NAME_REFUSED;
                n->reason = reason;
        } else
                n->class = FLYWAY_NAME_LOOKALIKE;
}

void flyway_name_parse(FlywayName *ret, const char *base)
{
        size_t len = strlen(base);
        const char *sep, *dot;

        *ret = (FlywayName){ .class = FLYWAY_NAME_NONE };
        if (len > FLYWAY_MAX_NAME)
                return;
        if (ends_with(base, len, ".conf")) {
                ret->class = FLYWAY_NAME_CONF;
                return;
        }
        if (ends_with(base, len, ".sql")) {
                parse_sql(ret, base, len - strlen(".sql"));
                return;
        }
        for (size_t i = 0; i < N(foreign); i++)
                if (ends_with(base, len, foreign[i].suffix)) {
                        parse_foreign(ret, base, len - strlen(foreign[i].suffix),
                                      foreign[i].reason);
                        return;
                }
        sep = strstr(base, "__"); /* dots before it are the version's */
        dot = strrchr(sep ? sep : base, '.');
        parse_foreign(ret, base, dot ? (size_t) (dot - base) : len,
                      dot ? NULL
                          : "has no suffix, which makes it a script for Flyway to run; "
                            "pgmigrated cannot");
}
