"""The load: h2load for requests on standing connections, sealwax-hammer for handshakes.

Each slice gives (CPU nanoseconds of the proxy, requests, wall seconds). The CPU is read at the
very borders of the generator's own counting: connections that are being set up, and the
generator's start, lie outside.
"""

import json
import re
import subprocess
import time
from dataclasses import dataclass

from . import process
from .cost import Cpu, family, pss
from .errors import BenchError
from .prepare import which
from .scene import BODY, LOAD_CORE, NAME

WARM_UP_MS = 150
OPEN = 32
HANDSHAKE_OPEN = 16
HANDSHAKE_LIMIT = 100_000
IDLE_OPEN = 5_000
IDLE_MAX_SECONDS = 60


@dataclass
class Slice:
    """One measurement of one proxy."""

    ns: int
    requests: int
    seconds: float

    @property
    def busy(self):
        return self.ns / self.seconds / 1e9


@dataclass
class Idle:
    """KiB of memory per idle connection."""

    shaken: float  # after the handshake, before any request
    asked: float  # after one request


class Load:
    """The generators, with what they need to know."""

    def __init__(self, hammer, tls, body, logs):
        self.hammer = hammer
        self.tls = tls
        self.body = body
        self.log = logs / "load.log"

    def requests(self, peer, pid, seconds, arguments, open_=OPEN, streams=10, path="/",
                 size=len(BODY)):
        """A slice of requests on standing connections, by h2load.

        `size` is what every body must have; `streams` is the most there are at once on one of
        the `open_` connections.
        """
        port = peer.place.port
        command = [
            which("h2load"), "-t1", f"-c{open_}", *arguments,
            "-D", f"{int(seconds * 1000)}ms", f"--warm-up-time={WARM_UP_MS}ms",
            f"--connect-to=127.0.0.1:{port}",
            "-H", f"cookie: {peer.request_cookie}", f"https://{NAME}:{port}{path}",
        ]
        pids = family(pid)
        self.log.write_bytes(b"")
        generator = process.spawn(command, LOAD_CORE, self.log, stdout=subprocess.PIPE, text=True)
        marks, lines = [], []
        watch = process.Watchdog(generator, seconds + 15)
        try:
            for line in generator.stdout:
                if line.startswith("Main benchmark duration is "):
                    marks.append((Cpu(pids), time.monotonic()))
                lines.append(line)
            generator.wait()
        finally:
            watch.cancel()
            process.end(generator)
        what = f"h2load against {peer.title}"
        if len(marks) != 2 or generator.returncode != 0:
            raise BenchError(f"{what} did not run to its end:\n{''.join(lines[-12:])}")
        done = parse_h2load("".join(lines), what, WARM_UP_MS / 1000 / seconds, size,
                            open_ * streams)
        (before, start), (after, stop) = marks
        return finish(before, after, done, stop - start, what)

    def handshakes(self, peer, pid, seconds, mode, groups):
        """A slice of connections with one request each, by sealwax-hammer."""
        pids = family(pid)
        what = f"sealwax-hammer {mode} against {peer.title}"
        with self.hammering(peer, mode, HANDSHAKE_OPEN, seconds, "--groups", groups,
                            "--limit", HANDSHAKE_LIMIT) as generator:
            expect_ready(generator, what, self.log)
            before, start = Cpu(pids), time.monotonic()
            generator.stdin.write("go\n")
            generator.stdin.flush()
            report = read_report(generator, what, self.log)
            after, stop = Cpu(pids), time.monotonic()
        if report["done"] < 1 or (mode == "resumed") != (report["resumed"] == report["done"]):
            raise BenchError(f"{what}: {report}")
        return finish(before, after, report["done"], stop - start, what), report

    def idle_memory(self, peer, pid, protocol):
        """KiB of memory per idle TLS connection: after its handshake, and after one request."""
        what = f"sealwax-hammer idle against {peer.title}"
        pids = family(pid)
        before = pss(pids)
        grown = []
        with self.hammering(peer, "idle", IDLE_OPEN, IDLE_MAX_SECONDS,
                            "--protocol", protocol) as generator:
            for _ in ("handshake", "request"):
                expect_ready(generator, what, self.log)
                # Tickets are sent, timers armed, garbage may be collected: let it settle.
                time.sleep(1.0)
                grown.append((pss(pids) - before) / IDLE_OPEN)
                generator.stdin.write("go\n")
                generator.stdin.flush()
            report = read_report(generator, what, self.log)
        if report["done"] != IDLE_OPEN:
            raise BenchError(f"{what}: only {report['done']} of {IDLE_OPEN} connections stood")
        return Idle(*grown)

    def hammering(self, peer, mode, open_, seconds, *more):
        command = [
            self.hammer, mode, "--addr", f"127.0.0.1:{peer.place.port}", "--name", NAME,
            "--ca", self.tls["ca"], "--body", self.body, "--cookie", peer.request_cookie,
            "--open", open_, "--seconds", seconds, *more,
        ]
        self.log.write_bytes(b"")
        return Running(process.spawn(command, LOAD_CORE, self.log, stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, text=True), seconds + 30)


class Running:
    """A generator that is ended when its block is left, or when it takes too long."""

    def __init__(self, generator, patience):
        self.generator = generator
        self.watch = process.Watchdog(generator, patience)

    def __enter__(self):
        return self.generator

    def __exit__(self, *_):
        self.watch.cancel()
        process.end(self.generator)


def finish(before, after, requests, seconds, what):
    ns = after.since(before)
    if ns is None:
        return None  # a thread of the proxy ended within the slice
    if ns <= 0:
        raise BenchError(f"{what}: the proxy used no CPU")
    return Slice(ns, requests, seconds)


def expect_ready(generator, what, log):
    line = generator.stdout.readline()
    if line.strip() != "ready":
        raise BenchError(f"{what} did not start:\n{process.tail(log, 3)}")


def read_report(generator, what, log):
    line = generator.stdout.readline()
    if not line:
        raise BenchError(f"{what} failed:\n{process.tail(log, 3)}")
    return json.loads(line)


def parse_h2load(text, what, warm_up, size, in_flight):
    """Requests of the counted time; anything but whole answers with 200 fails the run.

    h2load counts requests within the main duration only, but the bytes of the warm-up and of
    answers that are not whole yet too, so that the bytes can be held to a range: at least what
    the requests need, at most that, the warm-up's share (doubled, since a warm-up can be denser
    than the rest), and what was in flight.
    """
    found = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, "
                      r"(\d+) errored, (\d+) timeout", text)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    data = re.search(r"\((\d+)\) data", text)
    if not (found and codes and data):
        raise BenchError(f"{what}: its output is not understood:\n{text[-800:]}")
    total, done, good, failed, errored, late = map(int, found.groups())
    fine, *other = map(int, codes.groups())
    # A status can arrive on the other side of a border of the counted time than its body.
    near = abs(fine - done) <= in_flight
    if not (0 < done == total == good and near and not any([failed, errored, late, *other])):
        raise BenchError(f"{what}: not every answer was good: {found[0]}; {codes[0]}")
    bodies = int(data[1]) / size
    if not done <= bodies <= done * (1 + 2 * warm_up) + 6 * in_flight:
        raise BenchError(f"{what}: {done} requests, but {data[1]} bytes of body")
    return done
