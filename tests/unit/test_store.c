#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "util/clock.h"

#define FILE_NAME "/pgmigrated.sqlite3"

typedef struct Fixture {
        char directory[64], file[128];
        Store *store;
        Error err;
} Fixture;

static int setup(void **state)
{
        Fixture *f = calloc(1, sizeof *f);

        if (!f)
                return -1;
        (void) snprintf(f->directory, sizeof f->directory, "/tmp/pgmigrated-test-store-XXXXXX");
        *state = f;
        if (!mkdtemp(f->directory))
                return -1;
        (void) snprintf(f->file, sizeof f->file, "%s" FILE_NAME, f->directory);
        return store_open(&f->store, f->directory, &f->err);
}

static int teardown(void **state)
{
        static const char *const names[] = { FILE_NAME, FILE_NAME "-wal", FILE_NAME "-shm",
                                             "/pgmigrated.lock" };
        Fixture *f = *state;
        char path[256];

        (void) store_close(f->store);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                (void) snprintf(path, sizeof path, "%s%s", f->directory, names[i]);
                (void) unlink(path);
        }
        if (rmdir(f->directory) < 0)
                return -1;
        free(f);
        return 0;
}

static void reopen(Fixture *f)
{
        f->store = store_close(f->store);
        assert_return_code(store_open(&f->store, f->directory, &f->err), 0);
}

static void save(Fixture *f, const char *id, const char *database, const char *state,
                 uint64_t created, const char *key)
{
        json_t *document =
                json_pack("{s:s, s:s, s:s}", "id", id, "database", database, "state", state);
        int r = store_save_run(f->store, id, database, state, created, key, document, &f->err);

        json_decref(document);
        assert_return_code(r, 0);
}

/* The ids in the list, joined by spaces; takes the list. */
static const char *ids(json_t *list)
{
        static char text[256];
        size_t i;
        json_t *run;

        text[0] = '\0';
        json_array_foreach(list, i, run)
        {
                size_t n = strlen(text);
                (void) snprintf(text + n, sizeof text - n, "%s%s", i ? " " : "",
                                json_string_value(json_object_get(run, "id")));
        }
        json_decref(list);
        return text;
}

static const char *list(Fixture *f, const char *database, const char *state, const char *before,
                        unsigned limit)
{
        json_t *runs = NULL;

        assert_return_code(
                store_list_runs(f->store, database, state, before, limit, &runs, &f->err), 0);
        return ids(runs);
}

static const char *unfinished(Fixture *f)
{
        json_t *runs = NULL;

        assert_return_code(store_unfinished_runs(f->store, &runs, &f->err), 0);
        return ids(runs);
}

static void test_runs_survive_reopening(void **state)
{
        Fixture *f = *state;
        json_t *run = NULL;

        save(f, "a", "app", "queued", 1, NULL);
        save(f, "a", "app", "succeeded", 1, NULL);
        reopen(f);
        assert_int_equal(store_load_run(f->store, "a", &run, &f->err), 1);
        assert_string_equal(json_string_value(json_object_get(run, "state")), "succeeded");
        json_decref(run);
        assert_int_equal(store_load_run(f->store, "b", &run, &f->err), 0);
        assert_string_equal(list(f, NULL, NULL, NULL, 10), "a"); /* replaced, not added */
}

static void test_odd_text_is_kept(void **state)
{
        static const char reason[] = "'; DROP TABLE runs; -- \"\\ \n äöü 🐘";
        Fixture *f = *state;
        json_t *document = json_pack("{s:s, s:s, s:I}", "id", "a'b", "reason", reason, "big",
                                     (json_int_t) INT64_MAX),
               *run = NULL;

        assert_return_code(
                store_save_run(f->store, "a'b", reason, "queued", 1, reason, document, &f->err), 0);
        assert_int_equal(store_load_run(f->store, "a'b", &run, &f->err), 1);
        int same = json_equal(run, document);
        json_decref(run);
        json_decref(document);
        assert_true(same);
        assert_string_equal(list(f, reason, NULL, NULL, 1), "a'b");
}

