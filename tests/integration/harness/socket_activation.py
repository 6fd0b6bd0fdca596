"""socket_activation.py PORT UNIX_PATH COMMAND...: becomes COMMAND with two listening sockets, as systemd.socket(5) passes them."""
import os
import socket
import sys


def main():
    port, path, *command = sys.argv[1:]
    tcp, local = socket.socket(), socket.socket(socket.AF_UNIX)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind(("127.0.0.1", int(port)))
    local.bind(path)
    for s in (tcp, local):
        s.listen(16)
    high = [os.dup(os.dup2(s.fileno(), 50 + i)) for i, s in enumerate((tcp, local))]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i, inheritable=True)
    os.closerange(5, 256)
    os.environ.update(LISTEN_FDS="2", LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES="http:pgmigrated-local")
    os.execvp(command[0], command)


main()
