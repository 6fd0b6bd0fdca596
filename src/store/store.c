#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "util/clock.h"

#define DATABASE_FILE "pgmigrated.sqlite3"
#define LOCK_FILE "pgmigrated.lock"
#define LIST_MAX 1000

/* The lock file keeps other daemons out, so only somebody's sqlite3 shell can be in the way. The loop stands still
 * meanwhile, hence so short. */
#define BUSY_TIMEOUT_MSEC 250

#define FINISHED "('succeeded', 'failed', 'refused', 'unavailable', 'cancelled')"

/* Row n brings the file from user_version n to n + 1. Add rows, never change one that was released. */
static const char *const migrations[] = {
        "CREATE TABLE runs (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,"
        " database TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL,"
        " idempotency_key TEXT, summary TEXT NOT NULL, document TEXT NOT NULL) STRICT;"
        "CREATE INDEX runs_by_database ON runs (database, seq);"
        "CREATE INDEX runs_by_key ON runs (idempotency_key, seq) WHERE idempotency_key IS NOT NULL;"
        "CREATE INDEX runs_unfinished ON runs (seq) WHERE state NOT IN " FINISHED ";"
        "CREATE TABLE schemas (database TEXT PRIMARY KEY, document TEXT NOT NULL)"
        " STRICT, WITHOUT ROWID;"
        "CREATE TABLE counters (name TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT "
        "ROWID;"
        "INSERT INTO counters VALUES ('event', 1);",
        "CREATE TABLE snapshots (database TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;",
};
#define N_MIGRATIONS ((int) (sizeof migrations / sizeof *migrations))

typedef enum StatementId {
        SAVE_RUN,
        LOAD_RUN,
        FIND_RUN,
        LIST_RUNS,
        UNFINISHED_RUNS,
        FIND_KEY,
        SAVE_SCHEMA,
        LOAD_SCHEMA,
        SAVE_SNAPSHOT,
        LOAD_SNAPSHOT,
        RESERVE_EVENTS,
        PRUNE,
        _STATEMENT_MAX,
} StatementId;

static const char *const statements[_STATEMENT_MAX] = {
        [SAVE_RUN] = "INSERT INTO runs (id, database, state, created_at, idempotency_key, "
                     "document, summary)"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET"
                     " database = excluded.database, state = excluded.state,"
                     " created_at = excluded.created_at, document = excluded.document,"
                     " summary = excluded.summary,"
                     " idempotency_key = coalesce(excluded.idempotency_key, idempotency_key)",
        [LOAD_RUN] = "SELECT document FROM runs WHERE id = ?1",
        [FIND_RUN] = "SELECT seq FROM runs WHERE id = ?1",
        [LIST_RUNS] = "SELECT summary FROM runs WHERE (?1 IS NULL OR database = ?1)"
                      " AND (?2 IS NULL OR state = ?2) AND seq < ?3 ORDER BY seq DESC LIMIT ?4",
        [UNFINISHED_RUNS] =
                "SELECT document FROM runs WHERE state NOT IN " FINISHED " ORDER BY seq",
        [FIND_KEY] = "SELECT id FROM runs WHERE idempotency_key = ?1 AND created_at >= ?2"
                     " ORDER BY seq LIMIT 1",
        [SAVE_SCHEMA] = "INSERT INTO schemas (database, document) VALUES (?1, ?2)"
                        " ON CONFLICT (database) DO UPDATE SET document = excluded.document",
        [LOAD_SCHEMA] = "SELECT document FROM schemas WHERE database = ?1",
        [SAVE_SNAPSHOT] = "INSERT INTO snapshots (database, document) VALUES (?1, ?2)"
                          " ON CONFLICT (database) DO UPDATE SET document = excluded.document",
        [LOAD_SNAPSHOT] = "SELECT document FROM snapshots WHERE database = ?1",
        [RESERVE_EVENTS] = "UPDATE counters SET next = next + ?1 WHERE name = 'event'"
                           " RETURNING next - ?1",
        [PRUNE] = "DELETE FROM runs WHERE seq IN (SELECT seq FROM (SELECT seq, row_number()"
                  " OVER (PARTITION BY database ORDER BY seq DESC) AS n FROM runs"
                  " WHERE state IN " FINISHED ") WHERE n > ?1)"
                  " AND (idempotency_key IS NULL OR created_at < ?2)",
};

