#include "main/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "main/conninfo.h"
#include "main/nearest.h"
#include "util/clock.h"
#include "util/parse.h"
#include "util/utf8.h"

#define USEC_PER_MIN (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MIN)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define MAX_PLACEHOLDERS 1000

static const char *const log_levels[] = { "error", "warning", "info", "debug", NULL };
static const char *const log_formats[] = { "auto", "text", "json", NULL };
static const char *const flushes[] = { "immediate", "deferred", NULL };
static const char *const drifts[] = { "off", "warn", "refuse", NULL }; /* as DriftMode */
static const char *const booleans[] = { "yes", "no", NULL };

/* Durations and sizes as people write them: the largest unit that divides. */
static const char *show_limit(const Option *o, uint64_t v, char buf[32])
{
        static const struct {
                const char *type, *unit;
                uint64_t factor;
        } units[] = {
                { "DURATION", "d", USEC_PER_DAY },   { "DURATION", "h", USEC_PER_HOUR },
                { "DURATION", "min", USEC_PER_MIN }, { "DURATION", "s", USEC_PER_SEC },
                { "DURATION", "ms", USEC_PER_MSEC }, { "SIZE", "GiB", 1 << 30 },
                { "SIZE", "MiB", 1 << 20 },          { "SIZE", "KiB", 1 << 10 },
        };

        for (size_t i = 0; v && v != USEC_INFINITY && i < sizeof units / sizeof *units; i++)
                if (strcmp(units[i].type, o->type->name) == 0 && v % units[i].factor == 0) {
                        (void) snprintf(buf, 32, "%llu%s",
                                        (unsigned long long) (v / units[i].factor), units[i].unit);
                        return buf;
                }
        (void) snprintf(buf, 32, "%llu", (unsigned long long) v);
        return v == USEC_INFINITY ? "infinity" : buf;
}

static int check_range(const Option *o, uint64_t v, Error *err)
{
        char lo[32], hi[32];

        if (v >= o->min && v <= o->max)
                return 0;
        return error_set(err, ERROR_CONFIG, "must be from %s to %s", show_limit(o, o->min, lo),
                         show_limit(o, o->max, hi));
}

static int set_number(const Option *o, uint64_t *field, const char *value, Error *err,
                      int (*parse)(uint64_t *, const char *, Error *))
{
        uint64_t v;
        int r = parse(&v, value, err);

        if (r < 0)
                return r;
        r = check_range(o, v, err);
        if (r < 0)
                return r;
        *field = v;
        return 0;
}

static int set_uint(const Option *o, void *field, const char *value, Error *err)
{
        return set_number(o, field, value, err, parse_uint);
}

static int set_size(const Option *o, void *field, const char *value, Error *err)
{
        return set_number(o, field, value, err, parse_size);
}

static int set_duration(const Option *o, void *field, const char *value, Error *err)
{
        return set_number(o, field, value, err, parse_duration);
}

static int set_bool(const Option *o, void *field, const char *value, Error *err)
{
        (void) o;
        return parse_bool(field, value, err);
}

static int check_text(const Option *o, const char *value, Error *err)
{
        size_t len = strlen(value);

        if (utf8_valid_prefix(value, len) != len)
                return error_set(err, ERROR_CONFIG, "is not valid UTF-8");
        for (const char *p = value; *p; p++)
                if (iscntrl((unsigned char) *p) && *p != '\t')
                        return error_set(err, ERROR_CONFIG, "contains a control character");
        if (len < o->min)
                return error_set(err, ERROR_CONFIG, "must not be empty");
        if (len > o->max)
                return error_set(err, ERROR_CONFIG, "is longer than %llu bytes",
                                 (unsigned long long) o->max);
        return 0;
}

static int set_string(const Option *o, void *field, const char *value, Error *err)
{
        char **s = field, *copy;
        int r = check_text(o, value, err);

        if (r < 0)
                return r;
        copy = strdup(value);
        if (!copy)
                return error_oom(err, "a setting");
        free(*s);
        *s = copy;
        return 0;
}

static int set_address(const Option *o, void *field, const char *value, Error *err)
{
        const char *colon = strrchr(value, ':');
        uint64_t port;

        if (*value && (!colon || colon == value || parse_uint(&port, colon + 1, err) < 0 ||
                       port > 65535 || (strchr(value, ':') != colon && *value != '[')))
                return error_set(err, ERROR_CONFIG, "is not an address and port");
        return set_string(o, field, value, err);
}

