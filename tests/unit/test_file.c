#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "torture.h"
#include "util/file.h"
#include "util/text.h"

#define MIB ((size_t) 1024 * 1024)
#define NOBODY 65534

/* A folder of its own for each test; the test runs in it. */
static char root[64];

static int setup(void **state)
{
        (void) state;
        (void) snprintf(root, sizeof root, "/tmp/test_file.XXXXXX");
        return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int remove_one(const char *name, const struct stat *st, int flag, struct FTW *ftw)
{
        (void) st;
        (void) flag;
        (void) ftw;
        return remove(name);
}

static int teardown(void **state)
{
        (void) state;
        return chdir("/") < 0 ? -1 : nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *name, const char *content)
{
        _cleanup_close_ int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, content, strlen(content)), strlen(content));
}

static void make_folder(const char *name)
{
        assert_return_code(mkdir(name, 0755), errno);
}

static void make_link(const char *target, const char *name)
{
        assert_return_code(symlink(target, name), errno);
}

/* Copied, copied, mapped with the end within a page, mapped with the end on one. */
static void test_view_sizes(void **state)
{
        static const size_t sizes[] = { 0, 1, 4096, MIB, MIB + 1, 2 * MIB };

        (void) state;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
                _cleanup_file_view_ FileView v = { 0 };
                Error err;

                put("f", "");
                assert_return_code(truncate("f", (off_t) sizes[i]), errno);
                if (sizes[i] > 0) {
                        _cleanup_close_ int fd = open("f", O_WRONLY | O_CLOEXEC);

                        assert_int_equal(pwrite(fd, "z", 1, (off_t) sizes[i] - 1), 1);
                }
                assert_int_equal(file_view_open(&v, AT_FDCWD, "f", "f", &err), 0);
                assert_int_equal(v.size, sizes[i]);
                assert_int_equal(v.data[v.size], '\0');
                assert_true((v.map_size > 0) == (sizes[i] > MIB));
                if (sizes[i] > 0)
                        assert_int_equal(v.data[v.size - 1], 'z');
        }
}

static void test_view_relative(void **state)
{
        _cleanup_close_ int dir = -1;
        _cleanup_file_view_ FileView v = { 0 };
        Error err;

        (void) state;
        make_folder("sub");
        put("sub/a.sql", "select 1;");
        dir = open("sub", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(file_view_open(&v, dir, "a.sql", "sub/a.sql", &err), 0);
        assert_string_equal(v.data, "select 1;");
        file_view_done(&v);
        assert_null(v.data);
        assert_int_equal(file_view_open(&v, dir, "b.sql", "sub/b.sql", &err), -ERROR_CHANGELOG);
        assert_string_equal(err.text, "sub/b.sql: cannot open: No such file or directory");
        assert_string_equal(err.path, "sub/b.sql");
        assert_true(err.hint[0]);
}

static void test_view_refuses(void **state)
{
        static const struct {
                const char *name, *text;
        } cases[] = {
                { "folder", "folder: not a regular file" },
                { "fifo", "fifo: not a regular file" },
                { "/dev/null", "/dev/null: not a regular file" },
                { "loop", "loop: cannot open: Too many levels of symbolic links" },
                { "file/x", "file/x: cannot open: Not a directory" },
        };
        FileView v = { 0 };
        Error err;

        (void) state;
        make_folder("folder");
        put("file", "");
        make_link("loop", "loop");
        assert_return_code(mkfifo("fifo", 0644), errno);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                assert_int_equal(file_view_open(&v, AT_FDCWD, cases[i].name, cases[i].name, &err),
                                 -ERROR_CHANGELOG);
                assert_string_equal(err.text, cases[i].text);
                assert_true(err.hint[0]);
                assert_null(v.data);
        }
}

static void test_read_text(void **state)
{
        _cleanup_free_ char *s = NULL;
        Error err;

        (void) state;
        put("f", "12345");
        assert_int_equal(file_read_text(&s, "f", 4, &err), -ERROR_CONFIG);
        assert_string_equal(err.text, "f: larger than 4 bytes");
        assert_null(s);
        assert_int_equal(file_read_text(&s, "f", 5, &err), 0);
        assert_string_equal(s, "12345");
        free(TAKE_PTR(s));
        assert_int_equal(file_read_text(&s, "/proc/self/comm", 64, &err), 0); /* st_size is 0 */
        assert_true(strlen(s) > 1);
        free(TAKE_PTR(s));
        assert_int_equal(file_read_text(&s, ".", 64, &err), -ERROR_CONFIG);
        assert_string_equal(err.text, ".: not a regular file");
}

/* -- walking -- */

static int collect(const char *relative, void *userdata, Error *err)
{
        Text *t = userdata;

        if (strcmp(relative, "stop") == 0)
                return error_set(err, ERROR_SQL, "stopped");
        text_printf(t, "%s ", relative);
        return 7; /* what is not negative goes on and does not come back */
}

static void test_walk_order(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);
        Error err;

        (void) state;
        make_folder("m");
        make_folder("m/b");
        make_folder("m/b/c");
        make_folder("m/.git");
        make_folder("elsewhere");
        put("m/a10.sql", "");
        put("m/a2.sql", "");
        put("m/Z.sql", "");
        put("m/\xc3\xa4.sql", "");
        put("m/.hidden", "");
        put("m/b/1", "");
        put("m/b/c/1", "");
        put("m/c", "");
        put("m/.git/config", "");
        put("elsewhere/x", "");
        make_link("../elsewhere", "m/linked");
        make_link("../elsewhere/x", "m/y");
        make_link("nowhere", "m/.#lock"); /* as editors make them */
        assert_return_code(mkfifo("m/fifo", 0644), errno);
        assert_int_equal(file_walk("m", collect, &t, &err), 0);
        assert_string_equal(text_str(&t), ".hidden Z.sql a10.sql a2.sql b/1 b/c/1 c linked/x y "
                                          "\xc3\xa4.sql ");
        text_clear(&t);
        assert_int_equal(file_walk("m/b//", collect, &t, &err), 0);
        assert_string_equal(text_str(&t), "1 c/1 ");
        text_clear(&t);
        make_link("m/b", "to_root");
        assert_int_equal(file_walk("to_root", collect, &t, &err), 0);
        assert_string_equal(text_str(&t), "1 c/1 ");
}

