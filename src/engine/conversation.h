#pragma once
/* What the parts of an operation share while it talks to one database. Lives for one connection at a time; the changelog outlives
 * connections. Internal to the engine. */
#include "engine/database.h"
#include "engine/plan.h"
#include "engine/script.h"
#include "pg/session.h"

/* How long one of our own small statements may take before the server is taken for frozen. */
#define OWN_STATEMENT_TIMEOUT (60 * USEC_PER_SEC)

typedef struct Conversation {
        Database *db;
        Run *run;
        PgTarget *target;
        PgSession *session;
        FormatOptions
                options; /* as configured, with what the operation overrides; strings are borrowed */
        FormatContext context;
        char *database_name, *user_name, *current_schema; /* what context points to */
        Changelog *changelog;
        Script *hook_scripts; /* one for each hook of the changelog, opened on first use */
        bool *hook_open;
        History *history;
        Assessment *assessment;
        Plan *plan;
        int64_t next_rank;
        bool row_locked; /* the tool's own lock in its table is ours: see row_lock.h */
        bool lock_doubtful; /* a statement that may release the lock was sent, and the lock not taken again */
        bool session_prepared; /* search_path and lock_timeout are set on this connection */
        size_t lost_step; /* step during which the connection was lost last, and how often in a row */
        uint64_t lost_statement; /* of it, when its statements are journalled */
        unsigned lost_count;
        const char *
                journalled; /* the migration whose statements ran on this connection, if they go one by one: what they
                                   * left in the session is there */
        bool drift_checked; /* by this run, over whichever connection */
} Conversation;

void conversation_init(Conversation *c, Database *db, Run *run);
/* Forgets the connection and what was read through it; keeps the changelog. */
void conversation_hang_up(Conversation *c);
void conversation_done(Conversation *c);
#define _cleanup_conversation_ _cleanup_(conversation_done)

int conversation_read_changelog(Conversation *c, Error *err);
int conversation_wake(Conversation *c,
                      Error *err); /* connects, passes the gate, binds the changelog */
int conversation_lock(Conversation *c, Error *err);
/* Shows who holds what the conversation waits for. */
void conversation_show_holder(Conversation *c, const LockHolder *holder);
/* After a statement that may have released the lock: it is held again and nobody used it in between, or -ERROR_LOCKED. */
int conversation_relock(Conversation *c, Error *err);
int conversation_assess(Conversation *c, AssessPurpose purpose,
                        Error *err); /* reads the history afresh */
/* The first of the assessment's refusals as an error, the others as warnings of the run. */
int conversation_refuse(Conversation *c, Error *err);
/* What /status shows of the schema, from the assessment. */
json_t *conversation_schema_json(const Conversation *c);
