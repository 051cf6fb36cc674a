"""What a process has open: its descriptors, told apart."""

import os
from collections import Counter

from ..errors import BenchError

ESTABLISHED, CLOSE_WAIT, LISTEN = 0x01, 0x08, 0x0A


def parse(text):
    """Local port, remote port, state and inode of each socket of a /proc/PID/net/tcp."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        local, remote = (int(field.rpartition(":")[2], 16) for field in fields[1:3])
        yield local, remote, int(fields[3], 16), int(fields[9])


def kinds(sockets, inodes, own_port, app_port):
    """Counts the sockets of a process: `inodes` are those its descriptors refer to.

    A socket that is in no table has been closed by the kernel and not by its owner: `dead`, as
    is one to the app that the app has closed. Of those some may be there at any moment.
    """
    found, known = Counter(), set()
    for local, remote, state, inode in sockets:
        if inode not in inodes or inode in known:
            continue
        known.add(inode)
        if state == LISTEN:
            found["listening"] += 1
        elif local == own_port:
            found["clients"] += 1
        elif remote == app_port:
            found["dead" if state == CLOSE_WAIT else "app"] += 1
        else:
            found["other"] += 1
    found["dead"] += len(inodes - known)
    return found


def open_files(pid, own_port, app_port):
    """How many descriptors of each kind the process has; `all` of them together."""
    inodes, rest = set(), 0
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                link = os.readlink(f"/proc/{pid}/fd/{name}")
            except FileNotFoundError:
                continue
            if link.startswith("socket:["):
                inodes.add(int(link[8:-1]))
            else:
                rest += 1
        tables = []
        for name in ("tcp", "tcp6"):
            with open(f"/proc/{pid}/net/{name}") as file:
                tables += parse(file.read())
        with open(f"/proc/{pid}/net/unix") as file:
            unix = {int(line.split()[6]) for line in file.read().splitlines()[1:]}
    except FileNotFoundError as error:
        raise BenchError(f"the gateway (process {pid}) is gone") from error
    found = kinds(tables, inodes - unix, own_port, app_port)
    found["files"] = rest + len(inodes & unix)
    found["all"] = rest + len(inodes)
    return found
