#pragma once
/* The syntax of a configuration file: lines of `key = value`, sections `[database NAME]`, comments that start a line
 * with # or ;. A value in double quotes may hold \" and \\ and keeps its spaces. Knows nothing of precedence. */
#include "main/setting.h"

#define CONFIG_FILE_MAX (1 << 20) /* bytes */
#define DATABASE_NAME_MAX 63      /* letters, digits, '_', '-', '.' */
#define CONFIG_MAX_DATABASES 1024 /* DISPATCHER_MAX_DATABASES */

typedef struct ConfigSection {
        char *name, *path;
        unsigned long line;
} ConfigSection;

typedef struct ConfigFile {
        SettingList settings;
        ConfigSection *sections; /* in the order of the files */
        size_t n_sections;
} ConfigFile;

/* Appends what text says. path is for errors, its folder is what relative paths are relative to. The same key twice in one
 * section of one file is an error, and so is a section that exists already; a global key in a later file wins. */
int config_file_parse(ConfigFile *f, const char *path, const char *text, size_t size, Error *err);
/* Reads the file, then conf.d/ *.conf beside it in the order of their names. */
int config_file_read(ConfigFile *f, const char *path, Error *err);
void config_file_done(ConfigFile *f);
#define _cleanup_config_file_ _cleanup_(config_file_done)
bool database_name_valid(const char *name);
