"""What a proxy must be able to say about itself."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..scene import REQUEST_COOKIE, ROOT


# Attributes of the app's two cookies, lower case: hardened, and as the app sets them.
HARDENED = frozenset({"httponly", "path=/", "samesite=lax", "secure"})
PLAIN = (frozenset({"httponly", "path=/"}), frozenset({"path=/"}))


@dataclass
class Place:
    """Where one instance of a proxy lives."""

    home: Path
    port: int
    plain_port: int
    upstream_port: int
    tls: dict
    binary: Path

    @property
    def to(self):
        return f"127.0.0.1:{self.upstream_port}"


class Peer:
    """One instance of a proxy. Subclasses write its configuration and name its command."""

    title = ""
    # Whether it adds the response headers of `scene.HEADERS` and HSTS.
    adds_headers = True
    # The request's Cookie header.
    request_cookie = REQUEST_COOKIE
    # Names under which the app's two cookies arrive.
    cookie_names = ("sessionid", "csrftoken")
    # What they carry on arrival, each in any order.
    cookie_attributes = (HARDENED, HARDENED)
    # One line for the results: what this peer does less or more than the others.
    caveat = ""

    def __init__(self, place):
        self.place = place
        place.home.mkdir(parents=True, exist_ok=True)

    def write(self, name, text):
        path = self.place.home / name
        path.write_text(text)
        return path

    def configure(self):
        """Writes the configuration; gives the command that serves it."""
        raise NotImplementedError

    def environment(self):
        return {}

    def versions(self):
        """Its version and its TLS library."""
        raise NotImplementedError


def as_user():
    """nginx drops root by itself, and could then not read the certificate's key."""
    return "user root;" if os.geteuid() == 0 else ""


def locked(crate):
    """The version of a dependency that our own programs are built with."""
    lock = (ROOT / "Cargo.lock").read_text()
    return re.search(rf'^name = "{re.escape(crate)}"\nversion = "([^"]+)"', lock, re.M)[1]
