#pragma once
/* The command line: which command, with what. One table row a command, one a flag. */
#include <stdio.h>

#include "main/config.h"

typedef struct Command Command;

#define COMMAND_MAX_ARGUMENTS 2

typedef enum Flag {
        FLAG_CONFIG,
        FLAG_DATABASE,
        FLAG_HELP,
        FLAG_JSON,
        FLAG_QUIET,
        FLAG_DETAILED_EXITCODE,
        FLAG_DRY_RUN,
        FLAG_TIMEOUT,
        FLAG_REASON,
        FLAG_VERSION,
        FLAG_RESOLVE,
        FLAG_URL,
        FLAG_TARGET,
        FLAG_NO_WAIT,
        FLAG_STATE,
        FLAG_LIMIT,
        FLAG_SNAPSHOT,
        FLAG_SAVE,
        FLAG_SQL,
        _FLAG_MAX,
} Flag;

typedef struct CommandLine {
        const Command *command;
        const char *arguments[COMMAND_MAX_ARGUMENTS];
        unsigned n_arguments;
        const char *flags
                [_FLAG_MAX]; /* NULL: not given; "" for one that takes no value; borrowed from argv */
        SettingList settings;
} CommandLine;

struct Command {
        const char *name;      /* one or two words */
        const char *arguments; /* for the usage line; "" */
        unsigned min, max;     /* how many */
        uint32_t flags;        /* those that it takes, 1 << FLAG_... */
        bool database_options; /* whether options of a database mean something to it */
        /* An exit code, or negative with err filled. */
        int (*run)(const CommandLine *l, Error *err);
        const char *help;
};

extern const Command commands[];
extern const size_t n_commands;

/* -ERROR_USAGE with what was meant. Values are checked when the configuration is loaded. */
int command_line_parse(CommandLine *ret, int argc, char *const argv[], Error *err);
void command_line_done(CommandLine *l);
#define _cleanup_command_line_ _cleanup_(command_line_done)

/* The configuration that this command line asks for. */
int command_load_config(Config *ret, const CommandLine *l, Error *err);
ConfigSource command_config_source(const CommandLine *l);
/* A duration given with --timeout; 0 when there is none. */
int command_timeout(uint64_t *ret, const CommandLine *l, Error *err);

/* Everything (command NULL), or one command. */
void command_help(Text *out, const Command *command);
void command_manual(Text *out); /* docs/pgmigrated.8 */

/* The process: parses, runs, reports. Returns the exit code. */
int command_main(int argc, char *const argv[]);

/* One file each. */
int serve_command(const CommandLine *l, Error *err);
int direct_command(const CommandLine *l, Error *err); /* migrate, plan, status, history, ... */
int new_command(const CommandLine *l, Error *err);
int check_config_command(const CommandLine *l, Error *err);
int ctl_migrate_command(const CommandLine *l, Error *err);
int ctl_status_command(const CommandLine *l, Error *err);
int ctl_runs_command(const CommandLine *l, Error *err);
int ctl_cancel_command(const CommandLine *l, Error *err);

#define EXIT_APPLIED 2 /* with --detailed-exitcode */