struct Store {
        sqlite3 *db;
        sqlite3_stmt *prepared[_STATEMENT_MAX]; /* NULL until first used */
        int lock_fd;
        char path[4096];
};

typedef struct Value {
        enum { TEXT, NUMBER } type;
        union {
                const char *text; /* NULL: NULL; must live until the statement is reset */
                int64_t number;
        };
} Value;
#define T(v) ((Value){ .type = TEXT, .text = (v) })
#define N(v) ((Value){ .type = NUMBER, .number = (int64_t) (v) })

/* Last row: everything else. */
static const struct {
        int result;
        ErrorCode code;
        const char *hint;
} faults[] = {
        { SQLITE_NOTADB, ERROR_IO,
          "the file is damaged or not ours: stop pgmigrated, move it away and start again; past "
          "runs"
          " are forgotten, the databases' own histories are not affected" },
        { SQLITE_CORRUPT, ERROR_IO,
          "the file is damaged: stop pgmigrated, move it away and start again; past runs are"
          " forgotten, the databases' own histories are not affected" },
        { SQLITE_FULL, ERROR_IO, "the disk is full: make room in the state directory" },
        { SQLITE_READONLY, ERROR_IO, "the file and its directory must be writable for pgmigrated" },
        { SQLITE_CANTOPEN, ERROR_IO, "the file and its directory must be writable for pgmigrated" },
        { SQLITE_BUSY, ERROR_BUSY, "another program has the file locked" },
        { SQLITE_LOCKED, ERROR_BUSY, "another program has the file locked" },
        { SQLITE_NOMEM, ERROR_OOM, "" },
        { -1, ERROR_IO, "look at the disk and the kernel's log" },
};

static int fail(const Store *s, int result, Error *err)
{
        size_t i = 0;

        while (faults[i].result != -1 && faults[i].result != (result & 0xff))
                i++;
        (void) error_set(err, faults[i].code, "%s: %s", s->path, sqlite3_errmsg(s->db));
        return error_hint(err, "%s", faults[i].hint);
}

static int damaged(const Store *s, const char *what, Error *err)
{
        (void) error_set(err, ERROR_IO, "%s: %s", s->path, what);
        return error_hint(err, "%s", faults[1].hint);
}

static void reset(sqlite3_stmt **st)
{
        if (!*st)
                return;
        (void) sqlite3_reset(*st);
        (void) sqlite3_clear_bindings(*st);
}
#define _cleanup_reset_ _cleanup_(reset)

/* The statement with its parameters bound; the caller resets it. */
static int statement(Store *s, StatementId id, const Value *values, int n, sqlite3_stmt **ret,
                     Error *err)
{
        sqlite3_stmt *st = s->prepared[id];
        int r = SQLITE_OK;

        if (!st) {
                r = sqlite3_prepare_v3(s->db, statements[id], -1, SQLITE_PREPARE_PERSISTENT, &st,
                                       NULL);
                if (r != SQLITE_OK)
                        return fail(s, r, err);
                s->prepared[id] = st;
        }
        for (int i = 0; i < n && r == SQLITE_OK; i++)
                r = values[i].type == NUMBER
                            ? sqlite3_bind_int64(st, i + 1, values[i].number)
                            : sqlite3_bind_text(st, i + 1, values[i].text, -1, SQLITE_STATIC);
        if (r != SQLITE_OK) {
                reset(&st);
                return fail(s, r, err);
        }
        *ret = st;
        return 0;
}
#define STATEMENT(s, id, ret, err, ...)                      \
        statement((s), (id), (const Value[]){ __VA_ARGS__ }, \
                  (int) (sizeof((const Value[]){ __VA_ARGS__ }) / sizeof(Value)), (ret), (err))

/* 1: a row, 0: the end. */
static int step(const Store *s, sqlite3_stmt *st, Error *err)
{
        int r = sqlite3_step(st);

        if (r == SQLITE_ROW)
                return 1;
        return r == SQLITE_DONE ? 0 : fail(s, r, err);
}

static int row_document(const Store *s, sqlite3_stmt *st, json_t **ret, Error *err)
{
        const char *text = sqlite3_column_blob(st, 0);
        json_error_t why;

        *ret = json_loadb(text ? text : "", (size_t) sqlite3_column_bytes(st, 0), 0, &why);
        if (*ret)
                return 1;
        if (json_error_code(&why) == json_error_out_of_memory)
                return error_oom(err, "a stored document");
        return damaged(s, "a stored document is not JSON", err);
}

