#include "pg/target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/parse.h"

struct PgTarget {
        PQconninfoOption *options; /* given, else from the environment and libpq's defaults */
        PgEndpoint endpoints[PG_TARGET_MAX_HOSTS];
        size_t n_endpoints;
        char *description;
};

/* ---- what libpq says about a string it cannot parse ---- */

/* Its own messages quote the string, password and all, so they are told apart and said in other words. */
static const struct {
        const char *start, *said;
} parse_failures[] = {
        { "missing \"=\" after", "a keyword is not followed by \"=\"" },
        { "unterminated quoted string", "a quoted string is not terminated" },
        { "invalid percent-encoded token", "\"%\" is not followed by two hexadecimal digits" },
        { "forbidden value %00", "it has a zero byte (%00)" },
        { "end of string reached when looking for matching \"]\"",
          "\"]\" is missing after an IPv6 address" },
        { "IPv6 host address may not be empty", "an IPv6 address is empty" },
        { "unexpected character", "an unexpected character stands after the host" },
        { "extra key/value separator", "a parameter has two \"=\"" },
        { "missing key/value separator", "a parameter after \"?\" has no \"=\"" },
        { "out of memory", "not enough memory" },
};

/* `invalid connection option "x"`: x is safe to show when it is one plain word and no password may have
 * been torn into pieces before it. */
static bool unknown_option(const char *url, const char *message, char *name, size_t size)
{
        const char *open = strchr(message, '"');
        const char *close = open ? strchr(open + 1, '"') : NULL;
        size_t len;

        if (!close || (strncmp(message, "invalid connection option", 25) != 0 &&
                       strncmp(message, "invalid URI query parameter", 27) != 0))
                return false;
        len = (size_t) (close - open - 1);
        if (len >= size || len != strspn(open + 1, "abcdefghijklmnopqrstuvwxyz_") ||
            (!strstr(url, "://") && strstr(url, "password")))
                return false;
        (void) snprintf(name, size, "%.*s", (int) len, open + 1);
        return true;
}

static int parse_failed(const char *url, const char *message, Error *err)
{
        const char *said = "a parameter is unknown or malformed";
        char name[40];

        if (message && unknown_option(url, message, name, sizeof name))
                return error_set(err, ERROR_CONFIG, "there is no connection parameter \"%s\"",
                                 name);
        for (size_t i = 0; message && i < sizeof parse_failures / sizeof parse_failures[0]; i++)
                if (strncmp(message, parse_failures[i].start, strlen(parse_failures[i].start)) == 0)
                        said = parse_failures[i].said;
        (void) error_set(err, ERROR_CONFIG, "cannot parse the connection string: %s", said);
        return error_hint(err, "write postgresql://user@host:port/database?sslmode=verify-full and "
                               "percent-encode \"/\", \"@\", \":\" and \"%%\" in the password");
}

/* ---- parsing ---- */

static PQconninfoOption *find_option(PQconninfoOption *options, const char *keyword)
{
        for (PQconninfoOption *o = options; o && o->keyword; o++)
                if (strcmp(o->keyword, keyword) == 0)
                        return o;
        return NULL;
}

static const char *option(const PgTarget *t, const char *keyword)
{
        const PQconninfoOption *o = find_option(t->options, keyword);

        return o && o->val ? o->val : "";
}

/* What the string leaves open comes from PG* variables and from libpq. */
static int fill_defaults(PgTarget *t, Error *err)
{
        PQconninfoOption *defaults = PQconndefaults();
        bool ok = defaults != NULL;

        for (PQconninfoOption *o = t->options; ok && o->keyword; o++) {
                const PQconninfoOption *d = find_option(defaults, o->keyword);

                if (o->val || !d || !d->val)
                        continue;
                /* libpq frees it with free(3), as it made it with malloc(3). */
                o->val = strdup(d->val);
                ok = o->val != NULL;
        }
        PQconninfoFree(defaults);
        return ok ? 0 : error_oom(err, "a connection string");
}

/* Takes the next of a comma separated list; an exhausted list gives "". */
static char *take_item(const char **list)
{
        size_t len = strcspn(*list, ",");
        char *item = strndup(*list, len);

        *list += len;
        *list += **list == ',';
        return item;
}

static size_t count_items(const char *list)
{
        size_t n = *list != '\0';

        for (; *list; list++)
                n += *list == ',';
        return n;
}