static void test_lists(void **state)
{
        static const struct {
                const char *database, *state, *before;
                unsigned limit;
                const char *ids;
        } cases[] = {
                { NULL, NULL, NULL, 1000, "e d c b a" },
                { NULL, NULL, NULL, 2, "e d" },
                { "app", NULL, NULL, 10, "d b a" },
                { NULL, "failed", NULL, 10, "d c" },
                { "app", "failed", NULL, 10, "d" },
                { NULL, NULL, "d", 10, "c b a" },
                { "app", NULL, "c", 10, "b a" }, /* a run of another database is a place too */
                { NULL, NULL, "a", 10, "" },
                { "none", NULL, NULL, 10, "" },
        };
        Fixture *f = *state;

        /* The clock was set back between b and c: the order is that of saving all the same. */
        save(f, "a", "app", "queued", 100, NULL);
        save(f, "b", "app", "succeeded", 200, NULL);
        save(f, "c", "other", "failed", 50, NULL);
        save(f, "d", "app", "failed", 60, NULL);
        save(f, "e", "other", "applying", 70, NULL);
        save(f, "a", "app", "waking", 100, NULL); /* saved again: keeps its place */
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
                assert_string_equal(
                        list(f, cases[i].database, cases[i].state, cases[i].before, cases[i].limit),
                        cases[i].ids);
        assert_string_equal(unfinished(f), "a e");
}

static void test_bad_lists(void **state)
{
        Fixture *f = *state;
        json_t *runs = NULL;

        assert_int_equal(store_list_runs(f->store, NULL, NULL, "nope", 1, &runs, &f->err),
                         -ERROR_NOT_FOUND);
        assert_string_equal(f->err.text, "no run nope to list the older ones of");
        assert_int_equal(store_list_runs(f->store, NULL, NULL, NULL, 0, &runs, &f->err),
                         -ERROR_BAD_REQUEST);
        assert_int_equal(store_list_runs(f->store, NULL, NULL, NULL, 1001, &runs, &f->err),
                         -ERROR_BAD_REQUEST);
        assert_string_equal(f->err.text, "limit: 1001 is not between 1 and 1000");
        assert_null(runs);
}

static void test_finished_states(void **state)
{
        static const struct {
                const char *state;
                bool finished;
        } cases[] = {
                { "queued", false },   { "waking", false },     { "locking", false },
                { "planning", false }, { "applying", false },   { "interrupted", false },
                { "succeeded", true }, { "failed", true },      { "refused", true },
                { "cancelled", true }, { "unavailable", true },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                save(f, "x", "app", cases[i].state, 1, NULL);
                assert_string_equal(unfinished(f), cases[i].finished ? "" : "x");
        }
}

static void test_idempotency_keys(void **state)
{
        Fixture *f = *state;
        char id[RUN_ID_MAX] = "";

        save(f, "a", "app", "queued", 100, "key");
        save(f, "b", "app", "queued", 200, "key");
        save(f, "c", "app", "queued", 300, NULL);
        save(f, "a", "app", "succeeded", 100, NULL); /* without a key: keeps the one it has */
        reopen(f);
        assert_int_equal(store_find_idempotency_key(f->store, "key", 100, id, &f->err), 1);
        assert_string_equal(id, "a");
        assert_int_equal(store_find_idempotency_key(f->store, "key", 101, id, &f->err), 1);
        assert_string_equal(id, "b");
        assert_int_equal(store_find_idempotency_key(f->store, "key", 201, id, &f->err), 0);
        assert_int_equal(store_find_idempotency_key(f->store, "KEY", 0, id, &f->err), 0);
}

static void test_prune(void **state)
{
        Fixture *f = *state;
        uint64_t now = clock_wall();

        save(f, "a", "app", "applying", 1, NULL); /* unfinished: stays, and does not count */
        save(f, "b", "app", "succeeded", now, "young");
        save(f, "c", "app", "failed", 1, "old");
        save(f, "d", "app", "refused", 1, NULL);
        save(f, "e", "app", "cancelled", 1, NULL);
        save(f, "f", "other", "succeeded", 1, NULL);
        save(f, "g", "app", "succeeded", 1, NULL);
        assert_return_code(store_prune(f->store, 2, &f->err), 0);
        assert_string_equal(list(f, NULL, NULL, NULL, 10), "g f e b a");
        assert_return_code(store_prune(f->store, 0, &f->err), 0);
        assert_string_equal(list(f, NULL, NULL, NULL, 10), "b a");
        save(f, "h", "app", "queued", 1, NULL); /* places are not used twice */
        assert_string_equal(list(f, NULL, NULL, NULL, 10), "h b a");
}

static void test_schemas(void **state)
{
        Fixture *f = *state;
        json_t *schema = NULL;

        assert_int_equal(store_load_schema(f->store, "app", &schema, &f->err), 0);
        for (int i = 0; i < 2; i++) {
                schema = json_pack("{s:i}", "applied", i);
                int r = store_save_schema(f->store, "app", schema, &f->err);
                json_decref(schema);
                assert_return_code(r, 0);
        }
        reopen(f);
        assert_int_equal(store_load_schema(f->store, "app", &schema, &f->err), 1);
        assert_int_equal(json_integer_value(json_object_get(schema, "applied")), 1);
        json_decref(schema);
}