static int load_document(Store *s, StatementId id, const char *key, json_t **ret, Error *err)
{
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        int r = STATEMENT(s, id, &st, err, T(key));

        if (r >= 0)
                r = step(s, st, err);
        return r > 0 ? row_document(s, st, ret, err) : r;
}

static int collect_documents(const Store *s, sqlite3_stmt *st, json_t **ret, Error *err)
{
        json_t *list = json_array(), *document;
        int r = list ? 0 : error_oom(err, "a list of runs");

        while (r >= 0 && (r = step(s, st, err)) > 0) {
                r = row_document(s, st, &document, err);
                if (r > 0 && json_array_append_new(list, document) < 0)
                        r = error_oom(err, "a list of runs");
        }
        if (r < 0) {
                json_decref(list);
                return r;
        }
        *ret = list;
        return 0;
}

static int dump_document(char **ret, const json_t *document, Error *err)
{
        *ret = json_dumps(document, JSON_COMPACT);
        return *ret ? 0 : error_oom(err, "a document to store");
}

/* Lists of runs do without what grows with the number of migrations. */
static int dump_summary(char **ret, const json_t *document, Error *err)
{
        json_t *summary = json_copy((json_t *) (uintptr_t) document);
        int r;

        (void) json_object_del(summary, "steps");
        (void) json_object_del(summary, "result");
        r = summary ? dump_document(ret, summary, err) : error_oom(err, "a document to store");
        json_decref(summary);
        return r;
}

/* SQLite goes on with a file that nobody can open again: what it stores there is gone with the process. */
static int refuse_removed_file(Store *s, Error *err)
{
        int moved = 0;

        (void) sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
        if (!moved)
                return 0;
        (void) error_set(err, ERROR_IO, "%s was removed or replaced while in use",
                         sqlite3_db_filename(s->db, "main"));
        return error_hint(err, "start pgmigrated again, and keep others from the state directory");
}

int store_save_run(Store *s, const char *id, const char *database, const char *state,
                   uint64_t created_wall_usec, const char *idempotency_key, const json_t *document,
                   Error *err)
{
        _cleanup_free_ char *text = NULL, *summary = NULL;
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        int r = refuse_removed_file(s, err);

        if (r >= 0)
                r = dump_document(&text, document, err);
        if (r >= 0)
                r = dump_summary(&summary, document, err);
        if (r >= 0)
                r = STATEMENT(s, SAVE_RUN, &st, err, T(id), T(database), T(state),
                              N(created_wall_usec), T(idempotency_key), T(text), T(summary));
        if (r >= 0)
                r = step(s, st, err);
        return r < 0 ? error_prefix(err, "saving run %s", id) : 0;
}

int store_load_run(Store *s, const char *id, json_t **ret, Error *err)
{
        int r = load_document(s, LOAD_RUN, id, ret, err);

        return r < 0 ? error_prefix(err, "reading run %s", id) : r;
}

/* Where the run stands in the order of first saving. */
static int find_place(Store *s, const char *id, int64_t *ret, Error *err)
{
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        int r = STATEMENT(s, FIND_RUN, &st, err, T(id));

        if (r >= 0)
                r = step(s, st, err);
        if (r == 0)
                return error_set(err, ERROR_NOT_FOUND, "no run %s to list the older ones of", id);
        if (r > 0)
                *ret = sqlite3_column_int64(st, 0);
        return r;
}

int store_list_runs(Store *s, const char *database, const char *state, const char *before,
                    unsigned limit, json_t **ret, Error *err)
{
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        int64_t place = INT64_MAX;
        int r = 0;

        if (limit < 1 || limit > LIST_MAX)
                return error_set(err, ERROR_BAD_REQUEST, "limit: %u is not between 1 and %d", limit,
                                 LIST_MAX);
        if (before)
                r = find_place(s, before, &place, err);
        if (r >= 0)
                r = STATEMENT(s, LIST_RUNS, &st, err, T(database), T(state), N(place), N(limit));
        return r < 0 ? r : collect_documents(s, st, ret, err);
}

int store_unfinished_runs(Store *s, json_t **ret, Error *err)
{
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        int r = statement(s, UNFINISHED_RUNS, NULL, 0, &st, err);

        return r < 0 ? r : collect_documents(s, st, ret, err);
}