static int check_port(const char *port, Error *err)
{
        uint64_t n = 0;
        Error ignored;

        /* The value is not shown: it is a piece of the password when that has an unescaped "/". */
        if (*port && (parse_uint(&n, port, &ignored) < 0 || n < 1 || n > 65535)) {
                (void) error_set(
                        err, ERROR_CONFIG,
                        "the port in the connection string is not a number from 1 to 65535");
                return error_hint(err, "percent-encode \"/\" and \":\" in the password");
        }
        return 0;
}

static int split_endpoints(PgTarget *t, Error *err)
{
        const char *hosts = option(t, "host"), *addresses = option(t, "hostaddr"),
                   *ports = option(t, "port");
        size_t n_hosts = count_items(hosts), n_addresses = count_items(addresses);
        size_t n = n_addresses ? n_addresses : n_hosts ? n_hosts : 1, n_ports = count_items(ports);
        const char *every_port = n_ports == 1 ? ports : NULL;

        if (n > PG_TARGET_MAX_HOSTS)
                return error_set(err, ERROR_CONFIG,
                                 "the connection string names %zu hosts, at most %d are possible",
                                 n, PG_TARGET_MAX_HOSTS);
        if ((n_hosts && n_addresses && n_hosts != n_addresses) || (n_ports > 1 && n_ports != n))
                return error_set(
                        err, ERROR_CONFIG,
                        "the connection string has %zu hosts, %zu host addresses and %zu ports",
                        n_hosts, n_addresses, n_ports);
        for (; t->n_endpoints < n; t->n_endpoints++) {
                PgEndpoint *e = &t->endpoints[t->n_endpoints];

                e->host = take_item(&hosts);
                e->hostaddr = take_item(&addresses);
                e->port = every_port ? strdup(every_port) : take_item(&ports);
                if (!e->host || !e->hostaddr || !e->port) {
                        t->n_endpoints++;
                        return error_oom(err, "a connection string");
                }
                if (check_port(e->port, err) < 0) {
                        t->n_endpoints++;
                        return -(int) err->code;
                }
        }
        return 0;
}

/* ---- validation ---- */

/* Parameters that cannot work here, or whose value is checked now rather than at the first connection. */
static const struct {
        const char *keyword, *allowed, *instead; /* allowed: words between blanks; "" = none */
} rules[] = {
        { "sslmode", " disable allow prefer require verify-ca verify-full ", NULL },
        { "target_session_attrs", " any read-write primary ",
          "migrations need a server that can be written to" },
        { "replication", " off false no 0 ", "migrations need an ordinary connection" },
        { "service", "", "put what the service file says into the connection string" },
        { "gssencmode", " disable prefer ", "GSSAPI encryption is not supported: use TLS" },
        { "channel_binding", " disable prefer require ", NULL },
};

/* Most likely the tail of a password with an unescaped "/" or "@": it must not get into a log. */
static int refuse_torn_password(const PgTarget *t, Error *err)
{
        static const struct {
                const char *keyword, *noun;
        } places[] = { { "dbname", "database name" }, { "host", "host name" } };

        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
                const char *value = option(t, places[i].keyword);

                if (!strchr(value, '@') || (i > 0 && (*value == '/' || *value == '@')))
                        continue; /* a socket's folder, or its abstract name */
                (void) error_set(err, ERROR_CONFIG, "the %s in the connection string has an \"@\"",
                                 places[i].noun);
                return error_hint(err,
                                  "percent-encode \"/\" as %%2F and \"@\" as %%40 in the password");
        }
        return 0;
}

static int validate(const PgTarget *t, Error *err)
{
        char word[64];

        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
                const char *value = option(t, rules[i].keyword);

                (void) snprintf(word, sizeof word, " %s ", value);
                if (!*value || strstr(rules[i].allowed, word))
                        continue;
                (void) error_set(err, ERROR_CONFIG, "\"%s\" cannot be used as %s of a database",
                                 value, rules[i].keyword);
                if (rules[i].instead)
                        return error_hint(err, "%s", rules[i].instead);
                return error_hint(err, "one of%s", rules[i].allowed);
        }
        return refuse_torn_password(t, err);
}

static int describe(PgTarget *t, Error *err)
{
        _cleanup_text_ Text text = TEXT_INIT(4096);
        const char *user = option(t, "user"), *database = option(t, "dbname");

        text_printf(&text, "%s@", user);
        for (size_t i = 0; i < t->n_endpoints; i++) {
                const PgEndpoint *e = &t->endpoints[i];
                const char *host = *e->host ? e->host : *e->hostaddr ? e->hostaddr : "local";

                text_printf(&text, strchr(host, ':') ? "%s[%s]:%s" : "%s%s:%s", i ? "," : "", host,
                            *e->port ? e->port : "5432");
        }
        text_printf(&text, "/%s", *database ? database : user);
        t->description = text_take(&text);
        return t->description ? 0 : error_oom(err, "a connection string");
}