static void test_walk_stops(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);
        Error err;

        (void) state;
        make_folder("m");
        put("m/a", "");
        put("m/stop", "");
        put("m/z", "");
        assert_int_equal(file_walk("m", collect, &t, &err), -ERROR_SQL);
        assert_string_equal(err.text, "stopped");
        assert_string_equal(text_str(&t), "a ");
}

static void test_walk_refuses(void **state)
{
        static const struct {
                const char *root, *text;
        } cases[] = {
                { "", ": not a usable folder name" },
                { "none", "none: cannot open the folder: No such file or directory" },
                { "file", "file: cannot open the folder: Not a directory" },
                { "dangling", "dangling/x.sql: symbolic link to a file that does not exist" },
                { "self", "self/x.sql: cannot stat: Too many levels of symbolic links" },
        };
        _cleanup_text_ Text t = TEXT_INIT(4096);
        Error err;

        (void) state;
        put("file", "");
        make_folder("dangling");
        make_link("nowhere", "dangling/x.sql");
        make_folder("self");
        make_link("x.sql", "self/x.sql");
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
                assert_int_equal(file_walk(cases[i].root, collect, &t, &err), -ERROR_CHANGELOG);
                assert_string_equal(err.text, cases[i].text);
                assert_true(err.hint[0]);
        }
        assert_string_equal(text_str(&t), "");
}

/* Two loops side by side would be 2^32 folders, were the first not an error. */
static void test_walk_loop(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);
        Error err;

        (void) state;
        make_folder("m");
        make_link(".", "m/a");
        make_link(".", "m/b");
        assert_int_equal(file_walk("m", collect, &t, &err), -ERROR_CHANGELOG);
        assert_non_null(strstr(err.text, "/a: folders are nested more than 32 deep"));
        assert_non_null(strstr(err.hint, "symbolic link"));
}

static void test_walk_depth(void **state)
{
        char name[256] = "d";
        _cleanup_text_ Text t = TEXT_INIT(4096);
        Error err;

        (void) state;
        make_folder(name);
        for (unsigned i = 0; i < 32; i++) {
                (void) strcat(name, "/d");
                make_folder(name);
        }
        (void) strcat(name, "/f");
        put(name, "");
        assert_int_equal(file_walk("d", collect, &t, &err), 0);
        assert_int_equal(t.len, strlen(name) - 2 + 1);
        (void) strcpy(name + strlen(name) - 1, "d");
        make_folder(name);
        assert_int_equal(file_walk("d", collect, &t, &err), -ERROR_CHANGELOG);
}

static void test_unreadable(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);
        FileView v = { 0 };
        Error err;

        (void) state;
        make_folder("m");
        make_folder("m/locked");
        put("m/secret", "");
        assert_return_code(chmod(root, 0755), errno);
        assert_return_code(chmod("m/locked", 0), errno);
        assert_return_code(chmod("m/secret", 0), errno);
        if (geteuid() == 0)
                assert_return_code(seteuid(NOBODY), errno);
        assert_int_equal(file_walk("m", collect, &t, &err), -ERROR_CHANGELOG);
        assert_string_equal(err.text, "m/locked: cannot open the folder: Permission denied");
        assert_string_equal(err.path, "m/locked");
        assert_true(err.hint[0]);
        assert_int_equal(file_view_open(&v, AT_FDCWD, "m/secret", "m/secret", &err),
                         -ERROR_CHANGELOG);
        assert_string_equal(err.text, "m/secret: cannot open: Permission denied");
        if (getuid() == 0)
                assert_return_code(seteuid(0), errno);
        assert_return_code(chmod("m/locked", 0755), errno);
}

static void test_torture(void **state)
{
        _cleanup_text_ Text t = TEXT_INIT(4096);
        Error err;
        int r = -1;
        unsigned n;

        (void) state;
        make_folder("m");
        make_folder("m/b");
        put("m/a", "");
        put("m/b/c", "");
        text_printf(&t, "%500s", ""); /* so that the visitor allocates nothing */
        for (n = 1; r < 0; n++) {
                torture_fail_nth(n);
                r = file_walk("m", collect, &t, &err);
                torture_off();
                assert_true(r == 0 || r == -ERROR_OOM);
        }
        assert_int_equal(n, 7); /* two arrays and three names */
        r = -1;
        for (n = 1; r < 0; n++) {
                _cleanup_file_view_ FileView v = { 0 };

                torture_fail_nth(n);
                r = file_view_open(&v, AT_FDCWD, "m/a", "m/a", &err);
                torture_off();
                assert_true(r == 0 || r == -ERROR_OOM);
        }
        assert_int_equal(n, 3);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                ROW(test_view_sizes),   ROW(test_view_relative), ROW(test_view_refuses),
                ROW(test_read_text),    ROW(test_walk_order),    ROW(test_walk_stops),
                ROW(test_walk_refuses), ROW(test_walk_loop),     ROW(test_walk_depth),
                ROW(test_unreadable),   ROW(test_torture),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
