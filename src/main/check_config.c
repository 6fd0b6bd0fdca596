/* pgmigrated check-config: everything that can be known of a configuration without a database. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "main/commands.h"
#include "main/report.h"
#include "pg/session.h"

static int check_database(const DatabaseSettings *d, json_t *rows, Error *err)
{
        _cleanup_(pg_target_freep) PgTarget *target = NULL;
        _cleanup_(changelog_freep) Changelog *changelog = NULL;
        const Format *format = NULL;
        int r = pg_target_new(&target, secret_reveal(d->url), err);

        if (r >= 0 && access(d->changelog.folder, R_OK) < 0)
                r = error_set(err, ERROR_CONFIG, "migrations %s: %m", d->changelog.folder);
        if (r >= 0)
                r = format_find(&format, d->format, d->changelog.folder, err);
        if (r >= 0)
                r = format->read(&changelog, &d->changelog, err);
        if (r < 0) {
                err->code = err->code == ERROR_OOM ? ERROR_OOM : ERROR_CONFIG;
                return error_prefix(err, "database %s", d->name);
        }
        (void) json_array_append_new(
                rows, json_pack("{s:s,s:s,s:s,s:s,s:b}", "name", d->name, "server",
                                pg_target_describe(target), "format", format->name, "migrations",
                                d->changelog.folder, "migrate_on_start", d->migrate_on_start));
        return 0;
}

static void print_text(const Config *c, const json_t *rows)
{
        static const ReportColumn columns[] = { { "DATABASE", "name" },
                                                { "SERVER", "server" },
                                                { "FORMAT", "format" },
                                                { "MIGRATIONS", "migrations" },
                                                { "AT START", "migrate_on_start" } };
        _cleanup_text_ Text t = TEXT_INIT(1 << 20);

        text_printf(&t, "%s: ok\n\n", c->file ? c->file : "no configuration file");
        report_table(&t, rows, columns, sizeof columns / sizeof *columns);
        (void) fputs(text_str(&t), stdout);
}

int check_config_command(const CommandLine *l, Error *err)
{
        _cleanup_config_ Config config = { .databases = NULL };
        json_t *rows = json_array(), *document;
        int r = command_load_config(&config, l, err);

        for (size_t i = 0; r >= 0 && i < config.n_databases; i++)
                r = check_database(&config.databases[i], rows, err);
        if (r >= 0 && l->flags[FLAG_JSON]) {
                document = json_pack("{s:s?,s:O}", "file", config.file, "databases", rows);
                (void) json_dumpf(document, stdout, JSON_INDENT(2));
                (void) putchar('\n');
                json_decref(document);
        } else if (r >= 0)
                print_text(&config, rows);
        json_decref(rows);
        return r;
}
