#include "main/option_text.h"

#include <ctype.h>
#include <string.h>

#include "main/config.h"

/* ---- words ---- */

/* Appends s broken at spaces, each line behind `lead`, at most `width` columns without it. */
static void add_wrapped(Text *out, const char *lead, size_t width, const char *s)
{
        while (*s) {
                size_t n = strlen(s);

                if (n > width) {
                        n = width;
                        while (n > 0 && s[n] != ' ')
                                n--;
                        if (n == 0)
                                n = strcspn(s, " ");
                }
                text_add(out, lead);
                text_append(out, s, n);
                text_addc(out, '\n');
                s += n + (s[n] == ' ');
        }
}

static void add_upper(Text *out, const char *s)
{
        for (; *s; s++)
                text_addc(out, (char) toupper((unsigned char) *s));
}

static void add_flag(Text *out, const char *name)
{
        text_add(out, "--");
        for (const char *end; (end = strchr(name, '_')); name = end + 1) {
                text_append(out, name, (size_t) (end - name));
                text_addc(out, '-');
        }
        text_add(out, name);
}

static void add_choices(Text *out, const Option *o)
{
        for (const char *const *c = o->type->choices; *c; c++)
                text_printf(out, "%s%s", c == o->type->choices ? "" : "|", *c);
}

/* ---- --help ---- */

static void help_option(Text *out, const Option *o)
{
        text_add(out, "  ");
        add_flag(out, o->name);
        if (option_is_boolean(o))
                text_add(out, "[=yes|no]");
        else if (o->type->choices) {
                text_addc(out, ' ');
                add_choices(out, o);
        } else
                text_printf(out, " %s", o->type->name);
        if (*o->def)
                text_printf(out, "  (default %s)", o->def);
        text_addc(out, '\n');
        add_wrapped(out, "        ", 72, o->help);
}

static void help_text(Text *out)
{
        static const char *const titles[] = { [OPTION_DATABASE] = "Options of a database:\n",
                                              [OPTION_SERVICE] = "\nOptions of the service:\n" };
        const Option *last = NULL;

        for (const Option *o = options; o < options + n_options; last = o++) {
                if (!last || last->scope != o->scope)
                        text_add(out, titles[o->scope]);
                help_option(out, o);
                if (strcmp(o->name, "placeholder_separator") == 0)
                        text_add(out, "  --placeholder NAME=VALUE\n        A placeholder of the "
                                      "migrations. May be given several times.\n");
        }
        text_add(out, "\nEvery option is also a key of the configuration file and an environment "
                      "variable:\n"
                      "--lock-timeout 10s, lock_timeout = 10s, "
                      "PGMIGRATED_LOCK_TIMEOUT=10s.\n\nEnvironment variables besides:\n");
        for (const EnvironmentName *e = environment_names; e->name; e++)
                text_printf(out, "  %-24s %s\n", e->name, e->help);
        text_add(out, "  DATABASE_URL             the same as PGMIGRATED_URL, which wins\n"
                      "  PGMIGRATED_PLACEHOLDER_X a placeholder named x\n");
}

/* ---- etc/pgmigrated.conf ---- */

static void example_option(Text *out, const Option *o)
{
        text_addc(out, '\n');
        add_wrapped(out, "# ", 98, o->help);
        if (o->type->choices && !option_is_boolean(o)) {
                text_add(out, "# One of ");
                add_choices(out, o);
                text_add(out, ".\n");
        }
        if (o->flags & OPTION_RESTART)
                text_add(out, "# A change needs a restart.\n");
        text_printf(out, "#%s =%s%s\n", o->name, *o->def ? " " : "", o->def);
}

static void example_text(Text *out)
{
        text_add(out,
                 "# pgmigrated.conf(5). Every option, with its default. A # or ; starts a comment "
                 "only at the start of a line.\n"
                 "# An environment variable such as PGMIGRATED_LOCK_TIMEOUT wins over this file, a "
                 "flag such as\n"
                 "# --lock-timeout over both. Files in conf.d/ beside this one are read after it.\n"
                 "# Paths are relative to this file's folder. After a change: systemctl reload "
                 "pgmigrated.\n"
                 "# Check it with: pgmigrated check-config\n"
                 "\n# ---- the service ----\n");
        for (const Option *o = options; o < options + n_options; o++)
                if (o->scope == OPTION_SERVICE)
                        example_option(out, o);
        text_add(out, "\n# ---- databases ----\n"
                      "# Here these are defaults of all databases. With no section below there is "
                      "one database, which is named\n"
                      "# after the database in its url.\n");
        for (const Option *o = options; o < options + n_options; o++)
                if (o->scope == OPTION_DATABASE)
                        example_option(out, o);
        text_add(out,
                 "\n# A placeholder of the migrations: ${owner}.\n#placeholder.owner = app\n"
                 "\n# One section for each database; the name is up to you. Any option above may "
                 "stand in it.\n"
                 "#[database app]\n#url = postgresql://app@db.example.org/app?sslmode=verify-full\n"
                 "#password_file = /run/credentials/pgmigrated.service/app\n#migrations = "
                 "/srv/app/migrations\n");
}

