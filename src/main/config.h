#pragma once
/* The configuration as a whole: default < file < environment < command line. */
#include "main/config_file.h"

#define CONFIG_DEFAULT_FILE "/etc/pgmigrated/pgmigrated.conf"

typedef struct Config {
        ServiceSettings service;
        DatabaseSettings *databases; /* at least one */
        size_t n_databases;
        char *file; /* that was read; NULL: none */
} Config;

/* Where a configuration comes from. Kept for reloading, which reads it all again. */
typedef struct ConfigSource {
        const char
                *file; /* --config; NULL: $PGMIGRATED_CONFIG, else default_file where that exists */
        const char *default_file;       /* usually CONFIG_DEFAULT_FILE */
        const char *const *environment; /* usually environ */
        const SettingList *arguments;   /* of the command line */
        const char *
                database; /* --database: the others are left out; NULL: $PGMIGRATED_DATABASE, else all */
} ConfigSource;

int config_load(Config *ret, const ConfigSource *source, Error *err);
/* The service's part alone; what is said of databases is checked only for its names. */
int config_load_service(ServiceSettings *ret, const ConfigSource *source, Error *err);
void config_done(Config *c);
#define _cleanup_config_ _cleanup_(config_done)

/* Environment variables that begin with PGMIGRATED_ and are no options. */
typedef struct EnvironmentName {
        const char *name, *help;
} EnvironmentName;
extern const EnvironmentName environment_names[]; /* ends with a NULL name */

/* "NAME" of "NAME=value" when it is `wanted`: value, else NULL. */
const char *environment_get(const char *const *environment, const char *wanted);
