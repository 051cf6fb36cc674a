"""The gateway under test, its app, and a way to take the app away."""

import socket
import time
from pathlib import Path

from .. import check, peers, process, upstream
from ..cost import family
from ..errors import BenchError
from ..peers.base import as_user
from ..scene import BODY, CACHE, PROXY_CORE
from . import sockets

# The app is away for this long before it is started again.
AWAY = 1.0


class Stage:
    """One gateway on one core, one app."""

    def __init__(self, crew, binary, tls, hammer):
        self.crew, self.tls, self.hammer = crew, tls, hammer
        self.home = CACHE / "soak"
        self.home.mkdir(parents=True, exist_ok=True)
        self.body = self.home / "body"
        self.body.write_bytes(BODY)
        self.app_port, port, plain_port = low_ports(3)
        self.app = self.start_app()
        self.peer = peers.ALL["sealwax"](peers.Place(
            home=self.home / "sealwax", port=port, plain_port=plain_port,
            upstream_port=self.app_port, tls=tls, binary=binary))
        self.gateway = crew.start("Sealwax", self.peer.configure(), PROXY_CORE,
                                  self.peer.place.home / "log", port, self.peer.environment())
        check.answers(self.peer, tls["ca"])
        self.pids = family(self.gateway.pid)

    def start_app(self):
        return upstream.start(self.crew, self.home / "upstream", self.app_port, as_user())

    def restart_app(self):
        """Gives when the app was told to end and when it listened again."""
        down = time.time()
        self.crew.stop(self.app)
        time.sleep(AWAY)
        self.app = self.start_app()
        return down, time.time()

    def files(self):
        return sockets.open_files(self.gateway.pid, self.peer.place.port, self.app_port)

    def complaints(self):
        """Lines of the gateway's log that are more than information."""
        text = (self.peer.place.home / "log").read_text(errors="replace")
        return [line for line in text.splitlines() if " WARN " in line or " ERROR " in line]


def low_ports(count):
    """Ports below those that the kernel gives to outgoing connections.

    One of the latter could be taken by a client while the app is away, so that the app cannot
    come back; or a connection to it could find itself, and connect to itself.
    """
    text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    found = []
    for port in range(int(text.split()[0]) - 1, 1024, -1):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise BenchError("no free port below the kernel's own range")
