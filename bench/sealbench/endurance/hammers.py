"""sealwax-hammer in the modes that run on: one line of counts each second, kept as they come."""

import json
import subprocess
import threading
import time

from .. import process
from ..errors import BenchError
from ..scene import LOAD_CORE, NAME

# How long thousands of connections may take to stand; the hammer gives up before.
STANDING = 120
COUNTS = ("done", "aborted", "app", "wrong", "broken")


class Hammer:
    """A running generator. Leaving the `with` block ends it."""

    def __init__(self, stage, title, mode, open_, seconds, *more):
        self.title = title
        self.log = stage.home / f"{title.replace(' ', '-').replace('/', '')}.log"
        self.log.write_bytes(b"")
        self.lines = []
        self.ready = threading.Event()
        self.generator = process.spawn([
            stage.hammer, mode, "--addr", f"127.0.0.1:{stage.peer.place.port}", "--name", NAME,
            "--ca", stage.tls["ca"], "--body", stage.body, "--cookie", stage.peer.request_cookie,
            "--open", open_, "--seconds", seconds, *more,
        ], LOAD_CORE, self.log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.generator.stdout:
            if line.strip() == "ready":
                self.ready.set()
            else:
                self.lines.append(json.loads(line))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        process.end(self.generator)

    def await_ready(self):
        deadline = time.monotonic() + STANDING
        while not self.ready.wait(0.2):
            self.check()
            if time.monotonic() > deadline:
                raise BenchError(f"{self.title} did not stand within {STANDING} s")

    def check(self):
        if self.generator.poll() is not None:
            raise BenchError(f"{self.title} ended:\n{process.tail(self.log)}")

    def stop(self):
        """Ends it in order, with a last line of counts."""
        self.generator.stdin.close()
        self.reader.join(15)
        process.end(self.generator)
        if self.generator.returncode != 0:
            raise BenchError(f"{self.title} failed:\n{process.tail(self.log)}")

    def total(self, count):
        return self.lines[-1][count] if self.lines else 0


def load(stage, title, protocol, open_, streams, seconds, abort_every=0, pause=0, sources=0):
    return Hammer(stage, title, "load", open_, seconds, "--protocol", protocol,
                  "--streams", streams, "--pause", pause, "--abort-every", abort_every,
                  "--sources", sources)


def slow(stage, open_, seconds, drip, refill, sources):
    return Hammer(stage, "slow clients", "slow", open_, seconds, "--drip", drip,
                  "--refill", refill, "--sources", sources)


def at(lines, moment, count):
    """A count at a moment: between the two nearest lines in proportion to the time."""
    before = after = None
    for line in lines:
        if line["at"] <= moment:
            before = line
        else:
            after = line
            break
    if before is None or after is None:
        raise BenchError(f"no count of {count} around {moment:.1f}")
    share = (moment - before["at"]) / (after["at"] - before["at"])
    return before[count] + share * (after[count] - before[count])


def outside(lines, count, away, grace):
    """How much a count grew in seconds in which the app was not away.

    `away` holds pairs of times: when the app was told to end, and when it listened again. The
    second in which a count was taken belongs to the app when any part of it was such a time, or
    up to `grace` seconds after one.
    """
    grown, last = 0, {"at": 0.0, count: 0}
    for line in lines:
        if not any(line["at"] >= down and last["at"] <= up + grace for down, up in away):
            grown += line[count] - last[count]
        last = line
    return grown