/* ---- docs/pgmigrated.conf.5 ---- */

void option_text_roff(Text *out, const char *s)
{
        if (*s == '.' || *s == '\'')
                text_add(out, "\\&");
        for (; *s; s++)
                if (*s == '\\')
                        text_add(out, "\\e");
                else if (*s == '-')
                        text_add(out, "\\-");
                else
                        text_addc(out, *s);
}

static void man_option(Text *out, const Option *o)
{
        text_add(out, ".TP\n.B ");
        text_add(out, o->name);
        text_addc(out, '\n');
        option_text_roff(out, o->help);
        text_add(out, "\nTakes ");
        option_text_roff(out, o->type->accepts);
        text_add(out, "; ");
        if (*o->def) {
                text_add(out, "default\n.BR \"");
                option_text_roff(out, o->def);
                text_add(out, "\" .\n");
        } else
                text_add(out, "empty by default.\n");
        if (o->flags & OPTION_RESTART)
                text_add(out, "A change needs a restart.\n");
}

static void man_scope(Text *out, OptionScope scope)
{
        for (const Option *o = options; o < options + n_options; o++)
                if (o->scope == scope)
                        man_option(out, o);
}

static void man_text(Text *out)
{
        text_add(out, ".\\\" Written from src/main/options.def by make generate.\n"
                      ".TH PGMIGRATED.CONF 5 \"\" pgmigrated \"File formats\"\n"
                      ".SH NAME\npgmigrated.conf \\- configuration of pgmigrated\n"
                      ".SH SYNOPSIS\n.I /etc/pgmigrated/pgmigrated.conf\n.br\n.I "
                      "/etc/pgmigrated/conf.d/*.conf\n"
                      ".SH DESCRIPTION\n"
                      "Lines of\n.IR key \" = \" value ,\nin UTF\\-8. A line that starts with # or "
                      "; is a comment; there are none behind a value.\n"
                      "A value in double quotes keeps its spaces and may hold\n.B "
                      "\\e\\(dq\nand\n.BR \\e\\e .\n"
                      ".PP\nKeys above the first section are options of the service, and defaults "
                      "of all databases.\n"
                      "A section\n.BI \"[database \" NAME ]\nis one database, named as you like. "
                      "Without sections there is one database,\n"
                      "which is named after the database in its\n.BR url .\n"
                      ".PP\nThe files\n.I conf.d/*.conf\nbeside the file are read after it, in the "
                      "order of their names; a key above the first section of a\n"
                      "later file wins. A key that is set twice in a file, a section that is there "
                      "twice, an unknown key and a value that\n"
                      "is not understood are errors: nothing starts, and a reload keeps what was.\n"
                      ".PP\nThe environment wins over the files, the command line over both:\n.BR "
                      "lock_timeout ,\n"
                      ".B PGMIGRATED_LOCK_TIMEOUT\nand\n.B \\-\\-lock\\-timeout\nare one option. "
                      "Relative paths are relative to the folder of the file that\n"
                      "has them; elsewhere, to the working directory.\n"
                      ".SH \"OPTIONS OF THE SERVICE\"\n");
        man_scope(out, OPTION_SERVICE);
        text_add(out, ".SH \"OPTIONS OF A DATABASE\"\n");
        man_scope(out, OPTION_DATABASE);
        text_add(out, ".TP\n.BI placeholder. NAME\nValue of the placeholder\n.I NAME\nin the "
                      "migrations, such as\n.BR ${NAME} .\n"
                      "Names do not depend on case.\n"
                      ".SH ENVIRONMENT\n");
        for (const EnvironmentName *e = environment_names; e->name; e++) {
                text_printf(out, ".TP\n.B %s\n", e->name);
                option_text_roff(out, e->help);
                text_addc(out, '\n');
        }
        text_add(out, ".TP\n.B DATABASE_URL\nThe same as\n.BR PGMIGRATED_URL ,\nwhich wins.\n"
                      ".TP\n.BI PGMIGRATED_PLACEHOLDER_ X\nThe placeholder\n.IR x .\n"
                      ".PP\nAny other variable that begins with\n.B PGMIGRATED_\nand is not an "
                      "option is an error.\n"
                      ".SH EXAMPLE\n.nf\nmax_parallel = 2\n\n[database app]\n"
                      "url = postgresql://app@db.example.org/app?sslmode=verify\\-full\n"
                      "password_file = /run/credentials/pgmigrated.service/app\nmigrations = "
                      "/srv/app/migrations\n"
                      "placeholder.owner = app\n.fi\n.SH \"SEE ALSO\"\n.BR pgmigrated (8)\n");
}

