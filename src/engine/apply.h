#pragma once
/* Does what the plan says: migrations and their history rows, exactly once. */
#include "engine/batch.h"
#include "engine/conversation.h"
#include "loop/backoff.h"

/* Applies c->plan from its first step on, marking the run's steps. Leaves no transaction open, whatever happens. Afterwards the
 * run's steps say what is surely applied; on ERROR_LOST only the history knows about the one that was going. */
int apply_plan(Conversation *c, Error *err);
/* Runs the changelog's scripts for the event, each in a transaction of its own. */
int apply_hooks(Conversation *c, HookEvent event, Error *err);
/* One transaction of our own statements; retried on locks like a migration. */
int apply_sql(Conversation *c, const Text *sql, Error *err);

/* -- between the two ways of applying: apply.c and apply_journalled.c -- */
int apply_journalled(Conversation *c, size_t step, Error *err);
int apply_prepare_session(Conversation *c, Error *err);
/* Statements that take back what a script may have set for the session. */
void apply_restore_sql(const Conversation *c, Text *sql);
/* After a statement that script_may_unlock(): the settings are ours again, and the lock. */
int apply_mend_session(Conversation *c, const Script *s, const Statement *st, Error *err);
int apply_history_sql(Conversation *c, size_t step, int64_t ms, Text *sql, Error *err);
/* Whether the error is one that a fresh try may not meet (lock, deadlock, serialization): then sleeps the back-off, counts the
 * retry in the step, and returns 1; 0: not retryable or tried often enough; negative: cancelled while sleeping. */
int apply_retry(Conversation *c, size_t step, Backoff *backoff, Error *err);
/* Asks the format whether the step is to run now, when its migration asks_first; marks the plan's step accordingly. */
int apply_decide(Conversation *c, size_t step, Decision *ret, Error *err);
int apply_hook_script(Conversation *c, size_t hook, const Script **ret, Error *err);
