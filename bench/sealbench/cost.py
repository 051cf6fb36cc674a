"""What a process has used: CPU from the scheduler's own count, memory as proportional set size."""

import os

from .errors import BenchError


def family(root):
    """The process and all its descendants, by id."""
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                # The command name stands in parentheses and may hold anything.
                parent = int(file.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(children.get(pid, []))
    return found


class Cpu:
    """Nanoseconds on a CPU of each thread of some processes, at one moment.

    `schedstat` rather than `stat`: the latter counts in ticks of 10 ms.
    """

    def __init__(self, pids):
        self.threads = {}
        for pid in pids:
            try:
                tasks = os.listdir(f"/proc/{pid}/task")
            except FileNotFoundError as error:
                raise BenchError(f"the measured process {pid} is gone") from error
            for task in tasks:
                try:
                    with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                        self.threads[pid, task] = int(file.read().split()[0])
                except (FileNotFoundError, ProcessLookupError):
                    # It ended just now. If an earlier reading had it, `since` will say so.
                    continue
        if not self.threads:
            raise BenchError("no thread has a /proc/PID/task/TID/schedstat",
                             "use a kernel with CONFIG_SCHED_INFO")

    def since(self, earlier):
        """Nanoseconds used since an earlier reading, or None when a thread has ended meanwhile,
        for what it used went with it."""
        if not earlier.threads.keys() <= self.threads.keys():
            return None
        return sum(spent - earlier.threads.get(task, 0) for task, spent in self.threads.items())


def pss(pids):
    """Proportional set size in KiB: pages shared between processes are counted once."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total
