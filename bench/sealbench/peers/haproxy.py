"""HAProxy, from Debian."""

import re

from ..prepare import sh, which
from ..scene import HEADERS, HSTS
from .base import Peer

CONFIG = """\
global
    nbthread 1
    maxconn 9000
    ssl-default-bind-options ssl-min-ver TLSv1.2
    # Mozilla's order. Without it HAProxy takes AES-256 from a client that asks for AES-128
    # first, and pays for SHA-384 where the others do not.
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256

defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
    option http-keep-alive
    http-reuse always

frontend tls
    bind 127.0.0.1:{port} backlog 4096 ssl crt {both} alpn h2,http/1.1
    http-request set-header X-Real-IP %[src]
    http-request set-header X-Forwarded-For %[src]
    http-request set-header X-Forwarded-Proto https
    http-request set-header X-Forwarded-Host %[req.hdr(Host)]
    http-request set-header X-Forwarded-Port %[dst_port]
    http-response replace-header Set-Cookie ^(sessionid=.*)$ "\\1; Secure; SameSite=Lax"
    http-response replace-header Set-Cookie ^(csrftoken=.*)$ "\\1; Secure; HttpOnly; SameSite=Lax"
{headers}
    default_backend app

backend app
    server app {to} pool-max-conn -1 pool-purge-delay 1h
"""


class Haproxy(Peer):
    title = "HAProxy"
    caveat = "cookies by two http-response replace-header; the attributes are appended unseen"

    def configure(self):
        place = self.place
        headers = {"Strict-Transport-Security": HSTS, **HEADERS}
        config = self.write("haproxy.cfg", CONFIG.format(
            port=place.port, both=place.tls["both"], to=place.to,
            headers="\n".join(f'    http-response set-header {name} "{value}"'
                              for name, value in headers.items()),
        ))
        return [which("haproxy"), "-db", "-f", config]

    def versions(self):
        text = sh([which("haproxy"), "-vv"])
        return (re.search(r"version (\d[^\s+]*?)(?:-\d)?[\s+]", text)[1],
                re.search(r"Running on OpenSSL version : (\S+ \S+)", text)[1])
