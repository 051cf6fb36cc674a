"""nginx, from Debian."""

import re

from ..prepare import sh, which
from ..scene import HEADERS, HSTS, KEEP, NAME
from .base import Peer, as_user

CONFIG = """\
daemon off;
worker_processes 1;
{user}
pid {home}/nginx.pid;
error_log {home}/error.log error;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {home}/body_temp;
    proxy_temp_path {home}/proxy_temp;
    fastcgi_temp_path {home}/fastcgi_temp;
    uwsgi_temp_path {home}/uwsgi_temp;
    scgi_temp_path {home}/scgi_temp;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:bench:10m;
    upstream app {{
        server {to};
        keepalive {keep};
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
    server {{
        listen 127.0.0.1:{port} ssl http2 backlog=4096;
        server_name {name};
        location / {{
            proxy_pass http://app;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Real-IP $remote_addr;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Port $server_port;
            proxy_cookie_flags sessionid secure httponly samesite=lax;
            proxy_cookie_flags csrftoken secure httponly samesite=lax;
{headers}
        }}
    }}
}}
"""


class Nginx(Peer):
    title = "nginx"
    caveat = "cookies by proxy_cookie_flags"

    def configure(self):
        place = self.place
        headers = {"Strict-Transport-Security": HSTS, **HEADERS}
        config = self.write("nginx.conf", CONFIG.format(
            home=place.home, user=as_user(), cert=place.tls["cert"], key=place.tls["key"],
            to=place.to, keep=KEEP, port=place.port, name=NAME,
            headers="\n".join(f'            add_header {name} "{value}";'
                              for name, value in headers.items()),
        ))
        return [which("nginx"), "-p", place.home, "-e", place.home / "error.log", "-c", config]

    def versions(self):
        text = sh([which("nginx"), "-V"])
        version = re.search(r"nginx/(\S+)", text)[1]
        # "running with" is only printed where it differs from "built with".
        tls = re.search(r"running with (OpenSSL \S+)", text) or re.search(
            r"built with (OpenSSL \S+)", text)
        return version, tls[1]
