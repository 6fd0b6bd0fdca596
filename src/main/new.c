/* pgmigrated new NAME: an empty migration with the next version. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "main/commands.h"

static int create_file(const char *path, Error *err)
{
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

        return fd >= 0 ? 0 : error_set(err, ERROR_IO, "%s: %m", path);
}

static int new_migration(const DatabaseSettings *d, const char *name, Error *err)
{
        _cleanup_(changelog_freep) Changelog *changelog = NULL;
        _cleanup_free_ char *file = NULL, *path = NULL;
        const Format *format;
        int r = format_find(&format, d->format, d->changelog.folder, err);

        if (r < 0)
                return r;
        if (!format->new_name)
                return error_set(err, ERROR_USAGE, "the format %s has no files to be named",
                                 format->name);
        r = format->read(&changelog, &d->changelog, err);
        if (r >= 0)
                r = format->new_name(&file, changelog, name, err);
        if (r < 0)
                return r;
        if (asprintf(&path, "%s/%s", d->changelog.folder, file) < 0) {
                path = NULL;
                return error_oom(err, "a path");
        }
        r = create_file(path, err);
        if (r < 0)
                return r;
        return printf("%s\n", path) < 0 ? error_set(err, ERROR_IO, "standard output: %m") : 0;
}

int new_command(const CommandLine *l, Error *err)
{
        _cleanup_config_ Config config = { .databases = NULL };
        int r = command_load_config(&config, l, err);

        if (r < 0)
                return r;
        if (config.n_databases > 1) {
                (void) error_set(err, ERROR_USAGE, "%zu databases are configured",
                                 config.n_databases);
                return error_hint(err, "say whose migration it is with --database NAME");
        }
        return new_migration(&config.databases[0], l->arguments[0], err);
}
