#include "main/commands.h"

#include <string.h>

#include "main/conninfo.h"
#include "main/nearest.h"
#include "main/option_text.h"
#include "main/report.h"
#include "util/parse.h"

static int help_command(const CommandLine *l, Error *err);
static int version_command(const CommandLine *l, Error *err);

typedef struct FlagInfo {
        const char *name, *value; /* value NULL: takes none */
        const char *help;
} FlagInfo;

/* clang-format off */
static const FlagInfo flag_infos[_FLAG_MAX] = {
        [FLAG_CONFIG]            = { "config", "FILE", "the configuration file; default " CONFIG_DEFAULT_FILE " where it exists" },
        [FLAG_DATABASE]          = { "database", "NAME", "only this one of the configured databases" },
        [FLAG_HELP]              = { "help", NULL, "what the command does" },
        [FLAG_JSON]              = { "json", NULL, "print the result, or the error, as one JSON document" },
        [FLAG_QUIET]             = { "quiet", NULL, "show no progress" },
        [FLAG_DETAILED_EXITCODE] = { "detailed-exitcode", NULL, "exit with 2 when something was applied (plan: is pending)" },
        [FLAG_DRY_RUN]           = { "dry-run", NULL, "do everything but the change" },
        [FLAG_TIMEOUT]           = { "timeout", "DURATION", "give up after this long" },
        [FLAG_REASON]            = { "reason", "TEXT", "why, for the record of the run" },
        [FLAG_VERSION]           = { "version", "VERSION", "the version that is meant" },
        [FLAG_RESOLVE]           = { "resolve", "done|rerun", "what a step that needs attention turned out to be" },
        [FLAG_URL]               = { "url", "URL", "the service: http://host:port, or unix:/path; default $PGMIGRATED_CTL_URL, else socket or listen" },
        [FLAG_TARGET]            = { "target", "VERSION", "how far to migrate; default as configured" },
        [FLAG_NO_WAIT]           = { "no-wait", NULL, "do not wait for the end of the run" },
        [FLAG_STATE]             = { "state", "STATE", "only runs in this state" },
        [FLAG_LIMIT]             = { "limit", "NUMBER", "how many runs to show; default 20" },
        [FLAG_SNAPSHOT]          = { "snapshot", "FILE", "where the snapshot is that drift is told from" },
        [FLAG_SAVE]              = { "save", NULL, "keep what is there now as the snapshot" },
        [FLAG_SQL]               = { "sql", NULL, "show the SQL that would run rather than a table" },
};