int pg_target_new(PgTarget **ret, const char *url, Error *err)
{
        _cleanup_(pg_target_freep) PgTarget *t = calloc(1, sizeof *t);
        char *message = NULL;

        if (!t)
                return error_oom(err, "a connection string");
        t->options = PQconninfoParse(url, &message);
        if (!t->options) {
                (void) parse_failed(url, message, err);
                if (message)
                        explicit_bzero(message, strlen(message));
                PQfreemem(message);
                return -(int) err->code;
        }
        if (fill_defaults(t, err) < 0 || validate(t, err) < 0 || split_endpoints(t, err) < 0 ||
            describe(t, err) < 0)
                return -(int) err->code;
        *ret = TAKE_PTR(t);
        return 0;
}

PgTarget *pg_target_free(PgTarget *t)
{
        if (!t)
                return NULL;
        for (PQconninfoOption *o = t->options; o && o->keyword; o++)
                if (o->val && *o->dispchar == '*')
                        explicit_bzero(o->val, strlen(o->val));
        PQconninfoFree(t->options);
        for (size_t i = 0; i < t->n_endpoints; i++) {
                free(t->endpoints[i].host);
                free(t->endpoints[i].hostaddr);
                free(t->endpoints[i].port);
        }
        free(t->description);
        free(t);
        return NULL;
}

const char *pg_target_describe(const PgTarget *t)
{
        return t->description;
}

bool pg_target_has_password(const PgTarget *t)
{
        return *option(t, "password") != '\0';
}

/* ---- connecting ---- */

size_t pg_target_endpoints(const PgTarget *t, const PgEndpoint **ret)
{
        *ret = t->endpoints;
        return t->n_endpoints;
}

bool pg_endpoint_needs_resolving(const PgEndpoint *e)
{
        unsigned char address[sizeof(struct in6_addr)];

        return *e->host && !*e->hostaddr && *e->host != '/' && *e->host != '@' &&
               inet_pton(AF_INET, e->host, address) != 1 &&
               inet_pton(AF_INET6, e->host, address) != 1;
}

static void add(PgParameters *p, const char *keyword, const char *value)
{
        if (!*value || p->n >= PG_TARGET_MAX_PARAMETERS)
                return;
        p->keywords[p->n] = keyword;
        p->values[p->n++] = value;
}

/* Ours for every connection; `unless set`: the user's word counts. Keepalives find out within 30 s about a peer
 * that is gone; nothing but our own deadlines finds out about one that is frozen. */
static const struct {
        const char *keyword, *value;
        bool unless_set;
} ours[] = {
        { "gssencmode", "disable", false }, /* may talk to a KDC, blocking */
        { "client_encoding", "UTF8", false }, { "keepalives", "1", true },
        { "keepalives_idle", "15", true },    { "keepalives_interval", "5", true },
        { "keepalives_count", "3", true },    { "tcp_user_timeout", "20000", true },
};

/* Not from the string: given per address, of no effect with our own waiting, or ours alone. */
static const char not_passed[] =
        " host hostaddr port password application_name fallback_application_name "
        "connect_timeout target_session_attrs load_balance_hosts service gssencmode "
        "client_encoding replication ";

void pg_target_parameters(const PgTarget *t, PgParameters *ret, const PgEndpoint *e,
                          const char *address, const char *password, const char *application_name)
{
        char word[64];

        *ret = (PgParameters){ .n = 0 };
        for (const PQconninfoOption *o = t->options; o->keyword; o++) {
                (void) snprintf(word, sizeof word, " %s ", o->keyword);
                if (o->val && !strstr(not_passed, word))
                        add(ret, o->keyword, o->val);
        }
        for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
                if (!ours[i].unless_set || !*option(t, ours[i].keyword))
                        add(ret, ours[i].keyword, ours[i].value);
        add(ret, "host", e->host);
        add(ret, "hostaddr", *address ? address : e->hostaddr);
        add(ret, "port", e->port);
        add(ret, "password", password ? password : option(t, "password"));
        add(ret, "application_name", application_name);
        /* With several servers the first one that writes is wanted; libpq asks before it calls itself connected. */
        if (t->n_endpoints > 1)
                add(ret, "target_session_attrs", "read-write");
        ret->keywords[ret->n] = NULL;
        ret->values[ret->n] = NULL;
}
