#pragma once
/* Between operation.c, which says what an operation needs before and after it, and operation_history.c. Each does its operation with
 * a conversation that is connected, locked where it has to be, and knows the history. */
#include "engine/conversation.h"

/* Makes what sql_create() says, and reads the history again. */
int operation_create_history(Conversation *c, Error *err);
int operation_baseline(Conversation *c, Error *err);
int operation_repair(Conversation *c, Error *err);
int operation_tag(Conversation *c, Error *err);
int operation_unlock(Conversation *c, Error *err);