#define F(name) (1U << FLAG_##name)
#define GLOBAL (F(CONFIG) | F(DATABASE) | F(HELP))
#define SHOWN (F(JSON) | F(QUIET) | F(TIMEOUT))
const Command commands[] = {
        { "serve", "", 0, 0, 0, true, serve_command,
          "Run the service: HTTP API, runs, state. Stops on SIGTERM, reads its configuration again on SIGHUP." },
        { "migrate", "", 0, 0, SHOWN | F(DETAILED_EXITCODE) | F(DRY_RUN) | F(REASON) | F(SNAPSHOT), true, direct_command,
          "Wait for the database, apply what is pending, and exit." },
        { "plan", "", 0, 0, SHOWN | F(DETAILED_EXITCODE) | F(SQL), true, direct_command,
          "Show what migrate would do, in order." },
        { "status", "", 0, 0, SHOWN, true, direct_command,
          "Show the version of the database and what is pending." },
        { "history", "", 0, 0, SHOWN, true, direct_command,
          "Show what has been applied, from the database's own history table." },
        { "validate", "", 0, 0, SHOWN, true, direct_command,
          "Compare the applied migrations with the files." },
        { "baseline", "", 0, 0, SHOWN | F(VERSION) | F(REASON), true, direct_command,
          "Take over a schema that exists already, at baseline_version or --version." },
        { "repair", "", 0, 0, SHOWN | F(DRY_RUN) | F(RESOLVE) | F(REASON), true, direct_command,
          "Correct the history: remove failed rows, accept changed files, or say how a step that needs attention ended." },
        { "undo", "", 0, 0, SHOWN | F(DRY_RUN) | F(REASON) | F(SNAPSHOT), true, direct_command,
          "Undo the newest migration, or with --target everything above a version, by undo scripts." },
        { "tag", "NAME", 1, 1, SHOWN | F(REASON), true, direct_command,
          "Give the state that the database is in a name, for undo and wait (formats with tags: liquibase)." },
        { "unlock", "", 0, 0, SHOWN | F(REASON), true, direct_command,
          "Release the lock that another tool left in its table when it died (liquibase)." },
        { "drift", "", 0, 0, SHOWN | F(SNAPSHOT) | F(SAVE), true, direct_command,
          "Compare the schemas with a snapshot, or take one with --save. Exits with 3 when they were changed." },
        { "wait", "", 0, 0, SHOWN | F(VERSION), true, direct_command,
          "Wait until the database is available, with --version until it has that version." },
        { "new", "NAME", 1, 1, 0, true, new_command,
          "Create an empty migration with the next version." },
        { "check-config", "", 0, 0, F(JSON), true, check_config_command,
          "Check the configuration and show the databases that it means." },
        { "ctl migrate", "", 0, 0, F(JSON) | F(QUIET) | F(TIMEOUT) | F(DETAILED_EXITCODE) | F(DRY_RUN) | F(REASON) | F(URL) | F(TARGET) | F(NO_WAIT),
          false, ctl_migrate_command, "Have the running service migrate, and wait for the end." },
        { "ctl status", "", 0, 0, F(JSON) | F(URL), false, ctl_status_command,
          "Show what the running service knows. Never wakes a database." },
        { "ctl runs", "[ID]", 0, 1, F(JSON) | F(URL) | F(STATE) | F(LIMIT), false, ctl_runs_command,
          "Show the runs of the service, or one of them." },
        { "ctl cancel", "ID", 1, 1, F(JSON) | F(URL), false, ctl_cancel_command,
          "Cancel a run: its statement is cancelled and rolled back." },
        { "help", "[COMMAND]", 0, 2, 0, false, help_command,
          "Show this, or one command." },
        { "version", "", 0, 0, 0, false, version_command,
          "Show the version." },
};
/* clang-format on */
const size_t n_commands = sizeof commands / sizeof *commands;

static const struct {
        int code;
        const char *meaning;
} exit_codes[] = {
        { 0, "done, or there was nothing to do" },
        { 1, "a migration failed" },
        { 2, "with --detailed-exitcode: something was applied (plan: is pending)" },
        { 3, "refused before anything ran: bad migrations, drift, a history that needs repair or "
             "attention" },
        { 4, "the database did not become available, or the lock not free, in time" },
        { 5, "cancelled" },
        { 64, "the command line is not valid" },
        { 66, "no such run or snapshot" },
        { 70, "internal error" },
        { 74, "input/output error" },
        { 75, "the service is too busy" },
        { 78, "the configuration is not valid" },
};
#define N_EXIT_CODES (sizeof exit_codes / sizeof *exit_codes)

/* ---- parsing ---- */

typedef struct Parser {
        CommandLine *line;
        char *const *argv;
        int argc, at;
} Parser;

static const Command *find_command(const char *name)
{
        for (const Command *c = commands; c < commands + n_commands; c++)
                if (strcmp(c->name, name) == 0)
                        return c;
        return NULL;
}

static int unknown_command(const char *name, Error *err)
{
        Nearest n = nearest_begin(name);

        for (const Command *c = commands; c < commands + n_commands; c++)
                nearest_offer(&n, c->name);
        (void) error_set(err, ERROR_USAGE, "no command is called \"%.100s\"", name);
        return n.best ? error_hint(err, "did you mean %s?", n.best)
                      : error_hint(err, "pgmigrated help lists them");
}

static int take_command(Parser *p, const char *word, Error *err)
{
        char two[64];

        p->line->command = find_command(word);
        if (p->line->command)
                return 0;
        if (strcmp(word, "ctl") != 0)
                return unknown_command(word, err);
        if (p->at >= p->argc) {
                (void) error_set(err, ERROR_USAGE, "ctl needs to be told what to do");
                return error_hint(err, "pgmigrated ctl migrate, status, runs or cancel");
        }
        (void) snprintf(two, sizeof two, "%s %.50s", word, p->argv[p->at++]);
        p->line->command = find_command(two);
        return p->line->command ? 0 : unknown_command(two, err);
}

