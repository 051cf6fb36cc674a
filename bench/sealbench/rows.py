"""The kinds of load: one column of the tables each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One kind of load. `run` gives a Slice, or None where a thread ended within it."""

    key: str
    title: str
    run: object  # (load, peer, pid, seconds) -> Slice or None


def requests(*arguments):
    return lambda load, peer, pid, seconds: load.requests(peer, pid, seconds, arguments)


def handshakes(mode, groups):
    def run(load, peer, pid, seconds):
        measured, report = load.handshakes(peer, pid, seconds, mode, groups)
        peer.agreed[mode, groups] = f"{report['group']}, {report['suite']}"
        return measured

    return run


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
SLICES = {row.key: row for row in REQUESTS + HANDSHAKES}
# Memory is no load in slices, but a row to ask for all the same.
IDLE = "idle"
KEYS = [*SLICES, IDLE]
