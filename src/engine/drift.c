#include "engine/drift.h"

#include <string.h>

#include "engine/conversation.h"
#include "engine/sql.inc"
#include "util/utf8.h"

#define DRIFT_MAX 200000U /* objects */
#define DRIFT_SQL_MAX ((size_t) 1 << 20)
#define DIGEST_SIZE 32
#define GENERATED_SINCE 120000 /* pg_attribute.attgenerated */

/* What the server's way of writing a definition depends on. */
static const char pinned[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n"
                             "SET LOCAL search_path = pg_catalog, pg_temp;\n"
                             "SET LOCAL quote_all_identifiers = off;\n"
                             "SET LOCAL DateStyle = 'ISO, YMD';\n"
                             "SET LOCAL IntervalStyle = postgres;\n"
                             "SET LOCAL TimeZone = 'UTC';\n"
                             "SET LOCAL extra_float_digits = 1;\n"
                             "SET LOCAL bytea_output = hex;\n";

/* ---- taking one ---- */

static json_t *clean_string(const char *s)
{
        size_t size = 3 * strlen(s) + 1; /* each bad byte becomes three */
        _cleanup_free_ char *clean = malloc(size);

        if (!clean)
                return NULL;
        utf8_sanitize(clean, size, s);
        return json_string(clean);
}

static int add_object(json_t *objects, const PGresult *res, int row, Error *err)
{
        const char *kind = pg_text(res, row, 0) ?: "", *part_of = pg_text(res, row, 2);
        json_t *of_kind = json_object_get(objects, kind),
               *name = clean_string(pg_text(res, row, 1) ?: ""),
               *parent = part_of ? clean_string(part_of) : NULL;
        int r = name && (parent || !part_of) ? 0 : -1;

        if (r >= 0 && !of_kind) {
                of_kind = json_object();
                r = json_object_set_new(objects, kind, of_kind);
        }
        if (r >= 0)
                r = json_object_set_new(of_kind, json_string_value(name),
                                        json_sprintf("%s%s%s", pg_text(res, row, 3) ?: "",
                                                     parent ? " " : "",
                                                     parent ? json_string_value(parent) : ""));
        json_decref(name);
        json_decref(parent);
        return r < 0 ? error_oom(err, "a snapshot") : 0;
}

static int take_result(void *userdata, unsigned index, const PGresult *res, Error *err)
{
        json_t *objects = userdata;
        int r = 0;

        (void) index;
        if (PQresultStatus(res) != PGRES_TUPLES_OK)
                return 0;
        if ((unsigned) PQntuples(res) >= DRIFT_MAX)
                return error_set(err, ERROR_TOO_LARGE,
                                 "the schemas have more than %u objects and columns", DRIFT_MAX);
        for (int i = 0; r >= 0 && i < PQntuples(res); i++)
                r = add_object(objects, res, i, err);
        return r;
}

static void add_literals(Text *sql, const json_t *names)
{
        const json_t *name;
        size_t i;

        json_array_foreach(names, i, name)
        {
                text_add(sql, i ? ", " : "");
                text_add_sql_literal(sql, json_string_value(name));
        }
}

static int query_objects(json_t *objects, PgSession *s, const json_t *schemas,
                         const json_t *own_tables, Error *err)
{
        _cleanup_text_ Text sql = TEXT_INIT(DRIFT_SQL_MAX), in = TEXT_INIT(DRIFT_SQL_MAX),
                            out = TEXT_INIT(DRIFT_SQL_MAX);
        bool generated = pg_session_version(s) >= GENERATED_SINCE;
        Error ignored;
        int r;

        add_literals(&in, schemas);
        add_literals(&out, own_tables);
        text_add(&sql, pinned);
        text_printf(&sql, SQL_DRIFT, text_str(&in), text_str(&out),
                    generated ? "a.attgenerated" : "''");
        text_add(&sql, ";\nCOMMIT");
        if (sql.bad || in.bad || out.bad)
                return error_oom(err, "a question about the schema");
        r = pg_query(s,
                     &(PgQuery){ .sql = text_str(&sql),
                                 .fn = take_result,
                                 .userdata = objects,
                                 .row_cap = DRIFT_MAX,
                                 .deadline = clock_after(OWN_STATEMENT_TIMEOUT) },
                     err);
        if (r < 0)
                (void) pg_rollback(s, &ignored);
        return r;
}

int drift_snapshot(json_t **ret, PgSession *s, json_t *schemas, const json_t *own_tables,
                   Error *err)
{
        json_t *objects = json_object();
        int r = objects ? query_objects(objects, s, schemas, own_tables, err)
                        : error_oom(err, "a snapshot");

        if (r < 0) {
                json_decref(objects);
                return error_prefix(err, "taking a snapshot of the schema");
        }
        *ret = json_pack("{s:i,s:O,s:o}", "server", pg_session_version(s) / 10000, "schemas",
                         schemas, "objects", objects);
        return *ret ? 0 : error_oom(err, "a snapshot");
}

/* ---- comparing two ---- */

const char *drift_obstacle(const json_t *before, const json_t *now)
{
        static const struct {
                const char *member, *why;
        } stamps[] = {
                { "server", "it is of another major version of PostgreSQL" },
                { "schemas", "it is of other schemas" },
                { DRIFT_HISTORY, "the history has changed since" },
        };

        if (!json_is_object(json_object_get(before, "objects")))
                return "the run that was to take it did not come to its end";
        for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
                if (!json_equal(json_object_get(before, stamps[i].member),
                                json_object_get(now, stamps[i].member)))
                        return stamps[i].why;
        return NULL;
}

static bool has_relation(const json_t *objects, const char *name)
{
        static const char *const kinds[] = { "table", "view", "materialized view", "foreign table",
                                             "type" };

        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
                if (json_object_get(json_object_get(objects, kinds[i]), name))
                        return true;
        return false;
}

static const char *value_in(const json_t *objects, const char *kind, const char *object)
{
        return json_string_value(json_object_get(json_object_get(objects, kind), object));
}

/* Goes through `of`: what is not in `against` was added, or removed when of is the older one. */
static int compare_one_way(json_t *list, const json_t *of, const json_t *against, bool forward)
{
        const char *kind, *object, *mine, *other, *change;
        json_t *of_kind, *value; /* the iterators of jansson want them without const */
        int r = 0;

        json_object_foreach((json_t *) (uintptr_t) of, kind, of_kind)
                json_object_foreach(of_kind, object, value)
        {
                mine = json_string_value(value);
                other = value_in(against, kind, object);
                if (!mine || (other && (!forward || strncmp(mine, other, DIGEST_SIZE) == 0)))
                        continue;
                if (!other && strlen(mine) > DIGEST_SIZE &&
                    !has_relation(against, mine + DIGEST_SIZE + 1))
                        continue;
                change = other ? "changed" : forward ? "added" : "removed";
                if (r >= 0)
                        r = json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "change", change,
                                                                  "kind", kind, "object", object));
        }
        return r;
}

int drift_compare(json_t **ret, const json_t *before, const json_t *now, Error *err)
{
        const json_t *old = json_object_get(before, "objects"),
                     *new = json_object_get(now, "objects");
        json_t *list = json_array();

        if (!list || compare_one_way(list, new, old, true) < 0 ||
            compare_one_way(list, old, new, false) < 0) {
                json_decref(list);
                return error_oom(err, "what has changed");
        }
        *ret = list;
        return 0;
}