/* lock_timeout as people give it on the command line. */
static void dashed(char *name)
{
        while ((name = strchr(name, '_')))
                *name++ = '-';
}

static int take_value(Parser *p, const char *flag, const char *inline_value, const char **ret,
                      Error *err)
{
        char shown[64];

        if (inline_value) {
                *ret = inline_value;
                return 0;
        }
        if (p->at >= p->argc) {
                (void) snprintf(shown, sizeof shown, "%s", flag);
                dashed(shown);
                return error_set(err, ERROR_USAGE, "--%s needs a value", shown);
        }
        *ret = p->argv[p->at++];
        return 0;
}

static int add_setting(CommandLine *l, const Option *o, const char *placeholder, const char *flag,
                       const char *value, Error *err)
{
        char origin[80];
        int r = o && strcmp(o->name, "url") == 0 ? conninfo_check_argument(value, err) : 0;

        if (r < 0)
                return error_prefix(err, "--url");
        (void) snprintf(origin, sizeof origin, "--%.70s", flag);
        dashed(origin);
        return setting_list_add(&l->settings,
                                &(Setting){ .option = o,
                                            .placeholder = (char *) (uintptr_t) placeholder,
                                            .value = (char *) (uintptr_t) value,
                                            .origin = origin,
                                            .usage = true },
                                err);
}

static int take_placeholder(Parser *p, const char *inline_value, Error *err)
{
        const char *pair = NULL; /* gcc cannot see that take_value() sets it when it succeeds */
        const char *equals;
        char name[160];
        int r = take_value(p, "placeholder", inline_value, &pair, err);

        if (r < 0)
                return r;
        equals = strchr(pair, '=');
        if (!equals || equals == pair || (size_t) (equals - pair) >= sizeof name)
                return error_set(err, ERROR_USAGE, "--placeholder takes NAME=VALUE");
        (void) snprintf(name, sizeof name, "%.*s", (int) (equals - pair), pair);
        return add_setting(p->line, NULL, name, "placeholder", equals + 1, err);
}

static int take_option(Parser *p, const Option *o, const char *inline_value, Error *err)
{
        const char *value = "yes";
        int r;

        r = option_is_boolean(o) && !inline_value
                    ? 0
                    : take_value(p, o->name, inline_value, &value, err);
        return r < 0 ? r : add_setting(p->line, o, NULL, o->name, value, err);
}

/* In front of the command any flag may stand that is not an option's name as well. */
static uint32_t accepted_flags(const Command *c)
{
        return c ? GLOBAL | c->flags : (1U << _FLAG_MAX) - 1 - F(URL) - F(TARGET) - F(VERSION);
}

static int find_flag(const Command *c, const char *name)
{
        for (int f = 0; f < _FLAG_MAX; f++)
                if (accepted_flags(c) & (1U << f) && strcmp(flag_infos[f].name, name) == 0)
                        return f;
        return -1;
}

static int unknown_flag(const Command *c, const char *name, Error *err)
{
        Nearest n = nearest_begin(name);
        char shown[64];

        for (int f = 0; f < _FLAG_MAX; f++)
                if (accepted_flags(c) & (1U << f))
                        nearest_offer(&n, flag_infos[f].name);
        for (const Option *o = options; o < options + n_options; o++)
                if (!c || c->database_options || o->scope == OPTION_SERVICE)
                        nearest_offer(&n, o->name);
        (void) error_set(err, ERROR_USAGE, "no option of %s is called --%.100s",
                         c ? c->name : "pgmigrated", name);
        if (!n.best)
                return error_hint(err, "pgmigrated help%s%s", c ? " " : "", c ? c->name : "");
        (void) snprintf(shown, sizeof shown, "%s", n.best);
        dashed(shown);
        return error_hint(err, "did you mean --%s?", shown);
}

