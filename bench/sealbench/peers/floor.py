"""The floor: a proxy from hyper alone, in `bench/floor`, without a policy."""

from .base import PLAIN, Peer, locked


class Floor(Peer):
    title = "bare hyper"
    adds_headers = False
    cookie_attributes = PLAIN
    caveat = "none: no header added, cookies untouched, no limits, no deadlines; the floor"

    def configure(self):
        place = self.place
        return [place.binary, f"127.0.0.1:{place.port}", place.to,
                place.tls["cert"], place.tls["key"]]

    def versions(self):
        return (f"hyper {locked('hyper')}",
                f"rustls {locked('rustls')} on aws-lc-rs {locked('aws-lc-rs')}")