int store_find_idempotency_key(Store *s, const char *key, uint64_t since_wall_usec,
                               char id[RUN_ID_MAX], Error *err)
{
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        int r = STATEMENT(s, FIND_KEY, &st, err, T(key), N(since_wall_usec));

        if (r >= 0)
                r = step(s, st, err);
        if (r > 0)
                (void) snprintf(id, RUN_ID_MAX, "%s", (const char *) sqlite3_column_text(st, 0));
        return r;
}

static int save_document(Store *s, StatementId id, const char *database, const json_t *document,
                         Error *err)
{
        _cleanup_free_ char *text = NULL;
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        int r = dump_document(&text, document, err);

        if (r >= 0)
                r = STATEMENT(s, id, &st, err, T(database), T(text));
        if (r >= 0)
                r = step(s, st, err);
        return r < 0 ? error_prefix(err, "saving what is known of database %s", database) : 0;
}

int store_save_schema(Store *s, const char *database, const json_t *schema, Error *err)
{
        return save_document(s, SAVE_SCHEMA, database, schema, err);
}

int store_save_snapshot(Store *s, const char *database, const json_t *snapshot, Error *err)
{
        return save_document(s, SAVE_SNAPSHOT, database, snapshot, err);
}

int store_load_snapshot(Store *s, const char *database, json_t **ret, Error *err)
{
        return load_document(s, LOAD_SNAPSHOT, database, ret, err);
}

int store_load_schema(Store *s, const char *database, json_t **ret, Error *err)
{
        return load_document(s, LOAD_SCHEMA, database, ret, err);
}

int store_reserve_event_ids(Store *s, uint64_t n, uint64_t *ret_first, Error *err)
{
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        uint64_t first = 0;
        int r = STATEMENT(s, RESERVE_EVENTS, &st, err, N(n));

        if (r >= 0)
                r = step(s, st, err);
        if (r == 0)
                return damaged(s, "the counter of events is missing", err);
        if (r > 0) {
                first = (uint64_t) sqlite3_column_int64(st, 0);
                r = step(s, st, err); /* a statement commits with its last step, not with its row */
        }
        if (r < 0)
                return error_prefix(err, "numbering events");
        *ret_first = first;
        return 0;
}

int store_prune(Store *s, unsigned keep, Error *err)
{
        _cleanup_reset_ sqlite3_stmt *st = NULL;
        uint64_t now = clock_wall();
        int r = STATEMENT(s, PRUNE, &st, err, N(keep),
                          N(now > STORE_KEY_USEC ? now - STORE_KEY_USEC : 0));

        if (r >= 0)
                r = step(s, st, err);
        return r < 0 ? error_prefix(err, "deleting old runs") : 0;
}

/* One value of one row, as text. */
static int pragma(const Store *s, const char *sql, char *buf, size_t size, Error *err)
{
        sqlite3_stmt *st = NULL;
        int r = sqlite3_prepare_v2(s->db, sql, -1, &st, NULL);

        if (r != SQLITE_OK)
                return fail(s, r, err);
        r = step(s, st, err);
        if (r > 0)
                (void) snprintf(buf, size, "%s", (const char *) sqlite3_column_text(st, 0));
        (void) sqlite3_finalize(st);
        return r;
}

static int execute(const Store *s, const char *sql, Error *err)
{
        int r = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

        return r == SQLITE_OK ? 0 : fail(s, r, err);
}

static int upgrade(const Store *s, Error *err)
{
        char value[32] = "0", statement_text[64];
        int r = pragma(s, "PRAGMA user_version", value, sizeof value, err);
        int version = (int) strtol(value, NULL, 10);

        if (r < 0)
                return r;
        if (version < 0 || version > N_MIGRATIONS) {
                (void) error_set(err, ERROR_CONFIG,
                                 "%s: has version %d, this pgmigrated knows up to %d", s->path,
                                 version, N_MIGRATIONS);
                return error_hint(err,
                                  "it was written by a newer pgmigrated: run that one, or move the"
                                  " file away and lose the list of past runs");
        }
        for (; version < N_MIGRATIONS; version++) {
                (void) snprintf(statement_text, sizeof statement_text, "PRAGMA user_version = %d",
                                version + 1);
                r = execute(s, "BEGIN IMMEDIATE", err);
                if (r >= 0)
                        r = execute(s, migrations[version], err);
                if (r >= 0)
                        r = execute(s, statement_text, err);
                if (r >= 0)
                        r = execute(s, "COMMIT", err);
                if (r < 0)
                        return error_prefix(err, "upgrading the state to version %d", version + 1);
        }
        return 0;
}

