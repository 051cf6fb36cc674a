"""Sealwax, from this checkout, through its configuration file."""

from ..prepare import sh
from ..scene import NAME
from .base import Peer, locked

CONFIG = """\
workers = 1

[listen]
http = "127.0.0.1:{plain_port}"
https = "127.0.0.1:{port}"

[[site]]
hosts = ["{name}"]
to = ["http://{to}"]
tls = {{ cert = "{cert}", key = "{key}" }}
{rules}"""


class Sealwax(Peer):
    title = "Sealwax"
    cookie_names = ("__Host-sessionid", "__Host-csrftoken")
    caveat = ("the whole default policy: cookies parsed, hardened and prefixed, the request's "
              "Cookie header rebuilt, host check")
    # By default the header waits for a public certificate and grows in steps; here it must be
    # the one that the others send.
    rules = """
[site.hsts]
when = "always"
ramp = false
"""

    def configure(self):
        place = self.place
        config = self.write("sealwax.toml", CONFIG.format(
            port=place.port, plain_port=place.plain_port, name=NAME, to=place.to,
            cert=place.tls["cert"], key=place.tls["key"], rules=self.rules,
        ))
        return [place.binary, "serve", "--config", config]

    def environment(self):
        return {
            "SEALWAX_HOME": str(self.place.home / "state"),
            # As for the others: no access log.
            "SEALWAX_LOG": "info,sealwax::access=off",
        }

    def versions(self):
        version = sh([self.place.binary, "--version"]).split()[-1]
        return version, f"rustls {locked('rustls')} on aws-lc-rs {locked('aws-lc-rs')}"
