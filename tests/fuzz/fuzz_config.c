#include <stddef.h>
#include <stdint.h>

#include "main/config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_config_file_ ConfigFile f = { .sections = NULL };
        ServiceSettings service;
        DatabaseSettings database;
        Error err;

        if (config_file_parse(&f, "/etc/fuzz.conf", (const char *) data, size, &err) < 0)
                return 0;
        if (service_settings_init(&service, &err) < 0 ||
            database_settings_init(&database, &err) < 0)
                __builtin_trap();
        for (size_t i = 0; i < f.settings.n; i++)
                (void) setting_apply(&f.settings.rows[i], &service, &database, &err);
        database_settings_done(&database);
        service_settings_done(&service);
        return 0;
}
