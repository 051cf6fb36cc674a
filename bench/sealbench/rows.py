"""The kinds of load: one column of the tables each."""

from dataclasses import dataclass

from .scene import LARGE, LARGE_PATH

GIB = 1 << 30


@dataclass(frozen=True)
class Row:
    """One kind of load. `run` gives a Slice, or None where a thread ended within it."""

    key: str
    title: str
    run: object  # (load, peer, pid, seconds) -> Slice or None
    # Bytes of a body, where what is moved counts and not the number of requests.
    size: int = 0

    @property
    def unit(self):
        return "ms/GiB" if self.size else "µs"

    def figure(self, one):
        """CPU of a slice: microseconds per request, or milliseconds per GiB of body."""
        if self.size:
            return one.ns / 1e6 / (one.requests * self.size / GIB)
        return one.ns / 1e3 / one.requests


def requests(*arguments):
    return lambda load, peer, pid, seconds: load.requests(peer, pid, seconds, arguments)


def large(*arguments, streams=1):
    return lambda load, peer, pid, seconds: load.requests(
        peer, pid, seconds, (*arguments, f"-m{streams}"), open_=LARGE_OPEN,
        streams=streams, path=LARGE_PATH, size=len(LARGE))


def handshakes(mode, groups):
    def run(load, peer, pid, seconds):
        measured, report = load.handshakes(peer, pid, seconds, mode, groups)
        peer.agreed[mode, groups] = f"{report['group']}, {report['suite']}"
        return measured

    return run


# Large bodies need few connections to fill both cores; more only fill buffers.
LARGE_OPEN = 8

REQUESTS = [
    Row("h1", "HTTP/1.1 1 KiB", requests("--h1", "-m1")),
    Row("m10", "HTTP/2 c32 m10", requests("-m10")),
    Row("m1", "HTTP/2 c32 m1", requests("-m1")),
]
HANDSHAKES = [
    Row("full", "full handshake + GET, X25519", handshakes("full", "x25519")),
    Row("hybrid", "same, X25519MLKEM768 offered", handshakes("full", "hybrid")),
    Row("resumed", "resumed + GET", handshakes("resumed", "x25519")),
]
BODIES = [
    Row("h1-large", "HTTP/1.1 1 MiB", large("--h1"), len(LARGE)),
    Row("h2-large", "HTTP/2 1 MiB", large(streams=4), len(LARGE)),
]
SLICES = {row.key: row for row in REQUESTS + HANDSHAKES + BODIES}


@dataclass(frozen=True)
class Idle:
    """Memory of connections that stand, in KiB each: no load in slices, but a column too."""

    key: str
    title: str
    protocol: str


IDLE = {row.key: row for row in (
    Idle("idle", "idle, HTTP/1.1", "h1"),
    Idle("idle-h2", "idle, HTTP/2", "h2"),
)}
KEYS = [*SLICES, *IDLE]
