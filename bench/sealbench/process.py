"""Processes of ours: pinned to a core, watched, and ended by their ids, whatever happens."""

import ctypes
import os
import resource
import signal
import socket
import subprocess
import threading
import time

from .errors import BenchError
from .scene import FD_LIMIT

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _before_exec(core):
    parent = os.getpid()

    def act():
        # Even a killed run must leave nothing behind.
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        os.sched_setaffinity(0, {core})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        limit = FD_LIMIT if hard == resource.RLIM_INFINITY else min(FD_LIMIT, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    return act


def spawn(command, core, log, env=None, **pipes):
    """Starts a process on one core, in a process group of its own, its errors in a log file."""
    with open(log, "ab") as errors:
        pipes.setdefault("stdin", subprocess.DEVNULL)
        pipes.setdefault("stdout", errors)
        try:
            return subprocess.Popen(
                [str(word) for word in command],
                stderr=errors,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_before_exec(core),
                **pipes,
            )
        except OSError as error:
            raise BenchError(f"{command[0]} cannot be started: {error.strerror}") from error


def end(process, patience=5.0):
    """Asks the group to end, then makes it."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


class Crew:
    """All long-lived processes of a run; leaving the `with` block ends them."""

    def __init__(self):
        self.members = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, _ in reversed(self.members):
            end(process)
        self.members.clear()

    def start(self, title, command, core, log, port, env=None):
        """Starts a server and waits until it listens."""
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        process = spawn(command, core, log, env)
        self.members.append((process, title))
        deadline = time.monotonic() + 20
        while True:
            if process.poll() is not None:
                raise BenchError(f"{title} ended with {process.returncode}:\n{tail(log)}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.5).close()
                return process
            except OSError:
                if time.monotonic() > deadline:
                    raise BenchError(f"{title} does not listen on {port}:\n{tail(log)}") from None
                time.sleep(0.05)

    def stop(self, process):
        self.members = [member for member in self.members if member[0] is not process]
        end(process)

    def check(self):
        """All of them must still live: a crash in the middle voids what follows."""
        for process, title in self.members:
            if process.poll() is not None:
                raise BenchError(f"{title} ended with {process.returncode} during the run")


def tail(log, lines=15):
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def free_ports(count):
    """Ports that nobody listens on; held together so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for held in sockets:
            held.bind(("127.0.0.1", 0))
        return [held.getsockname()[1] for held in sockets]
    finally:
        for held in sockets:
            held.close()


class Watchdog:
    """Kills a process that does not end in time; whoever reads its pipe then sees the end."""

    def __init__(self, process, seconds):
        self.timer = threading.Timer(seconds, process.kill)
        self.timer.daemon = True
        self.timer.start()

    def cancel(self):
        self.timer.cancel()
