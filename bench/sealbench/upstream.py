"""The app behind the proxies: nginx with static files of 1 KiB and 1 MiB, and two cookies."""

from .prepare import which
from .scene import APP_COOKIES, BODY, LARGE, LARGE_PATH, LOAD_CORE

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
    sendfile on;
    tcp_nopush on;
    open_file_cache max=8 inactive=1h;
    keepalive_timeout 1h;
    keepalive_requests 1000000000;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {home}/www;
        location = / {{
            try_files /body =404;
{cookies}
        }}
        location = {large} {{
            try_files /large =404;
{cookies}
        }}
    }}
}}
"""


def start(crew, home, port, user):
    (home / "www").mkdir(parents=True, exist_ok=True)
    (home / "www" / "body").write_bytes(BODY)
    (home / "www" / "large").write_bytes(LARGE)
    cookies = "\n".join(f'            add_header Set-Cookie "{cookie}";' for cookie in APP_COOKIES)
    config = home / "nginx.conf"
    config.write_text(CONFIG.format(home=home, port=port, cookies=cookies, user=user,
                                    large=LARGE_PATH))
    command = [which("nginx"), "-p", home, "-e", home / "error.log", "-c", config]
    return crew.start("the upstream", command, LOAD_CORE, home / "log", port)