/* ---- docs/configuration.md ---- */

static void markdown_option(Text *out, const Option *o)
{
        text_printf(out, "\n### `%s`\n\n%s\n\n", o->name, o->help);
        text_printf(out, "Takes %s. ", o->type->accepts);
        if (*o->def)
                text_printf(out, "Default `%s`. ", o->def);
        else
                text_add(out, "Empty by default. ");
        if (o->flags & OPTION_RESTART)
                text_add(out, "A change needs a restart. ");
        text_add(out, "Elsewhere: `");
        add_flag(out, o->name);
        text_add(out, "`, `PGMIGRATED_");
        add_upper(out, o->name);
        text_add(out, "`.\n");
}

static void markdown_scope(Text *out, OptionScope scope)
{
        for (const Option *o = options; o < options + n_options; o++)
                if (o->scope == scope)
                        markdown_option(out, o);
}

static void markdown_text(Text *out)
{
        text_add(out,
                 "<!-- Written from src/main/options.def by make generate. -->\n# Configuration\n\n"
                 "pgmigrated needs no configuration file: `DATABASE_URL=postgresql://… pgmigrated "
                 "migrate --migrations sql` will do. "
                 "Whatever can be set can be set in three places, the later ones winning:\n\n"
                 "1. the file: `/etc/pgmigrated/pgmigrated.conf`, or what `--config` or "
                 "`PGMIGRATED_CONFIG` names, then `conf.d/*.conf` beside it: `lock_timeout = 10s`\n"
                 "2. the environment: `PGMIGRATED_LOCK_TIMEOUT=10s`\n"
                 "3. the command line: `--lock-timeout 10s`\n\n"
                 "Relative paths are relative to the folder of the file that has them; in the "
                 "environment and on the command line, to the working "
                 "directory. An unknown name, in any of the three places, is an error that says "
                 "which name is near, so a typing error never "
                 "silently leaves a default in force. `pgmigrated check-config` checks without "
                 "doing anything.\n\n"
                 "Secrets do not belong on the command line, and a `--url` with a password in it "
                 "is refused.\n\n"
                 "## The file\n\n"
                 "```ini\n"
                 "# Comments stand on lines of their own.\n"
                 "max_parallel = 2\n"
                 "lock_timeout = 10s\n"
                 "\n"
                 "[database app]\n"
                 "url = postgresql://app@db.example.org/app?sslmode=verify-full\n"
                 "password_file = /run/credentials/pgmigrated.service/app\n"
                 "migrations = /srv/app/migrations\n"
                 "placeholder.owner = app\n"
                 "\n"
                 "[database reporting]\n"
                 "url = host=/run/postgresql user=reporting\n"
                 "migrations = /srv/reporting/migrations\n"
                 "```\n\n"
                 "Above the first section stand the options of the service, and defaults of all "
                 "databases. Without sections there is one "
                 "database, named after the database in its `url`. A value in double quotes keeps "
                 "its spaces; inside, `\\\"` and `\\\\` are "
                 "a quote and a backslash. A key may be set once in a file (per section), a "
                 "section may be there once; a later file of "
                 "`conf.d` may set a global key again.\n\n"
                 "`SIGHUP` (`systemctl reload pgmigrated`) reads everything again. When there is a "
                 "mistake, the running configuration "
                 "stays. Runs that are going finish as they began.\n\n"
                 "## Options of the service\n");
        markdown_scope(out, OPTION_SERVICE);
        text_add(out, "\n## Options of a database\n");
        markdown_scope(out, OPTION_DATABASE);
        text_add(out, "\n### `placeholder.NAME`\n\nValue of `${NAME}` in the migrations; names do "
                      "not depend on case. "
                      "Elsewhere: `--placeholder NAME=VALUE`, `PGMIGRATED_PLACEHOLDER_NAME`.\n\n"
                      "## Other environment variables\n\n| name | meaning |\n| --- | --- |\n");
        for (const EnvironmentName *e = environment_names; e->name; e++)
                text_printf(out, "| `%s` | %s |\n", e->name, e->help);
        text_add(out, "| `DATABASE_URL` | the same as `PGMIGRATED_URL`, which wins |\n");
}

void option_text(OptionText kind, Text *out)
{
        static void (*const writers[_OPTION_TEXT_MAX])(Text *) = {
                [OPTION_TEXT_HELP] = help_text,
                [OPTION_TEXT_EXAMPLE] = example_text,
                [OPTION_TEXT_MAN] = man_text,
                [OPTION_TEXT_MARKDOWN] = markdown_text,
        };

        writers[kind](out);
}
