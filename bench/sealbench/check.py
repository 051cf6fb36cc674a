"""The answers of a proxy, looked at closely: before the first slice and after the last.

A proxy that answers an empty 200, or leaves the cookies alone, is not fast but wrong.
"""

import http.client
import re
import socket
import ssl

from .errors import BenchError
from .prepare import sh, which
from .scene import APP_COOKIES, BODY, HEADERS, NAME, REQUEST_COOKIE, SESSION, TOKEN


def answers(peer, ca):
    """Fails the run unless the peer's answers are what they must be, on both protocols."""
    for protocol, fetch in (("HTTP/1.1", http1), ("HTTP/2", http2)):
        status, headers, body = fetch(peer.place.port, ca)
        for problem in problems(peer, status, headers, body):
            raise BenchError(f"{peer.title} over {protocol}: {problem}")


def problems(peer, status, headers, body):
    """What is wrong with an answer; `body` is the bytes, or their number over HTTP/2."""
    if status != 200:
        yield f"status {status} instead of 200"
    if body not in (BODY, len(BODY)):
        size = body if isinstance(body, int) else len(body)
        yield f"the body has {size} bytes that are not the {len(BODY)} of the upstream"
    cookies = [value for name, value in headers if name == "set-cookie"]
    if len(cookies) != 2:
        yield f"{len(cookies)} Set-Cookie headers instead of 2: {cookies}"
    elif not peer.hardens:
        if sorted(cookies) != sorted(APP_COOKIES):
            yield f"the cookies came changed: {cookies}"
    else:
        for name, value in zip(peer.cookie_names, (SESSION, TOKEN)):
            yield from cookie_problems(cookies, name, value)
    present = dict(headers)
    if not present.get("strict-transport-security", "").startswith("max-age="):
        yield "no Strict-Transport-Security"
    for name, value in HEADERS.items():
        if present.get(name.lower()) != value:
            yield f"{name} is {present.get(name.lower())!r} instead of {value!r}"


def cookie_problems(cookies, name, value):
    mine = [cookie for cookie in cookies if cookie.startswith(f"{name}={value};")]
    if len(mine) != 1:
        yield f"no cookie {name} with the app's value in {cookies}"
        return
    attributes = sorted(part.strip().lower() for part in mine[0].split(";")[1:])
    wanted = ["httponly", "path=/", "samesite=lax", "secure"]
    if attributes != wanted:
        yield f"the cookie {name} has the attributes {attributes} instead of {wanted}"


def http1(port, ca):
    context = ssl.create_default_context(cafile=str(ca))
    context.set_alpn_protocols(["http/1.1"])
    connection = http.client.HTTPSConnection(NAME, port, timeout=10, context=context)
    try:
        # Whatever the name resolves to first: the proxies listen on IPv4.
        connection.sock = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port), 10), server_hostname=NAME)
        if connection.sock.version() != "TLSv1.3":
            raise BenchError(f"port {port} speaks {connection.sock.version()}, not TLSv1.3")
        connection.request("GET", "/", headers={"Cookie": REQUEST_COOKIE})
        response = connection.getresponse()
        headers = [(name.lower(), value) for name, value in response.getheaders()]
        return response.status, headers, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise BenchError(f"the HTTP/1.1 request to port {port} failed: {error}") from error
    finally:
        connection.close()


def http2(port, _ca):
    text = sh([which("nghttp"), "-vn", "--no-dep", "-t", "10", "-H", f"cookie: {REQUEST_COOKIE}",
               f"https://{NAME}:{port}/"])
    headers = [(name, value) for name, value in re.findall(
        r"recv \(stream_id=\d+(?:, sensitive)?\) (:?[\w-]+): (.*)", plain(text))]
    body = sum(map(int, re.findall(r"recv DATA frame <length=(\d+)", plain(text))))
    return int(dict(headers).get(":status", 0)), headers, body


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