static int set_url(const Option *o, void *field, const char *value, Error *err)
{
        Secret **s = field, *copy = NULL;
        int r = check_text(o, value, err);

        if (r >= 0)
                r = conninfo_check(value, err);
        if (r >= 0)
                r = secret_new(&copy, value, err);
        if (r < 0)
                return r;
        secret_free(*s);
        *s = copy;
        return 0;
}

static int choice_index(const Option *o, const char *value, Error *err)
{
        for (int i = 0; o->type->choices[i]; i++)
                if (strcmp(o->type->choices[i], value) == 0)
                        return i;
        return error_set(err, ERROR_CONFIG, "is not one of its values");
}

static int set_choice(const Option *o, void *field, const char *value, Error *err)
{
        int i = choice_index(o, value, err);

        return i < 0 ? i : set_string(o, field, value, err);
}

static int set_flush(const Option *o, void *field, const char *value, Error *err)
{
        int i = choice_index(o, value, err);

        if (i < 0)
                return i;
        *(bool *) field = i == 1;
        return 0;
}

static int set_drift(const Option *o, void *field, const char *value, Error *err)
{
        int i = choice_index(o, value, err);

        if (i < 0)
                return i;
        *(DriftMode *) field = (DriftMode) i;
        return 0;
}

/* clang-format off */
static const OptionType
        type_STRING     = { "TEXT",     "a text", NULL, set_string },
        type_PATH       = { "PATH",     "a path", NULL, set_string },
        type_URL     = { "URL",      "postgresql://user@host:port/database?sslmode=verify-full, with %40 for @, %2F for / and so on inside the parts; or keyword=value pairs", NULL, set_url },
        type_ADDRESS    = { "ADDRESS",  "host:port, such as 127.0.0.1:6447 or [::1]:6447", NULL, set_address },
        type_BOOL       = { "BOOLEAN",  "yes or no", booleans, set_bool },
        type_UINT       = { "NUMBER",   "a whole number", NULL, set_uint },
        type_SIZE       = { "SIZE",     "bytes, or a number with KiB, MiB or GiB", NULL, set_size },
        type_DURATION   = { "DURATION", "a number with ms, s, min, h or d, such as 90s; 0; infinity where there is no limit", NULL, set_duration },
        type_LOG_LEVEL  = { "LEVEL",    "error, warning, info or debug", log_levels, set_choice },
        type_LOG_FORMAT = { "FORMAT",   "auto, text or json", log_formats, set_choice },
        type_FLUSH      = { "WHEN",     "immediate or deferred", flushes, set_flush },
        type_DRIFT      = { "HOW",      "off, warn or refuse", drifts, set_drift };

