"""The answers of a proxy, looked at closely: before the first slice and after the last.

A proxy that answers an empty 200, or leaves the cookies alone, is not fast but wrong.
"""

import http.client
import re
import socket
import ssl
import subprocess

from .errors import BenchError
from .prepare import sh, which
from .scene import BODY, HEADERS, HSTS, LARGE, LARGE_PATH, NAME, SESSION, TOKEN


def answers(peer, ca):
    """Fails the run unless the peer's answers are what they must be, on both protocols."""
    for protocol, fetch in (("HTTP/1.1", http1), ("HTTP/2", http2)):
        for path, wanted in (("/", BODY), (LARGE_PATH, LARGE)):
            status, headers, body = fetch(peer, ca, path)
            for problem in problems(peer, status, headers, body, wanted):
                raise BenchError(f"{peer.title}, {path} over {protocol}: {problem}")


def problems(peer, status, headers, body, wanted_body=BODY):
    """What is wrong with an answer."""
    if status != 200:
        yield f"status {status} instead of 200"
    if body != wanted_body:
        yield f"the body has {len(body)} bytes that are not the {len(wanted_body)} of the upstream"
    cookies = [value for name, value in headers if name == "set-cookie"]
    if len(cookies) != 2:
        yield f"{len(cookies)} Set-Cookie headers instead of 2: {cookies}"
    else:
        for wanted in zip(peer.cookie_names, (SESSION, TOKEN), peer.cookie_attributes):
            yield from cookie_problems(cookies, *wanted)
    wanted = {"Strict-Transport-Security": HSTS, **HEADERS}
    present = dict(headers)
    for name, value in wanted.items():
        got = present.get(name.lower())
        if got != (value if peer.adds_headers else None):
            yield f"{name} is {got!r} instead of {value!r}"


def cookie_problems(cookies, name, value, wanted):
    mine = [cookie for cookie in cookies if cookie.startswith(f"{name}={value};")]
    if len(mine) != 1:
        yield f"no cookie {name} with the app's value in {cookies}"
        return
    attributes = [part.strip().lower() for part in mine[0].split(";")[1:]]
    if sorted(attributes) != sorted(wanted):
        yield f"the cookie {name} has the attributes {sorted(attributes)}, not {sorted(wanted)}"


def http1(peer, ca, path):
    port = peer.place.port
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["http/1.1"])
    connection = http.client.HTTPSConnection(NAME, port, timeout=10, context=context)
    try:
        # Whatever the name resolves to first: the proxies listen on IPv4.
        connection.sock = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), 10), server_hostname=NAME)
        if connection.sock.version() != "TLSv1.3":
            raise BenchError(f"port {port} speaks {connection.sock.version()}, not TLSv1.3")
        connection.request("GET", path, headers={"Cookie": peer.request_cookie})
        response = connection.getresponse()
        headers = [(name.lower(), value) for name, value in response.getheaders()]
        return response.status, headers, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the HTTP/1.1 request to port {port} failed: {error}") from error
    finally:
        connection.close()


def http2(peer, _ca, path):
    port = peer.place.port
    command = [which("nghttp"), "--no-dep", "-t", "10", "-H", f"cookie: {peer.request_cookie}",
               f"https://{NAME}:{port}{path}"]
    text = plain(sh([*command, "-vn"]))
    if "The negotiated protocol: h2" not in text:
        raise BenchError(f"port {port} does not speak HTTP/2:\n{text[-500:]}")
    headers = re.findall(r"recv \(stream_id=\d+(?:, sensitive)?\) (:?[\w-]+): (.*)", text)
    # nghttp warns on standard error that it does not know our authority.
    body = sh(command, stderr=subprocess.DEVNULL).encode()
    return int(dict(headers).get(":status", 0)), headers, body


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
