/* The status page: what GET /status says, for people, without a script. */
#include <inttypes.h>
#include <string.h>

#include "api/handlers.h"
#include "api/server_private.h"

#define PAGE_MAX ((size_t) 4 << 20)

static const char head[] = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta "
                           "charset=\"utf-8\"><title>pgmigrated</title>\n"
                           "<meta name=\"viewport\" content=\"width=device-width\"><meta "
                           "http-equiv=\"refresh\" content=\"10\">\n"
                           "<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem "
                           "auto;max-width:70rem;padding:0 1rem;color:#1c2430;"
                           "background:#fff}table{border-collapse:collapse;width:100%;margin:1rem "
                           "0}th,td{text-align:left;vertical-align:top;"
                           "padding:.35rem .7rem;border-bottom:1px solid "
                           "#d5dae2}code{font-size:.95em}.bad{color:#a40000}.good{color:#0a6b2d}"
                           "@media(prefers-color-scheme:dark){body{background:#14181f;color:#"
                           "dfe5ee}th,td{border-color:#333c4a}"
                           ".bad{color:#ff8f8f}.good{color:#7ddc9a}}</style></head><body>\n";

static void add_escaped(Text *out, const char *s)
{
        static const struct {
                char c;
                const char *entity;
        } entities[] = { { '&', "&amp;" },
                         { '<', "&lt;" },
                         { '>', "&gt;" },
                         { '"', "&quot;" },
                         { '\'', "&#39;" } };

        for (; *s; s++) {
                const char *entity = NULL;

                for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
                        if (*s == entities[i].c)
                                entity = entities[i].entity;
                if (entity)
                        text_add(out, entity);
                else
                        text_addc(out, *s);
        }
}

/* The value at object.key.key2 as text; nothing for null. */
static void add_value(Text *out, const json_t *object, const char *key, const char *key2)
{
        const json_t *v = json_object_get(json_object_get(object, key), key2);

        if (json_is_string(v))
                add_escaped(out, json_string_value(v));
        else if (json_is_integer(v))
                text_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        else if (json_is_boolean(v))
                text_add(out, json_is_true(v) ? "yes" : "no");
}

static void add_cell(Text *out, const json_t *object, const char *key, const char *key2)
{
        text_add(out, "<td>");
        add_value(out, object, key, key2);
        text_add(out, "</td>");
}

static bool is_state(const json_t *object, const char *key, const char *state)
{
        const char *v = json_string_value(json_object_get(json_object_get(object, key), "state"));

        return v && !strcmp(v, state);
}

static void add_run(Text *out, const json_t *database, const char *key)
{
        const char *id = json_string_value(json_object_get(json_object_get(database, key), "id"));

        text_add(out, "<td>");
        if (id) {
                text_add(out, "<a href=\"/runs/");
                add_escaped(out, id);
                text_printf(out, "\" class=\"%s\">",
                            is_state(database, key, "succeeded") ? "good" : "bad");
                add_value(out, database, key, "state");
                text_add(out, "</a> ");
                add_value(out, database, key, "finished_at");
        }
        text_add(out, "</td>");
}

static void add_database(Text *out, const json_t *database)
{
        const char *name = json_string_value(json_object_get(database, "name"));

        text_add(out, "<tr><th scope=\"row\">");
        add_escaped(out, name ? name : "");
        text_add(out, "</th>");
        add_cell(out, database, "availability", "state");
        add_cell(out, database, "schema", "version");
        add_cell(out, database, "schema", "applied");
        add_cell(out, database, "schema", "pending");
        add_cell(out, database, "schema", "failed");
        add_run(out, database, "current_run");
        add_run(out, database, "last_run");
        text_add(out, "<td class=\"bad\">");
        add_value(out, json_object_get(database, "availability"), "last_error", "message");
        text_add(out, "</td></tr>\n");
}

static void add_databases(Text *out, const json_t *status)
{
        const json_t *databases = json_object_get(status, "databases");

        text_add(out, "<table><thead><tr><th>database</th><th>availability</th><th>version</"
                      "th><th>applied</th><th>pending</th>"
                      "<th>failed</th><th>current run</th><th>last run</th><th>last "
                      "error</th></tr></thead><tbody>\n");
        for (size_t i = 0; i < json_array_size(databases); i++)
                add_database(out, json_array_get(databases, i));
        text_add(out, "</tbody></table>\n");
}

static void add_routes(Text *out)
{
        text_add(out, "<h2>What can be asked</h2><table><tbody>\n");
        for (size_t i = 0; i < n_routes; i++)
                text_printf(out, "<tr><td><code>%s %s</code></td><td>%s</td></tr>\n",
                            routes[i].method, routes[i].pattern, routes[i].summary);
        text_add(out, "</tbody></table></body></html>\n");
}

int handle_page(Request *req, Response *res, Error *err)
{
        _cleanup_text_ Text out = TEXT_INIT(PAGE_MAX);
        json_t *status = NULL;
        int r = status_json(req, NULL, &status, err);

        if (r < 0)
                return r;
        text_add(&out, head);
        text_add(&out, "<h1>pgmigrated ");
        add_value(&out, status, "service", "version");
        text_add(&out, "</h1><p>");
        add_value(&out, status, "service", "state");
        text_add(&out, " since ");
        add_value(&out, status, "service", "started_at");
        text_add(&out, "</p>\n");
        add_databases(&out, status);
        json_decref(status);
        add_routes(&out);
        return response_text(res, 200, "text/html; charset=utf-8", text_take(&out), err);
}
