"""Starting processes as somebody else, and looking at them through /proc."""
import os
import pwd


def as_user(user):
    """The words in front of a command that make it run as user: none when that is who we are, or who we cannot leave."""
    if user is None or os.geteuid() != 0 or user == "root":
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"]


def give_to(path, user):
    """Changes the owner of a file or folder, where we may."""
    if os.geteuid() == 0:
        who = pwd.getpwnam(user)
        os.chown(path, who.pw_uid, who.pw_gid)


def children(pid):
    """All direct and indirect children of pid."""
    parents = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                parents[int(entry)] = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    found = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found - {pid}
        found |= more


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def client_sockets(port):
    """How many sockets of this machine are open, or being opened, towards 127.0.0.1:port. The kernel gives its table in
    pieces, so a socket that was closed and its successor may both be in one reading: two that are open at once are in
    the next readings too. One alone is believed at once, since it may be gone in a millisecond."""
    n = count_client_sockets(port)
    return n if n < 2 else max(1, min(count_client_sockets(port) for _ in range(3)))


def count_client_sockets(port):
    SYN_SENT, ESTABLISHED, CLOSE_WAIT = "02", "01", "08"
    n = 0
    with open("/proc/net/tcp", encoding="ascii") as f:
        next(f)
        for line in f:
            fields = line.split()
            if int(fields[2].split(":")[1], 16) == port and fields[3] in (SYN_SENT, ESTABLISHED, CLOSE_WAIT):
                n += 1
    return n
