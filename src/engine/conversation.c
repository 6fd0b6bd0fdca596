#include "engine/conversation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <zlib.h>

void conversation_init(Conversation *c, Database *db, Run *run)
{
        *c = (Conversation){ .db = db, .run = run, .lost_step = SIZE_MAX };
        c->options = db->settings->changelog;
        if (run->operation.target && run->operation.kind != OPERATION_UNDO)
                c->options.target = (char *) (uintptr_t) run->operation.target;
        if (run->operation.version && run->operation.kind == OPERATION_BASELINE)
                c->options.baseline_version = c->options.target =
                        (char *) (uintptr_t) run->operation.version;
        c->context.options = &c->options;
}

static void forget_history(Conversation *c)
{
        c->plan = plan_free(c->plan);
        c->assessment = assessment_free(c->assessment);
        c->history = history_free(c->history);
}

void conversation_hang_up(Conversation *c)
{
        forget_history(c);
        for (size_t i = 0; c->hook_open && i < c->changelog->n_hooks; i++)
                if (c->hook_open[i]) {
                        script_done(&c->hook_scripts[i]);
                        c->hook_open[i] = false;
                }
        if (c->session) {
                c->session = pg_session_free(c->session);
                availability_rest(&c->db->availability);
        }
        c->session_prepared = c->row_locked = c->lock_doubtful = false;
        c->journalled = NULL;
        if (c->db->lock_held || c->db->lock_waiting) {
                c->db->lock_held = c->db->lock_waiting = false;
                database_lock_changed(c->db);
        }
}

void conversation_done(Conversation *c)
{
        conversation_hang_up(c);
        free(c->hook_scripts);
        free(c->hook_open);
        c->changelog = changelog_free(c->changelog);
        c->target = pg_target_free(c->target);
        free(c->database_name);
        free(c->user_name);
        free(c->current_schema);
}

int conversation_read_changelog(Conversation *c, Error *err)
{
        const DatabaseSettings *s = c->db->settings;
        const Format *format = NULL;
        int r = format_find(&format, s->format, s->changelog.folder, err);

        if (r >= 0)
                r = format->read(&c->changelog, &c->options, err);
        if (r < 0)
                return r;
        c->hook_scripts = calloc(c->changelog->n_hooks + 1, sizeof *c->hook_scripts);
        c->hook_open = calloc(c->changelog->n_hooks + 1, sizeof *c->hook_open);
        if (!c->hook_scripts || !c->hook_open)
                return error_oom(err, "callbacks");
        for (size_t i = 0; i < c->changelog->n_warnings; i++)
                run_warn(c->run, c->changelog->warnings[i]);
        return 0;
}

/* "pgmigrated HOST RUN": who holds the lock, for whoever waits for it. pg_stat_activity shows 63 bytes. */
static void application_name(const Run *run, char name[64])
{
        char host[32] = "";

        (void) gethostname(host, sizeof host - 1);
        (void) snprintf(name, 64, "pgmigrated %.20s %d %.26s", host, (int) getpid(), run->id);
}

static void on_notice(void *userdata, const char *severity, const char *sqlstate,
                      const char *message)
{
        Conversation *c = userdata;
        json_t *data;

        if (!c->db->events)
                return;
        data = json_pack("{s:s,s:s,s:s}", "severity", severity, "sqlstate", sqlstate, "message",
                         message);
        event_log_publish(c->db->events, "notice", c->run->id, data);
        json_decref(data);
}

static int replace_string(char **field, const char *value, Error *err)
{
        free(*field);
        *field = strdup(value ?: "");
        return *field ? 0 : error_oom(err, "a conversation");
}

static int learn_context(Conversation *c, Error *err)
{
        PgPlace place = pg_session_place(c->session);
        time_t now = time(NULL);
        struct tm tm;
        int r = replace_string(&c->database_name, place.database, err);

        if (r >= 0)
                r = replace_string(&c->user_name, place.user, err);
        if (r >= 0)
                r = replace_string(&c->current_schema, place.schema, err);
        if (r < 0)
                return r;
        c->context.server_version = pg_session_version(c->session);
        c->context.database = c->database_name;
        c->context.user = c->user_name;
        c->context.current_schema = c->current_schema;
        (void) localtime_r(&now, &tm);
        (void) strftime(c->context.timestamp, sizeof c->context.timestamp, "%Y-%m-%d %H:%M:%S",
                        &tm);
        (void) snprintf(c->context.deployment, sizeof c->context.deployment, "%010" PRIu64,
                        clock_wall() / USEC_PER_MSEC % UINT64_C(10000000000));
        return 0;
}

int conversation_wake(Conversation *c, Error *err)
{
        const DatabaseSettings *s = c->db->settings;
        char name[64];
        int r = 0;

        application_name(c->run, name);
        if (!c->target)
                r = pg_target_new(&c->target, secret_reveal(s->url), err);
        if (r >= 0)
                r = availability_wake(&c->db->availability,
                                      &(WakeRequest){ .target = c->target,
                                                      .password_file = s->password_file,
                                                      .application_name = name,
                                                      .role = s->role,
                                                      .allow_pooler = s->allow_pooler,
                                                      .connect_timeout = s->connect_timeout,
                                                      .wake_timeout = s->wake_timeout,
                                                      .grace_timeout = s->grace_timeout,
                                                      .statement_timeout = s->statement_timeout },
                                      &c->session, err);
        if (r == -(int) ERROR_DEADLINE && c->db->availability.last_error.code != ERROR_NONE)
                return error_prefix(err, "%s", c->db->availability.last_error.text);
        if (r < 0)
                return r;
        pg_session_on_notice(c->session, on_notice, c);
        if (!c->changelog)
                return 0;
        r = learn_context(c, err);
        if (r >= 0)
                r = c->changelog->format->resolve(&c->context, err);
        if (r >= 0)
                r = c->changelog->format->bind(c->changelog, &c->context, err);
        return r;
}

