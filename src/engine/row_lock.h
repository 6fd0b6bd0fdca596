#pragma once
/* The lock that a format's own tool keeps in a table, beside our advisory locks. It does not end with its session, so who died
 * holding it is told from evidence, and there is a command to release it. */
#include "engine/conversation.h"

/* Takes it, waiting while somebody else has it (within migration_lock_timeout) and showing who; then reads the history again, which
 * may have changed meanwhile. Does nothing for formats without one. In a fiber. */
int row_lock_take(Conversation *c, AssessPurpose purpose, Error *err);
/* Gives it back if this conversation has it. What cannot be given back, because the connection is gone, the next run takes over. */
void row_lock_release(Conversation *c);
/* OPERATION_UNLOCK: releases it, whoever has it; one sentence about whose it was to notes. */
int row_lock_break(Conversation *c, Text *notes, Error *err);
