#pragma once
/* What is written from the option table: parts of --help, the example file, the manuals. */
#include "main/options.h"

typedef enum OptionText {
        OPTION_TEXT_HELP,     /* --flags, for a terminal */
        OPTION_TEXT_EXAMPLE,  /* etc/pgmigrated.conf */
        OPTION_TEXT_MAN,      /* docs/pgmigrated.conf.5 */
        OPTION_TEXT_MARKDOWN, /* docs/configuration.md */
        _OPTION_TEXT_MAX,
} OptionText;
extern const char
        *const option_text_names[_OPTION_TEXT_MAX]; /* "help", "example", "man", "markdown" */

void option_text(OptionText kind, Text *out);
/* Appends s as text for troff. */
void option_text_roff(Text *out, const char *s);
