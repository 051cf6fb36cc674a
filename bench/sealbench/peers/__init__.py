"""The proxies, one file each, all set up for the same job.

One worker on one core, TLS 1.2 and 1.3 with one P-256 certificate, HTTP/1.1 and HTTP/2,
HTTP/1.1 keep-alive to the upstream, the same response headers, no access log. What differs is
what they can do to cookies, and each file says so in `caveat`. The floor is no peer: it does
nothing but forward.
"""

from . import caddy, envoy, floor, haproxy, nginx, sealwax, traefik
from .base import Place

ALL = {
    "sealwax": sealwax.Sealwax,
    "nginx": nginx.Nginx,
    "haproxy": haproxy.Haproxy,
    "envoy": envoy.Envoy,
    "caddy": caddy.Caddy,
    "traefik": traefik.Traefik,
    "floor": floor.Floor,
}

__all__ = ["ALL", "Place"]
