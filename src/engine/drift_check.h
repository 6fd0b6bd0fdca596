#pragma once
/* Drift in the course of a run: compared before anything is applied, kept after. Snapshots are in the state store, or for
 * the direct commands in the file that the operation names. Internal to the engine. */
#include "engine/conversation.h"

/* Before the plan: warns or refuses (ERROR_REFUSED, naming the objects) as the option drift says. Once a run: what
 * comes after a lost connection is the run's own doing. */
int drift_guard(Conversation *c, Error *err);
/* Right before the first change: from here on, until drift_keep, the kept snapshot counts for nothing, so that a run cut
 * short is not taken for somebody's drift. */
int drift_begin(Conversation *c, Error *err);
/* After the run, with the history read afresh. That it could not be kept is a warning of the run. */
void drift_keep(Conversation *c);
bool drift_wanted(const Conversation *c); /* whether this run is to keep one */

/* OPERATION_DRIFT. Result: {"database", "drifted", "snapshot_at", "saved", "changes": of drift_compare()}.
 * ERROR_NOT_FOUND: nothing to compare with; ERROR_REFUSED: it cannot be compared. */
int drift_act(Conversation *c, Error *err);
