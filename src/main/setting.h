#pragma once
/* What was set and where: one row per assignment in a file, the environment or the command line, kept in order of
 * precedence so that a later row wins and an error can name the place. */
#include "main/options.h"

typedef struct Setting {
        const Option *option; /* NULL: a placeholder */
        char *placeholder;    /* its name; else NULL */
        char *section;        /* the database it is for; NULL: all, or the service */
        char *value;          /* may be a secret: wiped when freed */
        char *base;           /* folder of relative paths; NULL: the working directory */
        char *path;           /* the file it is in; NULL: not from a file */
        unsigned long line;
        char *origin; /* "environment variable PGMIGRATED_URL", "--url"; NULL: from a file */
        bool usage;   /* from the command line: an error is one of usage */
} Setting;

typedef struct SettingList {
        Setting *rows;
        size_t n, size;
} SettingList;

#define SETTING_MAX 100000 /* rows, of all files together */

/* Copies what s points to. */
int setting_list_add(SettingList *l, const Setting *s, Error *err);
void setting_list_done(SettingList *l);
#define _cleanup_settings_ _cleanup_(setting_list_done)

/* The option or placeholder that a key ("lock_timeout", "placeholder.NAME") means; -ERROR_CONFIG with the nearest name. */
int setting_resolve(const char *key, const Option **option, const char **placeholder, Error *err);
/* service or database may be NULL: rows of that scope are passed over. Errors name the place. */
int setting_apply(const Setting *s, ServiceSettings *service, DatabaseSettings *database,
                  Error *err);
/* Adds the place to an error about s. */
int setting_blame(const Setting *s, Error *err);
