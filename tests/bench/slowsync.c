/* LD_PRELOAD for a PostgreSQL server: each fdatasync(), so each flush of the WAL, takes SLOWSYNC_US longer. Stands for the commits of
 * network disks. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int fdatasync(int fd)
{
        static int (*real)(int);
        static long us;

        if (!real) {
                const char *setting = getenv("SLOWSYNC_US");

                real = (int (*)(int)) dlsym(RTLD_NEXT, "fdatasync");
                us = setting ? strtol(setting, NULL, 10) : 0;
        }
        (void) nanosleep(
                &(struct timespec){ .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 }, NULL);
        return real(fd);
}
