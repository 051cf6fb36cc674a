"""The order of events: set the stage, look, measure in turns, look again.

Turns, because a shared machine drifts: each proxy gets a slice of about a second of each kind
of load, then the next proxy, and the order shifts from round to round. All proxies live from
beginning to end.
"""

import time
from dataclasses import dataclass, field

from . import check, machine, peers, process, upstream
from .cost import Cpu, family
from .errors import BenchError
from .loads import Load
from .peers.base import as_user
from .prepare import say
from .scene import BODY, CACHE, PROXY_CORE


@dataclass
class Outcome:
    """What a campaign found, peer keys in table order."""

    peers: dict
    cases: list
    slices: dict  # (case key, peer key) -> [Slice]
    memory: dict = field(default_factory=dict)  # (kind's key, peer key) -> Idle
    rounds: int = 0
    slice_seconds: float = 0.0
    seconds: float = 0.0
    foreign: float = 0.0  # share of the proxies' core that others used
    dropped: int = 0


class Campaign:
    """All proxies alive at once, each on the same core, in front of one upstream."""

    def __init__(self, crew, makers, binaries, tls, hammer):
        self.crew = crew
        self.home = CACHE / "run"
        self.tls = tls
        self.binaries = binaries
        self.home.mkdir(parents=True, exist_ok=True)
        body = self.home / "body"
        body.write_bytes(BODY)
        (self.upstream_port,) = process.free_ports(1)
        upstream.start(crew, self.home / "upstream", self.upstream_port, as_user())
        self.load = Load(hammer, tls, body, self.home)
        self.peers = {key: self.make(key, maker) for key, maker in makers.items()}
        self.processes = {}

    def make(self, key, maker):
        port, plain_port = process.free_ports(2)
        peer = maker(peers.Place(
            home=self.home / key, port=port, plain_port=plain_port,
            upstream_port=self.upstream_port, tls=self.tls, binary=self.binaries.get(key),
        ))
        peer.agreed = {}
        return peer

    def start(self, key):
        peer = self.peers[key]
        proxy = self.crew.start(peer.title, peer.configure(), PROXY_CORE, peer.place.home / "log",
                                peer.place.port, peer.environment())
        # Traefik listens before it has read its routers and certificate.
        deadline = time.monotonic() + 10
        while True:
            try:
                check.answers(peer, self.tls["ca"])
                return proxy
            except BenchError:
                if time.monotonic() > deadline:
                    raise
                self.crew.check()
                time.sleep(0.1)

    def memory(self, kinds):
        """Of fresh processes, before any load has grown their heaps, one at a time."""
        found = {}
        for key, peer in self.peers.items():
            for kind in kinds:
                proxy = self.start(key)
                # What is allocated once, at the first requests, is no cost of a connection.
                self.load.handshakes(peer, proxy.pid, 0.2, "full", "x25519")
                idle = self.load.idle_memory(peer, proxy.pid, kind.protocol)
                found[kind.key, key] = idle
                say(f"  {peer.title}, {kind.title}: {idle.asked:.1f} KiB per connection "
                    f"({idle.shaken:.1f} before the first request)")
                self.crew.stop(proxy)
        return found

    def open(self):
        for key in self.peers:
            self.processes[key] = self.start(key)

    def look(self):
        self.crew.check()
        for peer in self.peers.values():
            check.answers(peer, self.tls["ca"])

    def measure(self, cases, rounds, seconds):
        keys = list(self.peers)
        outcome = Outcome(self.peers, cases, {(case.key, key): [] for case in cases for key in keys},
                          rounds=rounds, slice_seconds=seconds)
        pids = [pid for proxy in self.processes.values() for pid in family(proxy.pid)]
        start, core = time.monotonic(), machine.core_busy_seconds(PROXY_CORE)
        own = Cpu(pids)
        for number in range(rounds):
            say(f"  round {number + 1} of {rounds}")
            shift = number % len(keys)
            for case in cases:
                for key in keys[shift:] + keys[:shift]:
                    one = case.run(self.load, self.peers[key], self.processes[key].pid, seconds)
                    if one is None:
                        outcome.dropped += 1
                    else:
                        outcome.slices[case.key, key].append(one)
            self.crew.check()
        outcome.seconds = time.monotonic() - start
        core = machine.core_busy_seconds(PROXY_CORE) - core
        ours = Cpu(pids).since(own)
        if ours is not None:
            outcome.foreign = max(0.0, core - ours / 1e9) / outcome.seconds
        for (case, key), slices in outcome.slices.items():
            if not slices:
                raise BenchError(f"no slice of {case} against {self.peers[key].title} counted: "
                                 "threads ended in each", "run it again with more --rounds")
        return outcome
