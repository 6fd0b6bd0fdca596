#pragma once
/* What became of a statement that cannot run in a transaction, when its start is known and its end is not: found out by
 * looking at the object (facts: postgresql.md 5.4, 6). */
#include "pg/scanner.h"
#include "pg/session.h"

typedef enum Verdict {
        VERDICT_RERUN,     /* it left nothing, or doing it again is harmless */
        VERDICT_DONE,      /* it was done */
        VERDICT_CLEAN,     /* it left a broken object: drop that, then do it again */
        VERDICT_FINALIZE,  /* DETACH PARTITION CONCURRENTLY that has to be finalized */
        VERDICT_UNDECIDED, /* nobody can tell */
} Verdict;

/* The object's state as tokens "id:state", blank-separated: state is "ok", "broken" or "pending". Empty: it is not there. The same look is
 * taken before the start, so that what was there already is not taken for the statement's work. The caller frees. */
int evidence_look(char **ret, PgSession *s, const char *text, const Statement *st, Error *err);
/* Pure. */
Verdict evidence_judge(StatementKind kind, const char *before, const char *now);
/* Makes the way free for doing it again (drops broken indexes that are not in before), or finalizes. */
int evidence_clean(PgSession *s, const char *text, const Statement *st, const char *before,
                   const char *now, Error *err);
bool evidence_has_broken(const char *tokens, const char *except);
