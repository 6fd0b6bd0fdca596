"""silent_resolver.py RESOLV_CONF COMMAND...: run under `unshare -mn`, becomes COMMAND where names are never resolved.

The socket on port 53 stays open in COMMAND, unread: queries are accepted by the kernel and that is all."""
import fcntl
import os
import socket
import struct
import subprocess
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def main():
    resolv_conf, *command = sys.argv[1:]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(server, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    server.bind(("127.0.0.1", 53))
    server.set_inheritable(True)
    subprocess.run(["mount", "--bind", resolv_conf, "/etc/resolv.conf"], check=True)
    os.execvp(command[0], command)


main()
