#pragma once
/* The option table: what options.def declares, and the only way a setting gets its value. */
#include <stddef.h>
#include <stdint.h>

#include "engine/settings.h"

typedef struct Option Option;

typedef struct OptionType {
        const char *name;           /* as --help shows the value: "DURATION" */
        const char *accepts;        /* a sentence for errors and manuals */
        const char *const *choices; /* NULL-terminated; NULL: no fixed set */
        int (*set)(const Option *o, void *field, const char *value, Error *err);
} OptionType;

typedef enum OptionScope { OPTION_SERVICE, OPTION_DATABASE } OptionScope;

#define OPTION_HIDDEN \
        (1U << 0) /* the value never appears in a message; not in a world-readable place */
#define OPTION_RESTART (1U << 1) /* a reload does not change it */

struct Option {
        const char *name;
        const OptionType *type;
        size_t offset; /* in ServiceSettings or DatabaseSettings */
        const char *def;
        uint64_t min, max;
        const char *help;
        OptionScope scope;
        unsigned flags;
};

extern const Option options[];
extern const size_t n_options;

const Option *option_find(const char *name);  /* '-' stands for '_'; NULL: none */
const char *option_nearest(const char *name); /* for "did you mean"; NULL: none is near */
bool option_is_boolean(const Option *o);

/* Settings with every default, from the table. On error nothing has to be freed. */
int service_settings_init(ServiceSettings *s, Error *err);
int database_settings_init(DatabaseSettings *s, Error *err);

/* settings is the struct of o's scope. base: folder that a relative path is relative to; NULL leaves it as it is.
 * A refused value changes nothing; the error says what is accepted and does not contain a hidden value. */
int option_set(const Option *o, void *settings, const char *value, const char *base, Error *err);
/* Adds or replaces; names are compared without regard to case. */
int placeholder_set(DatabaseSettings *s, const char *name, const char *value, Error *err);
/* A reload cannot apply it: whether a value that needs a restart differs. name: of the first such option. */
bool service_settings_need_restart(const ServiceSettings *a, const ServiceSettings *b,
                                   const char **name);
