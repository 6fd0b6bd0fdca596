#pragma once
/* What an operation found out, as JSON for the API and the command line. */
#include "engine/conversation.h"

json_t *report_status(const Conversation *c);  /* {"database", "schema", "entries": [...]} */
json_t *report_history(const Conversation *c); /* {"database", "history": [...]} */
json_t *report_validation(
        const Conversation *c); /* {"database", "valid", "complaints": [...], "warnings": [...]} */
json_t *report_notes(const char *lines); /* {"changes": ["...", ...]}: one a line */