/* arg is behind the dashes: name, or name=value. */
static int take_flag(Parser *p, const char *arg, Error *err)
{
        const char *equals = strchr(arg, '='), *value = "";
        char name[64];
        const Option *o;
        int f, r;

        (void) snprintf(name, sizeof name, "%.*s",
                        (int) (equals ? equals - arg : (ptrdiff_t) strlen(arg)), arg);
        f = find_flag(p->line->command, name);
        if (f >= 0) {
                if (!flag_infos[f].value && equals)
                        return error_set(err, ERROR_USAGE, "--%s takes no value", name);
                r = flag_infos[f].value
                            ? take_value(p, name, equals ? equals + 1 : NULL, &value, err)
                            : 0;
                if (r >= 0 && p->line->flags[f] && flag_infos[f].value)
                        return error_set(err, ERROR_USAGE, "--%s is given twice", name);
                p->line->flags[f] = r < 0 ? NULL : value;
                return r;
        }
        if (strcmp(name, "placeholder") == 0)
                return take_placeholder(p, equals ? equals + 1 : NULL, err);
        o = option_find(name);
        return o ? take_option(p, o, equals ? equals + 1 : NULL, err)
                 : unknown_flag(p->line->command, name, err);
}

static int take_argument(Parser *p, const char *arg, Error *err)
{
        CommandLine *l = p->line;

        if (!l->command)
                return take_command(p, arg, err);
        if (l->n_arguments >= l->command->max) {
                (void) error_set(err, ERROR_USAGE, "\"%.100s\" is one argument too many", arg);
                return error_hint(err, "usage: pgmigrated %s %s", l->command->name,
                                  l->command->arguments);
        }
        l->arguments[l->n_arguments++] = arg;
        return 0;
}

static int check_meaning(const CommandLine *l, Error *err)
{
        for (int f = 0; f < _FLAG_MAX; f++)
                if (l->flags[f] && !(accepted_flags(l->command) & (1U << f)))
                        return error_set(err, ERROR_USAGE, "--%s means nothing to %s",
                                         flag_infos[f].name, l->command->name);
        for (size_t i = 0; i < l->settings.n; i++) {
                const Setting *s = &l->settings.rows[i];

                if (!l->command->database_options &&
                    (!s->option || s->option->scope == OPTION_DATABASE))
                        return error_set(err, ERROR_USAGE, "%s means nothing to %s", s->origin,
                                         l->command->name);
        }
        return 0;
}

static int check_complete(const CommandLine *l, Error *err)
{
        if (!l->command) {
                (void) error_set(err, ERROR_USAGE, "no command is given");
                return error_hint(err, "pgmigrated help lists them");
        }
        if (l->n_arguments < l->command->min) {
                (void) error_set(err, ERROR_USAGE, "%s needs %s", l->command->name,
                                 l->command->arguments);
                return error_hint(err, "usage: pgmigrated %s %s", l->command->name,
                                  l->command->arguments);
        }
        return check_meaning(l, err);
}

int command_line_parse(CommandLine *ret, int argc, char *const argv[], Error *err)
{
        _cleanup_command_line_ CommandLine l = { .command = NULL };
        Parser p = { .line = &l, .argv = argv, .argc = argc, .at = 1 };
        bool only_arguments = false;
        int r = 0;

        while (r >= 0 && p.at < argc) {
                const char *arg = argv[p.at++];

                if (only_arguments || arg[0] != '-' || !arg[1])
                        r = take_argument(&p, arg, err);
                else if (strcmp(arg, "--") == 0)
                        only_arguments = true;
                else if (strcmp(arg, "-h") == 0)
                        l.flags[FLAG_HELP] = "";
                else if (strcmp(arg, "--version") == 0 && !l.command)
                        l.command = find_command("version");
                else if (strncmp(arg, "--", 2) == 0)
                        r = take_flag(&p, arg + 2, err);
                else
                        r = unknown_flag(l.command, arg + 1, err);
        }
        if (r >= 0 && l.flags[FLAG_HELP] && !l.command)
                l.command = find_command("help");
        if (r >= 0 && !l.flags[FLAG_HELP])
                r = check_complete(&l, err);
        if (r < 0)
                return r;
        *ret = l;
        l = (CommandLine){ .command = NULL };
        return 0;
}

