/* timerun OUT COMMAND...: runs the command and writes its wall time, CPU time and peak memory to OUT as JSON. Linked statically and
 * small, for the kernel counts what a process had before it executed the command into the command's peak. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
        return (double) t.tv_sec + (double) t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
        double began = now(), wall;
        struct rusage usage;
        int status = 0;
        pid_t pid;
        FILE *out;

        if (argc < 3)
                return 64;
        pid = fork();
        if (pid == 0) {
                (void) execvp(argv[2], argv + 2);
                _exit(127);
        }
        if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
                return 70;
        wall = now() - began;
        out = fopen(argv[1], "w");
        if (!out)
                return 74;
        (void) fprintf(out, "{\"wall\": %.6f, \"cpu\": %.6f, \"rss_kb\": %ld}\n", wall,
                       seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
        return fclose(out) == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 70;
}
