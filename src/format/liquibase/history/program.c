#include "format/liquibase/history/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/fiber.h"
#include "util/clock.h"

#define MAX_ARGUMENTS 256
#define KILL_GRACE (5 * USEC_PER_SEC)

/* Whether the list, compared with Java's os.name, has Linux; no list: every system. */
static bool is_for_linux(const char *list)
{
        if (!list || !*list)
                return true;
        while (*list) {
                size_t len = strcspn(list, ","), blank = strspn(list, " \t\n");

                if (blank < len && strncasecmp(list + blank, "linux", 5) == 0 &&
                    strspn(list + blank + 5, " \t\n") == len - blank - 5)
                        return true;
                list += len + (list[len] == ',');
        }
        return false;
}

/* "10s", "5m", "2h", "1d"; a bare number is seconds. */
static int read_timeout(uint64_t *deadline, const char *text, Error *err)
{
        static const struct {
                const char *unit;
                uint64_t usec;
        } units[] = { { "", USEC_PER_SEC },
                      { "s", USEC_PER_SEC },
                      { "m", 60 * USEC_PER_SEC },
                      { "h", 3600 * USEC_PER_SEC },
                      { "d", 86400 * USEC_PER_SEC } };
        char *end;
        unsigned long n;

        *deadline = USEC_INFINITY;
        if (!text)
                return 0;
        n = strtoul(text, &end, 10);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
                if (end > text && n < 1000000 && strcmp(end, units[i].unit) == 0) {
                        *deadline = clock_after(n * units[i].usec);
                        return 0;
                }
        return error_set(err, ERROR_CHANGELOG, "timeout \"%.50s\" is none such as 10s, 5m or 2h",
                         text);
}

static int add_arguments(const char *argv[], const Node *n, size_t *argc, Error *err)
{
        for (const Node *arg = NULL; (arg = node_each(n, "arg", arg));) {
                if (*argc == MAX_ARGUMENTS)
                        return error_set(err, ERROR_CHANGELOG, "more than %d arguments",
                                         MAX_ARGUMENTS);
                argv[(*argc)++] = node_text(arg, "value") ?: "";
        }
        return 0;
}

/* What it prints goes where the log goes. */
static int start(pid_t *pid, const char *const *argv, Error *err)
{
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attributes;
        sigset_t none;
        int r;

        (void) sigemptyset(&none);
        (void) posix_spawn_file_actions_init(&files);
        (void) posix_spawnattr_init(&attributes);
        (void) posix_spawnattr_setsigmask(&attributes, &none);
        (void) posix_spawnattr_setpgroup(&attributes, 0);
        (void) posix_spawnattr_setflags(&attributes,
                                        POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
        r = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawnp(pid, argv[0], &files, &attributes,
                                 (char *const *) (uintptr_t) argv, environ);
        (void) posix_spawn_file_actions_destroy(&files);
        (void) posix_spawnattr_destroy(&attributes);
        return r == 0 ? 0
                      : error_set(err, ERROR_SQL, "executeCommand %s: %s", argv[0], strerror(r));
}

static int judge(const char *program, int status, Error *err)
{
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        if (WIFEXITED(status))
                return error_set(err, ERROR_SQL, "executeCommand %s ended with status %d", program,
                                 WEXITSTATUS(status));
        return error_set(err, ERROR_SQL, "executeCommand %s was ended by signal %d", program,
                         WTERMSIG(status));
}

/* With what it has started; one that cannot even be killed is left to itself. */
static void end_program(pid_t pid, int fd)
{
        _cleanup_(fiber_shield_end) FiberShield shield = fiber_shield_begin();
        Error ignored;

        (void) kill(-pid, SIGKILL);
        if (fd >= 0)
                (void) fiber_wait_fd(fd, EPOLLIN, clock_after(KILL_GRACE), &ignored);
}

static int wait_for(pid_t pid, const char *program, uint64_t deadline, Error *err)
{
        int fd = pidfd_open(pid, 0), status = 0, r;

        if (fd < 0)
                r = error_set(err, ERROR_INTERNAL, "pidfd_open: %m");
        else
                r = fiber_wait_fd(fd, EPOLLIN, deadline, err);
        if (r < 0)
                end_program(pid, fd);
        while (waitpid(pid, &status, r < 0 ? WNOHANG : 0) < 0 && errno == EINTR)
                ;
        if (fd >= 0)
                (void) close(fd);
        if (r == -(int) ERROR_TIMEOUT)
                return error_set(err, ERROR_SQL,
                                 "executeCommand %s did not end in time and was killed", program);
        return r < 0 ? r : judge(program, status, err);
}

int program_run(const Change *c, Error *err)
{
        const char *argv[MAX_ARGUMENTS + 1] = { object_text(&c->fields, "executable") };
        const Node *args = node_child(c->node, "args");
        uint64_t deadline;
        size_t argc = 1;
        pid_t pid;
        int r = 0;

        if (!is_for_linux(node_text(c->node, "os")))
                return 0;
        r = read_timeout(&deadline, object_text(&c->fields, "timeout"), err);
        if (r >= 0)
                r = add_arguments(argv, c->node, &argc, err);
        if (r >= 0 && args)
                r = add_arguments(argv, args, &argc, err);
        if (r >= 0)
                r = start(&pid, argv, err);
        if (r >= 0)
                r = wait_for(pid, argv[0], deadline, err);
        return r < 0 ? error_at(err, c->set->file->physical, c->node->line, 0) : 0;
}
