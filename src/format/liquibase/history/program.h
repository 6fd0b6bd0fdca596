#pragma once
/* executeCommand: a program that a changeset runs, where allow_execute says that it may. */
#include "format/liquibase/model/model.h"

/* Runs it and waits for its end, in a fiber; without a shell. An exit status other than 0, and a time limit that passes, are errors of
 * the changeset. Does nothing where its os attribute leaves Linux out. Cancelled, it kills the program. */
int program_run(const Change *c, Error *err);