#define SETTINGS_SERVICE ServiceSettings
#define SETTINGS_DATABASE DatabaseSettings
#define OPTION(n, TYPE, SCOPE, field, d, lo, hi, fl, h)                                                 \
        { .name = #n, .type = &type_##TYPE, .scope = OPTION_##SCOPE,                                    \
          .offset = offsetof(SETTINGS_##SCOPE, field), .def = d, .min = lo, .max = hi, .flags = fl, .help = h },
const Option options[] = {
#include "main/options.def"
};
#undef OPTION
/* clang-format on */
const size_t n_options = sizeof options / sizeof *options;

static bool same_name(const char *a, const char *b)
{
        for (; *a && (*a == *b || (*a == '_' && *b == '-')); a++, b++)
                ;
        return !*a && !*b;
}

const Option *option_find(const char *name)
{
        for (const Option *o = options; o < options + n_options; o++)
                if (same_name(o->name, name))
                        return o;
        return NULL;
}

const char *option_nearest(const char *name)
{
        Nearest n = nearest_begin(name);

        for (size_t i = 0; i < n_options; i++)
                nearest_offer(&n, options[i].name);
        return n.best;
}

bool option_is_boolean(const Option *o)
{
        return o->type == &type_BOOL;
}

static int refuse(const Option *o, const char *value, Error *err)
{
        if (err->code == ERROR_OOM)
                return -ERROR_OOM;
        err->code = ERROR_CONFIG;
        if (o->flags & OPTION_HIDDEN)
                (void) error_prefix(err, "%s", o->name);
        else {
                char shown[200];

                utf8_sanitize(shown, sizeof shown, value);
                (void) error_prefix(err, "%s = \"%s\"", o->name, shown);
        }
        return *err->hint ? -(int) err->code
                          : error_hint(err, "%s takes %s", o->name, o->type->accepts);
}

int option_set(const Option *o, void *settings, const char *value, const char *base, Error *err)
{
        void *field = (char *) settings + o->offset;
        _cleanup_free_ char *joined = NULL;
        int r;

        if (o->type == &type_PATH && base && *value && *value != '/') {
                if (asprintf(&joined, "%s/%s", base, value) < 0) {
                        joined = NULL;
                        return error_oom(err, "a path");
                }
        }
        r = o->type->set(o, field, joined ? joined : value, err);
        return r < 0 ? refuse(o, value, err) : 0;
}

static int set_defaults(OptionScope scope, void *settings, Error *err)
{
        for (const Option *o = options; o < options + n_options; o++) {
                int r = o->scope == scope ? option_set(o, settings, o->def, NULL, err) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

int service_settings_init(ServiceSettings *s, Error *err)
{
        int r;

        *s = (ServiceSettings){ .listen = NULL };
        r = set_defaults(OPTION_SERVICE, s, err);
        if (r < 0)
                service_settings_done(s);
        return r;
}

int database_settings_init(DatabaseSettings *s, Error *err)
{
        int r;

        *s = (DatabaseSettings){ .name = strdup("default") };
        if (!s->name)
                return error_oom(err, "settings");
        r = set_defaults(OPTION_DATABASE, s, err);
        if (r < 0)
                database_settings_done(s);
        return r;
}

static int check_placeholder(const char *name, const char *value, Error *err)
{
        size_t len = strlen(value);

        if (!*name || strlen(name) > 128)
                return error_set(err, ERROR_CONFIG, "a placeholder's name has 1 to 128 characters");
        for (const char *p = name; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("_.-:", *p))
                        return error_set(err, ERROR_CONFIG,
                                         "placeholder name has a character that is none of "
                                         "letters, digits, '_', '.', '-' and ':'");
        if (len > 65536 || utf8_valid_prefix(value, len) != len)
                return error_set(err, ERROR_CONFIG,
                                 "placeholder.%s is not a text of at most 64 KiB of UTF-8", name);
        return 0;
}

int placeholder_set(DatabaseSettings *s, const char *name, const char *value, Error *err)
{
        FormatOptions *f = &s->changelog;
        _cleanup_free_ char *n = NULL, *v = NULL;
        Placeholder *p;
        int r = check_placeholder(name, value, err);

        if (r < 0)
                return r;
        n = strdup(name);
        v = strdup(value);
        if (!n || !v)
                return error_oom(err, "a placeholder");
        for (size_t i = 0; i < f->n_placeholders; i++) {
                p = &f->placeholders[i];
                if (strcasecmp(p->name, name) != 0)
                        continue;
                free(p->value);
                p->value = TAKE_PTR(v);
                return 0;
        }
        if (f->n_placeholders >= MAX_PLACEHOLDERS)
                return error_set(err, ERROR_CONFIG, "more than %d placeholders", MAX_PLACEHOLDERS);
        p = reallocarray(f->placeholders, f->n_placeholders + 1, sizeof *p);
        if (!p)
                return error_oom(err, "a placeholder");
        f->placeholders = p;
        p[f->n_placeholders++] = (Placeholder){ .name = TAKE_PTR(n), .value = TAKE_PTR(v) };
        return 0;
}

bool service_settings_need_restart(const ServiceSettings *a, const ServiceSettings *b,
                                   const char **name)
{
        for (const Option *o = options; o < options + n_options; o++) {
                const char *fa = (const char *) a + o->offset, *fb = (const char *) b + o->offset;
                bool text = o->type == &type_ADDRESS || o->type == &type_PATH;

                if (o->scope != OPTION_SERVICE || !(o->flags & OPTION_RESTART))
                        continue;
                if (text ? strcmp(*(char *const *) (const void *) fa,
                                  *(char *const *) (const void *) fb) != 0
                         : memcmp(fa, fb, sizeof(uint64_t)) != 0) {
                        *name = o->name;
                        return true;
                }
        }
        return false;
}
