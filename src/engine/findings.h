#pragma once
/* What an operation found out, as JSON for the API and the command line. */
#include "engine/conversation.h"

json_t *findings_status(const Conversation *c);  /* {"database", "schema", "entries": [...]} */
json_t *findings_history(const Conversation *c); /* {"database", "history": [...]} */
json_t *findings_validation(
        const Conversation *c); /* {"database", "valid", "complaints": [...], "warnings": [...]} */
json_t *findings_notes(const char *lines); /* {"changes": ["...", ...]}: one a line */