static void test_snapshots(void **state)
{
        Fixture *f = *state;
        json_t *snapshot = NULL;

        assert_int_equal(store_load_snapshot(f->store, "app", &snapshot, &f->err), 0);
        for (int i = 0; i < 2; i++) {
                snapshot = json_pack("{s:i}", "server", i);
                assert_return_code(store_save_snapshot(f->store, "app", snapshot, &f->err), 0);
                json_decref(snapshot);
        }
        reopen(f);
        assert_int_equal(store_load_snapshot(f->store, "other", &snapshot, &f->err), 0);
        assert_int_equal(store_load_schema(f->store, "app", &snapshot, &f->err), 0);
        assert_int_equal(store_load_snapshot(f->store, "app", &snapshot, &f->err), 1);
        assert_int_equal(json_integer_value(json_object_get(snapshot, "server")), 1);
        json_decref(snapshot);
}

static void test_event_ids(void **state)
{
        Fixture *f = *state;
        uint64_t first = 0;

        assert_return_code(store_reserve_event_ids(f->store, 100, &first, &f->err), 0);
        assert_int_equal(first, 1);
        assert_return_code(store_reserve_event_ids(f->store, 1, &first, &f->err), 0);
        assert_int_equal(first, 101);
        reopen(f);
        assert_return_code(store_reserve_event_ids(f->store, 5, &first, &f->err), 0);
        assert_int_equal(first, 102);
}

static void test_second_opener(void **state)
{
        Fixture *f = *state;
        Store *second = NULL;
        char expected[128];

        (void) snprintf(expected, sizeof expected, "state directory %s is in use by process %ld",
                        f->directory, (long) getpid());
        assert_int_equal(store_open(&second, f->directory, &f->err), -ERROR_BUSY);
        assert_null(second);
        assert_string_equal(f->err.text, expected);
        assert_non_null(strstr(f->err.hint, "state_directory"));
        save(f, "a", "app", "queued", 1, NULL); /* the first one is none the worse */
}

static void test_killed_holder_leaves_no_lock(void **state)
{
        Fixture *f = *state;
        int status;

        f->store = store_close(f->store);
        pid_t pid = fork();
        if (pid == 0) {
                save(f, "a", "app", "queued", 1,
                     store_open(&f->store, f->directory, &f->err) < 0 ? "x" : NULL);
                (void) raise(SIGKILL);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_return_code(store_open(&f->store, f->directory, &f->err), 0);
        assert_string_equal(unfinished(f), "a");
}

/* What may have become of the file while nobody had it open, and what we say. */
static void overwrite(const char *file, off_t at, const char *text)
{
        int fd = open(file, O_WRONLY | O_CLOEXEC);

        assert_return_code(fd, 0);
        assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
        (void) close(fd);
}

static void refused(Fixture *f, ErrorCode code, const char *text, const char *hint)
{
        f->err = (Error){ 0 };
        assert_int_equal(store_open(&f->store, f->directory, &f->err), -(int) code);
        assert_null(f->store);
        assert_non_null(strstr(f->err.text, f->directory));
        assert_non_null(strstr(f->err.text, text));
        assert_non_null(strstr(f->err.hint, hint));
}

static void test_damaged_file(void **state)
{
        Fixture *f = *state;

        save(f, "a", "app", "queued", 1, NULL);
        f->store = store_close(f->store);
        overwrite(f->file, 4096 + 5, "not a page of a b-tree, whatever it is");
        refused(f, ERROR_IO, FILE_NAME ": ", "move it away");
        overwrite(f->file, 0, "this was a database");
        refused(f, ERROR_IO, "not a database", "move it away");
        assert_return_code(unlink(f->file), 0);
        assert_return_code(store_open(&f->store, f->directory, &f->err), 0);
        assert_string_equal(unfinished(f), "");
}

static void test_newer_file(void **state)
{
        Fixture *f = *state;
        sqlite3 *db;

        f->store = store_close(f->store);
        assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
        int r = sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL);
        (void) sqlite3_close(db);
        assert_int_equal(r, SQLITE_OK);
        refused(f, ERROR_CONFIG, "has version 99", "newer pgmigrated");
}