void command_line_done(CommandLine *l)
{
        setting_list_done(&l->settings);
}

/* ---- what commands share ---- */

ConfigSource command_config_source(const CommandLine *l)
{
        return (ConfigSource){ .file = l->flags[FLAG_CONFIG],
                               .default_file = CONFIG_DEFAULT_FILE,
                               .environment = (const char *const *) (uintptr_t) environ,
                               .arguments = &l->settings,
                               .database = l->flags[FLAG_DATABASE] };
}

int command_load_config(Config *ret, const CommandLine *l, Error *err)
{
        ConfigSource source = command_config_source(l);

        return config_load(ret, &source, err);
}

int command_timeout(uint64_t *ret, const CommandLine *l, Error *err)
{
        *ret = 0;
        if (!l->flags[FLAG_TIMEOUT])
                return 0;
        if (parse_duration(ret, l->flags[FLAG_TIMEOUT], err) < 0) {
                err->code = ERROR_USAGE;
                return error_prefix(err, "--timeout");
        }
        return *ret ? 0 : error_set(err, ERROR_USAGE, "--timeout 0 leaves no time at all");
}

/* ---- help ---- */

static void help_flags(Text *out, uint32_t flags)
{
        for (int f = 0; f < _FLAG_MAX; f++) {
                char left[64];

                if (!(flags & (1U << f)))
                        continue;
                (void) snprintf(left, sizeof left, "--%s%s%s", flag_infos[f].name,
                                flag_infos[f].value ? " " : "",
                                flag_infos[f].value ? flag_infos[f].value : "");
                text_printf(out, "  %-22s %s\n", left, flag_infos[f].help);
        }
}

void command_help(Text *out, const Command *command)
{
        if (command) {
                text_printf(out, "usage: pgmigrated %s [OPTION...]%s%s\n\n%s\n\n", command->name,
                            *command->arguments ? " " : "", command->arguments, command->help);
                help_flags(out, accepted_flags(command));
                text_add(out, command->database_options
                                      ? "\nand the options that pgmigrated help lists\n"
                                      : "");
                return;
        }
        text_add(out, "usage: pgmigrated COMMAND [OPTION...]\n\nBrings PostgreSQL schemas to the "
                      "version that is deployed.\n\n");
        for (const Command *c = commands; c < commands + n_commands; c++) {
                char left[64];

                (void) snprintf(left, sizeof left, "%s%s%s", c->name, *c->arguments ? " " : "",
                                c->arguments);
                text_printf(out, "  %-15s %s\n", left, c->help);
        }
        text_add(out, "\nFor every command:\n");
        help_flags(out, GLOBAL);
        text_add(out, "\npgmigrated help COMMAND tells what else a command takes.\n\n");
        option_text(OPTION_TEXT_HELP, out);
        text_add(out, "\nExit codes:\n");
        for (size_t i = 0; i < N_EXIT_CODES; i++)
                text_printf(out, "  %2d  %s\n", exit_codes[i].code, exit_codes[i].meaning);
}

static void man_flags(Text *out, uint32_t flags)
{
        for (int f = 0; f < _FLAG_MAX; f++)
                if (flags & (1U << f)) {
                        text_add(out, ".TP\n.BR \\-\\-");
                        option_text_roff(out, flag_infos[f].name);
                        if (flag_infos[f].value)
                                text_printf(out, " \" %s\"", flag_infos[f].value);
                        text_addc(out, '\n');
                        option_text_roff(out, flag_infos[f].help);
                        text_addc(out, '\n');
                }
}