/* Refuses in the words of the operating system, plus who would have to be allowed to do what. */
static int refuse(Error *err, const char *what, const char *path)
{
        int e = errno;

        (void) error_set(err, ERROR_IO, "%s %s: %s", what, path, strerror(e));
        switch (e) {
        case EACCES:
        case EPERM:
                return error_hint(err, "it must be writable for user id %u", (unsigned) geteuid());
        case EROFS:
                return error_hint(err,
                                  "choose a state_directory on a file system that can be written");
        case ENOENT:
                return error_hint(err, "create its parent directory first, or choose another"
                                       " state_directory");
        case ENOTDIR:
                return error_hint(err, "choose another state_directory");
        default:
                return -(int) err->code;
        }
}

static int open_in_use(int fd, const char *directory, Error *err)
{
        char pid[24] = "";
        ssize_t n = pread(fd, pid, sizeof pid - 1, 0);

        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        (void) error_set(err, ERROR_BUSY, "state directory %s is in use by process %s", directory,
                         *pid ? pid : "(unknown)");
        return error_hint(err,
                          "stop that pgmigrated, or give this one a state_directory of its own");
}

/* Takes the lock, which lasts as long as the descriptor, and leaves our pid in the file for others to read. */
static int lock_directory(int *ret, const char *directory, Error *err)
{
        _cleanup_close_ int dir = -1, fd = -1;
        char pid[24];

        if (mkdir(directory, 0700) < 0 && errno != EEXIST)
                return refuse(err, "cannot create state directory", directory);
        dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return refuse(err, "cannot open state directory", directory);
        fd = openat(dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return refuse(err, "cannot create " LOCK_FILE " in state directory", directory);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? open_in_use(fd, directory, err)
                                            : refuse(err, "cannot lock state directory", directory);
        int n = snprintf(pid, sizeof pid, "%ld\n", (long) getpid());
        if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t) n, 0) != n)
                return refuse(err, "cannot write " LOCK_FILE " in state directory", directory);
        *ret = TAKE_FD(fd);
        return 0;
}

/* Creates the file, since SQLite would make it readable for all; its -wal and -shm files get the mode of this one.
 * Closed before SQLite opens it: closing any descriptor of a file drops the process's POSIX locks on it. */
static int create_file(const char *path, Error *err)
{
        /* No O_NOFOLLOW or SQLITE_OPEN_NOFOLLOW: systemd's StateDirectory= is a symbolic link with DynamicUser=. */
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

        return fd < 0 ? refuse(err, "cannot open", path) : 0;
}

static int open_database(Store *s, Error *err)
{
        char value[256] = "";
        int r = create_file(s->path, err);

        if (r < 0)
                return r;
        r = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
        if (r != SQLITE_OK)
                return fail(s, r, err);
        (void) sqlite3_extended_result_codes(s->db, 1);
        (void) sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MSEC);
        r = pragma(s, "PRAGMA journal_mode = WAL", value, sizeof value, err);
        if (r >= 0 && strcmp(value, "wal") != 0)
                return error_set(err, ERROR_IO,
                                 "%s: the file system does not support a write-ahead log", s->path);
        if (r >= 0)
                r = execute(s, "PRAGMA synchronous = FULL", err);
        if (r >= 0)
                r = pragma(s, "PRAGMA quick_check(1)", value, sizeof value, err);
        if (r >= 0 && strcmp(value, "ok") != 0)
                return damaged(s, value, err);
        return r < 0 ? r : upgrade(s, err);
}

int store_open(Store **ret, const char *directory, Error *err)
{
        _cleanup_(store_closep) Store *s = calloc(1, sizeof *s);
        int r;

        if (!s)
                return error_oom(err, "the state store");
        s->lock_fd = -1;
        r = snprintf(s->path, sizeof s->path, "%s/" DATABASE_FILE, directory);
        if (r < 0 || (size_t) r >= sizeof s->path)
                return error_set(err, ERROR_CONFIG, "state_directory is longer than %zu bytes",
                                 sizeof s->path);
        r = lock_directory(&s->lock_fd, directory, err);
        if (r >= 0)
                r = open_database(s, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

Store *store_close(Store *s)
{
        if (!s)
                return NULL;
        for (size_t i = 0; i < _STATEMENT_MAX; i++)
                (void) sqlite3_finalize(s->prepared[i]);
        (void) sqlite3_close(s->db);
        if (s->lock_fd >= 0)
                (void) close(s->lock_fd);
        free(s);
        return NULL;
}