static void test_damaged_document(void **state)
{
        Fixture *f = *state;
        json_t *run = NULL;
        sqlite3 *db;

        save(f, "a", "app", "queued", 1, NULL);
        assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
        int r = sqlite3_exec(db, "UPDATE runs SET document = '{'", NULL, NULL, NULL);
        (void) sqlite3_close(db);
        assert_int_equal(r, SQLITE_OK);
        assert_int_equal(store_load_run(f->store, "a", &run, &f->err), -ERROR_IO);
        assert_non_null(strstr(f->err.text, "reading run a: "));
        assert_int_equal(store_unfinished_runs(f->store, &run, &f->err), -ERROR_IO);
        assert_null(run);
}

static void test_locked_by_a_shell(void **state)
{
        Fixture *f = *state;
        uint64_t first = 7;
        sqlite3 *db;

        assert_int_equal(sqlite3_open(f->file, &db), SQLITE_OK);
        (void) sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        int r = store_reserve_event_ids(f->store, 1, &first, &f->err);
        (void) sqlite3_close(db);
        assert_int_equal(r, -ERROR_BUSY);
        assert_int_equal(first, 7);
        assert_return_code(store_reserve_event_ids(f->store, 1, &first, &f->err), 0);
        assert_int_equal(first, 1);
}

static void test_removed_file(void **state)
{
        Fixture *f = *state;
        json_t *document = json_object();
        int r;

        assert_return_code(unlink(f->file), 0);
        r = store_save_run(f->store, "1", "app", "queued", 1, NULL, document, &f->err);
        assert_int_equal(r, -ERROR_IO);
        assert_non_null(strstr(f->err.text, "removed"));
        reopen(f);
        r = store_save_run(f->store, "1", "app", "queued", 1, NULL, document, &f->err);
        assert_return_code(r, 0);
        json_decref(document);
}

static void test_private_files(void **state)
{
        Fixture *f = *state;
        char nested[160];
        struct stat st;
        Store *s = NULL;

        assert_return_code(stat(f->file, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        (void) snprintf(nested, sizeof nested, "%s/no/such", f->directory);
        assert_int_equal(store_open(&s, nested, &f->err), -ERROR_IO);
        assert_non_null(strstr(f->err.text, "/no/such: No such file or directory"));
        assert_non_null(strstr(f->err.hint, "parent"));
        assert_int_equal(store_open(&s, f->file, &f->err), -ERROR_IO);
        assert_non_null(strstr(f->err.text, "Not a directory"));
        (void) snprintf(nested, sizeof nested, "%s/new", f->directory);
        assert_return_code(store_open(&s, nested, &f->err), 0);
        (void) store_close(s);
        assert_return_code(stat(nested, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        (void) snprintf(nested, sizeof nested, "%s/new" FILE_NAME, f->directory);
        (void) unlink(nested);
        (void) snprintf(nested, sizeof nested, "%s/new/pgmigrated.lock", f->directory);
        (void) unlink(nested);
        (void) snprintf(nested, sizeof nested, "%s/new", f->directory);
        assert_return_code(rmdir(nested), 0);
}

/* root may write everywhere, so the child steps down; what it finds comes back as its exit status. */
static void test_unwritable_directory(void **state)
{
        Fixture *f = *state;
        int status;

        f->store = store_close(f->store);
        assert_return_code(chmod(f->directory, 0555), 0);
        pid_t pid = fork();
        if (pid == 0) {
                bool fine = (geteuid() != 0 || setuid(65534) == 0) &&
                            store_open(&f->store, f->directory, &f->err) == -ERROR_IO &&
                            strstr(f->err.text, "Permission denied") &&
                            strstr(f->err.text, f->directory) &&
                            strstr(f->err.hint, "writable for user id");
                _exit(fine ? 0 : 1);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_return_code(chmod(f->directory, 0700), 0);
        assert_int_equal(status, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                CASE(test_runs_survive_reopening),
                CASE(test_odd_text_is_kept),
                CASE(test_lists),
                CASE(test_bad_lists),
                CASE(test_finished_states),
                CASE(test_idempotency_keys),
                CASE(test_prune),
                CASE(test_schemas),
                CASE(test_snapshots),
                CASE(test_event_ids),
                CASE(test_second_opener),
                CASE(test_killed_holder_leaves_no_lock),
                CASE(test_damaged_file),
                CASE(test_newer_file),
                CASE(test_damaged_document),
                CASE(test_locked_by_a_shell),
                CASE(test_removed_file),
                CASE(test_private_files),
                CASE(test_unwritable_directory),
        };

        return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