void command_manual(Text *out)
{
        uint32_t used = 0;

        text_add(out, ".\\\" Written from src/main/commands.c by make generate.\n"
                      ".TH PGMIGRATED 8 \"\" pgmigrated \"System administration\"\n"
                      ".SH NAME\npgmigrated \\- bring PostgreSQL schemas to the version that is "
                      "deployed\n"
                      ".SH SYNOPSIS\n.B pgmigrated\n.I COMMAND\n.RI [ OPTION ...]\n"
                      ".SH DESCRIPTION\n"
                      "pgmigrated waits until a database is available, also one that sleeps, and "
                      "applies the migrations that are pending,\n"
                      "exactly once however many of it run. It runs as a service\n.RB ( "
                      "\"pgmigrated serve\" ),\nor does one thing and exits.\n"
                      ".SH COMMANDS\n");
        for (const Command *c = commands; c < commands + n_commands; c++) {
                text_add(out, ".TP\n.BR \"");
                option_text_roff(out, c->name);
                text_printf(out, "\" \" %s\"\n", c->arguments);
                option_text_roff(out, c->help);
                text_addc(out, '\n');
                used |= c->flags;
        }
        text_add(out, ".SH OPTIONS\nFor every command:\n");
        man_flags(out, GLOBAL);
        text_add(out, ".PP\nFor some,\n.B pgmigrated help\n.I COMMAND\ntells which:\n");
        man_flags(out, used);
        text_add(out, ".PP\nEvery option of\n.BR pgmigrated.conf (5)\nmay be given, with "
                      "dashes:\n.B \\-\\-lock\\-timeout 10s\n"
                      "for\n.BR lock_timeout .\nA boolean one without a value means yes. A "
                      "password on the command line is refused.\n"
                      ".SH \"EXIT STATUS\"\n");
        for (size_t i = 0; i < N_EXIT_CODES; i++) {
                text_printf(out, ".TP\n.B %d\n", exit_codes[i].code);
                option_text_roff(out, exit_codes[i].meaning);
                text_addc(out, '\n');
        }
        text_add(out, ".SH SIGNALS\n"
                      "The service stops in good order on\n.BR SIGTERM :\na running migration may "
                      "go on for\n.BR shutdown_grace ;\n"
                      "a second one cancels it at once.\n.B SIGHUP\nreads the configuration again. "
                      "The other commands cancel what they do on\n"
                      ".B SIGINT\nand\n.BR SIGTERM ,\nand exit on a second one without waiting for "
                      "the server.\n"
                      ".SH \"SEE ALSO\"\n.BR pgmigrated.conf (5)\n");
}

static int print_text(const Text *t, Error *err)
{
        if (t->bad)
                return error_oom(err, "the text");
        return fputs(text_str(t), stdout) < 0 ? error_set(err, ERROR_IO, "standard output: %m") : 0;
}

static int print_help(const Command *c, Error *err)
{
        _cleanup_text_ Text t = TEXT_INIT(1 << 20);

        command_help(&t, c);
        return print_text(&t, err);
}

static int help_command(const CommandLine *l, Error *err)
{
        char name[64];
        const Command *c;

        if (l->n_arguments == 0)
                return print_help(NULL, err);
        (void) snprintf(name, sizeof name, "%.30s%s%.30s", l->arguments[0],
                        l->n_arguments > 1 ? " " : "", l->n_arguments > 1 ? l->arguments[1] : "");
        c = find_command(name);
        return c ? print_help(c, err) : unknown_command(name, err);
}

static int version_command(const CommandLine *l, Error *err)
{
        (void) l;
        return printf("pgmigrated %s\n", PACKAGE_VERSION) < 0
                       ? error_set(err, ERROR_IO, "standard output: %m")
                       : 0;
}

/* ---- the process ---- */

int command_main(int argc, char *const argv[])
{
        _cleanup_command_line_ CommandLine l = { .command = NULL };
        bool json = false;
        Error err = { .code = ERROR_NONE };
        int r = command_line_parse(&l, argc, argv, &err);

        if (r >= 0 && l.command) {
                json = l.flags[FLAG_JSON] != NULL;
                r = l.flags[FLAG_HELP]
                            ? print_help(strcmp(l.command->name, "help") == 0 ? NULL : l.command,
                                         &err)
                            : l.command->run(&l, &err);
        }
        if (r >= 0 && fflush(stdout) == EOF)
                r = error_set(&err, ERROR_IO, "standard output: %m");
        if (r >= 0)
                return r;
        report_error(&err, json);
        return error_info(err.code)->exit_code;
}
