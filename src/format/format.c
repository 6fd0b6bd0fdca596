#include "format/format.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "format/flyway/flyway.h"
#include "format/liquibase/liquibase.h"

const Format *const formats[] = { &flyway_format, &liquibase_format, NULL };

static int unknown(const char *name, Error *err)
{
        _cleanup_text_ Text known = TEXT_INIT(sizeof err->hint);

        for (const Format *const *f = formats; *f; f++)
                text_printf(&known, ", %s", (*f)->name);
        (void) error_set(err, ERROR_CONFIG, "no migration format is called \"%s\"", name);
        return error_hint(err, "formats are: auto%s", text_str(&known));
}

static int surest(const Format **ret, const char *folder, Error *err)
{
        const Format *best = NULL;
        int surety = 0;

        for (const Format *const *f = formats; *f; f++) {
                int r = (*f)->detect(folder);

                if (r > surety) {
                        best = *f;
                        surety = r;
                }
        }
        if (!best && access(folder, F_OK) < 0) {
                (void) error_set(err, ERROR_CHANGELOG, "%s: %s", folder, strerror(errno));
                return error_hint(
                        err,
                        "migrations says where the migrations are; relative paths start at the "
                        "configuration file's folder, else at the working directory");
        }
        if (!best) {
                (void) error_set(err, ERROR_CHANGELOG,
                                 "%s holds no migrations of a format that is known", folder);
                (void) error_at(err, folder, 0, 0);
                return error_hint(err,
                                  "check the folder, or name the format (format = %s) "
                                  "if it has no migrations yet",
                                  formats[0]->name);
        }
        *ret = best;
        return 0;
}

int format_find(const Format **ret, const char *name, const char *folder, Error *err)
{
        if (!name || !*name || strcmp(name, "auto") == 0)
                return surest(ret, folder, err);
        for (const Format *const *f = formats; *f; f++)
                if (strcmp((*f)->name, name) == 0) {
                        *ret = *f;
                        return 0;
                }
        return unknown(name, err);
}