/* ---- the lock ---- */

void conversation_show_holder(Conversation *c, const LockHolder *holder)
{
        if (!c->db->lock_waiting)
                c->db->lock_waits++;
        c->db->lock_waiting = true;
        c->db->lock_holder = *holder;
        database_lock_changed(c->db);
}

static void on_lock_waiting(void *userdata, const LockHolder *holder)
{
        conversation_show_holder(userdata, holder);
}

static LockRequest lock_request(Conversation *c, int64_t *keys)
{
        _cleanup_text_ Text name = TEXT_INIT(4096);

        text_add_sql_identifier(&name, c->context.schema);
        text_addc(&name, '.');
        text_add_sql_identifier(&name, c->context.table);
        return (LockRequest){
                .object = (int32_t) crc32(0, (const Bytef *) text_str(&name), (uInt) name.len),
                .keys = keys,
                .n_keys = c->changelog->format->lock_keys(&c->context, keys),
                .deadline = clock_after(c->db->settings->migration_lock_timeout),
                .waiting = on_lock_waiting,
                .userdata = c,
        };
}

int conversation_lock(Conversation *c, Error *err)
{
        int64_t keys[FORMAT_MAX_LOCK_KEYS];
        LockRequest request = lock_request(c, keys);
        int r = advisory_lock_take(c->session, &request, err);

        if (r == -(int) ERROR_DEADLINE && c->db->lock_waiting)
                r = error_set(err, ERROR_DEADLINE,
                              "the deadline passed while process %d (%s) held the migration lock",
                              c->db->lock_holder.pid, c->db->lock_holder.application_name);
        c->db->lock_waiting = false;
        c->db->lock_held = r >= 0;
        c->db->lock_holder = (LockHolder){ .pid = 0 };
        database_lock_changed(c->db);
        return r;
}

/* Whoever had the lock in between may have migrated, and would show in the history. */
static int check_rank(Conversation *c, Error *err)
{
        const Format *f = c->changelog->format;
        _cleanup_(history_freep) History *now = NULL;
        int r = f->load(&now, &c->context, c->session, err);

        if (r < 0 || f->next_rank(now) == c->next_rank)
                return r;
        return error_set(err, ERROR_LOCKED, "somebody else took it and migrated; start again");
}

int conversation_relock(Conversation *c, Error *err)
{
        int64_t keys[FORMAT_MAX_LOCK_KEYS];
        LockRequest request = lock_request(c, keys);
        int r = 0;

        c->lock_doubtful = false;
        if (!c->db->lock_held) /* it was not needed */
                return 0;
        r = advisory_lock_retake(c->session, &request, err);
        /* In a transaction the history has rows of ours, and its key keeps anybody else's out. */
        if (r >= 0 && c->history && !pg_session_in_transaction(c->session))
                r = check_rank(c, err);
        return r < 0 ? error_prefix(err, "the script released the migration lock") : 0;
}

/* ---- the history ---- */

int conversation_assess(Conversation *c, AssessPurpose purpose, Error *err)
{
        const Format *f = c->changelog->format;
        int r;

        forget_history(c);
        r = f->load(&c->history, &c->context, c->session, err);
        if (r >= 0)
                r = f->assess(&c->assessment, c->changelog, c->history, &c->context, purpose, err);
        if (r < 0)
                return r;
        c->next_rank = f->next_rank(c->history);
        return 0;
}

int conversation_refuse(Conversation *c, Error *err)
{
        const Assessment *a = c->assessment;

        for (size_t i = 0; i < a->n_warnings; i++)
                run_warn(c->run, a->warnings[i]);
        if (a->n_refusals == 0)
                return 0;
        for (size_t i = 1; i < a->n_refusals; i++)
                run_warn(c->run, a->refusals[i].text);
        *err = a->refusals[0];
        return -(int) err->code;
}

static const char *schema_version_after(const Conversation *c)
{
        const char *version = c->assessment->current_version;

        if (c->plan && c->run->applied > 0)
                version = c->plan->to_version;
        return version;
}

json_t *conversation_schema_json(const Conversation *c)
{
        json_int_t applied = 0, pending = 0, failed = 0, changed = 0;
        bool undo = c->run->operation.kind == OPERATION_UNDO;
        char now[CLOCK_TEXT_MAX], files[DATABASE_FINGERPRINT_SIZE];
        json_t *schema;
        Error ignored;

        for (size_t i = 0; i < c->assessment->n_entries; i++) {
                const Entry *e = &c->assessment->entries[i];
                EntryState s = e->state;

                applied += s == ENTRY_APPLIED || s == ENTRY_OUT_OF_ORDER || s == ENTRY_BASELINE ||
                           e->always;
                pending += (s == ENTRY_PENDING || s == ENTRY_OUTDATED) && !e->always;
                failed += s == ENTRY_FAILED;
        }
        /* What this conversation itself changed since it read the history. */
        for (size_t i = 0; c->plan && i < c->run->n_steps; i++)
                changed += c->run->steps[i].state == STEP_APPLIED && !c->plan->steps[i].always;
        if (undo)
                changed = -changed;
        schema = json_pack("{s:s,s:s?,s:I,s:I,s:I,s:s}", "format", c->changelog->format->name,
                           "version", schema_version_after(c), "applied", applied + changed,
                           "pending", pending - changed, "failed", failed, "known_at",
                           clock_format(clock_wall(), now));
        if (c->db->store && database_fingerprint(files, c->changelog, &ignored) >= 0)
                (void) json_object_set_new(schema, "files", json_string(files));
        return schema;
}
