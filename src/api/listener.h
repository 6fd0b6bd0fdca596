#pragma once
/* Listening sockets: our own, and those that systemd hands over. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "util/error.h"

#define LISTENER_HOST_MAX 64

typedef struct ListenerIdentity {
        dev_t dev;
        ino_t ino;
        int64_t changed; /* ctime in ns */
} ListenerIdentity;

typedef struct Listener {
        int fd;
        bool unix_socket;
        char *path;                /* a Unix socket that we made, and remove ... */
        ListenerIdentity identity; /* ... if it is still this one */
} Listener;

/* "127.0.0.1:8080", "[::1]:8080", "localhost:0". ERROR_CONFIG names the option `listen` for anything but loopback. host gets
 * the address without port. */
int listener_open_tcp(Listener *ret, char host[LISTENER_HOST_MAX], const char *listen_address,
                      Error *err);
/* Mode 0660. A socket that nobody listens on any more is replaced; one that answers is an error. */
int listener_open_unix(Listener *ret, const char *path, Error *err);
/* Sockets passed by systemd whose name (FileDescriptorName=) is "http" or starts with "pgmigrated". Returns how many. */
int listener_inherit(Listener *ret, size_t max, Error *err);
unsigned listener_port(const Listener *l); /* 0 for Unix sockets */
void listener_close(Listener *l);
