#!/usr/bin/env python3
"""Prints what Django's own cookie code writes and reads, for tests/django.rs.

    python -m venv venv && venv/bin/pip install 'django==5.2.*'
    venv/bin/python django_vectors.py > django_vectors.txt

Lines of `key=value` with tabs between; every byte outside %x21-7E, `%` and `&` is %XX.

set:     a Set-Cookie field from HttpResponse.set_cookie or delete_cookie, the arguments it was
         made from, and what Django reads when a browser sends the pair back.
cookie:  a Cookie header, the canonical header by a second implementation of the rules (below), and
         what Django's WSGIRequest.COOKIES makes of the raw one and of the canonical one.
"""

import datetime
import io
import random
import re
import types

import django
from django.conf import settings

settings.configure(USE_TZ=True)
django.setup()

import django.http.response  # noqa: E402
from django.core.handlers.wsgi import WSGIRequest  # noqa: E402
from django.http import HttpResponse  # noqa: E402

NOW = 1764000000
django.http.response.time = types.SimpleNamespace(time=lambda: NOW)


def escape(text):
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    keep = set(range(0x21, 0x7F)) - set(b"%&")
    return "".join(chr(b) if b in keep else f"%{b:02X}" for b in data)


def line(kind, **values):
    print("\t".join([kind] + [f"{key}={value}" for key, value in values.items()]))


def django_reads(header):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(),
        # PEP 3333: header bytes arrive as latin-1 text.
        "HTTP_COOKIE": header.decode("latin-1"),
    }
    return WSGIRequest(environ).COOKIES


def shown(cookies):
    # An item without "=" cannot occur: names and values are escaped, the sign between is not.
    return "&".join(
        escape(name).replace("=", "%3D") + "=" + escape(value).replace("=", "%3D")
        for name, value in sorted(cookies.items())
    )


# ------------------------------------------------------------------------------ Set-Cookie


def set_cookie(name, value="", **arguments):
    response = HttpResponse()
    response.set_cookie(name, value, **arguments)
    write_set(response, name, arguments)


def delete_cookie(name, **arguments):
    response = HttpResponse()
    response.delete_cookie(name, **arguments)
    write_set(response, name, {"max_age": 0, **arguments})


def write_set(response, name, arguments):
    morsel = response.cookies[name]
    field = morsel.OutputString()
    pair = field.split(";")[0]
    expires = ""
    if morsel["expires"]:
        parsed = datetime.datetime.strptime(morsel["expires"], "%a, %d %b %Y %H:%M:%S GMT")
        expires = int(parsed.replace(tzinfo=datetime.timezone.utc).timestamp())
    max_age = morsel["max-age"]
    line(
        "set",
        field=escape(field),
        name=escape(name),
        value=escape(morsel.coded_value),
        secure=int(bool(morsel["secure"])),
        httponly=int(bool(morsel["httponly"])),
        samesite=escape(arguments.get("samesite") or ""),
        path=escape("/" if "path" not in arguments else arguments["path"] or ""),
        domain=escape(arguments.get("domain") or ""),
        maxage=max_age if max_age != "" else "",
        expires=expires,
        back=shown(django_reads(pair.encode("utf-8"))),
    )


VALUES = [
    "",
    "abc",
    "k3j2h4kj23h4",
    "a b",
    "a;b",
    "a,b",
    'say "hi"',
    "back\\slash",
    "caf\u00e9",
    "\u4e2d\u6587",
    "\U0001f36a",
    "eyJ0IjoxfQ:1vNabc:Zm9v-_",
    '{"a": [1, 2], "b": "c;d"}',
    "a=b=c",
    "100%",
    "\u00a0nbsp\u00a0",
    "__Host-x",
    "$Version",
    "a/b?c",
    "<>()@[]{}",
    "x" * 4000,
]


def print_set():
    for value in VALUES:
        set_cookie("sessionid", value)
    for name in ["sessionid", "__Host-sessionid", "__Secure-s", "csrftoken", "a.b", "x|y", "`~!#%&'*+-^_"]:
        set_cookie(name, "v", httponly=True, secure=True, samesite="Lax")
    for samesite in ["Lax", "lax", "STRICT", "Strict", "None", "none"]:
        for secure in [False, True]:
            set_cookie("s", "v", samesite=samesite, secure=secure)
    for path in ["/", "/app", "/app/x y", "", None]:
        for domain in [None, "example.com", ".example.com"]:
            set_cookie("s", "v", path=path, domain=domain, httponly=True)
    for max_age in [0, 1, 60, 1209600, 34560000, 34560001, 10**10, -1]:
        set_cookie("s", "v", max_age=max_age)
    for delta in [-86400, -1, 0, 1, 86400, 86400 * 500]:
        when = datetime.datetime.fromtimestamp(NOW + delta, datetime.timezone.utc)
        # As a string it goes out alone, without Max-Age.
        set_cookie("s", "v", expires=when.strftime("%a, %d %b %Y %H:%M:%S GMT"))
        set_cookie("s", "v", max_age=60, expires=when.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    for name in ["sessionid", "__Host-s", "__Secure-s"]:
        delete_cookie(name)
        delete_cookie(name, path="/app", domain="example.com", samesite="None")
        delete_cookie(name, samesite="Lax")


# ------------------------------------------------------------------------------ Cookie


def canonical(header):
    """The canonical Cookie header, once more, in another language and another style."""
    good = []
    for part in header.split(b";"):
        match = re.fullmatch(rb"[ \t]*([^=]*?)[ \t]*=[ \t]*(.*?)[ \t]*", part, re.DOTALL)
        if not match:
            continue
        name, value = match.groups()
        if not re.fullmatch(rb"""(?!\$)[!#-+\--:<>-\[\]-~]+""", name):
            continue
        if re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value):
            continue
        quoted = len(value) >= 2 and value[:1] == value[-1:] == b'"'
        if not quoted and (value[:1] == b'"' or value[-1:] == b'"'):
            continue
        good.append(name + b"=" + value)
    return b"; ".join(good)


HEADERS = [
    b"",
    b"a=1",
    b"a=1; b=2;c=3",
    b" a = 1 ;\tb\t=\t2\t",
    b"theme=dark; theme=light",
    b"__Host-sessionid=good; sessionid=evil",
    "\u2000__Host-sessionid=evil".encode(),
    "\u0085__Host-sessionid=evil".encode(),
    "\u00a0__Host-sessionid=evil".encode(),
    "\u3000__Host-sessionid=evil; a=1".encode(),
    "__Host-sessionid\u2003=evil".encode(),
    "a=\u00a0x\u00a0; b=caf\u00e9".encode(),
    b"\x1c__Host-sessionid=evil",
    b"$Version=1; show=\"x; sessionid=secret; end=y\"",
    b"$Version=1,__Host-sessionid=evil",
    b"=__Host-sessionid; __Host-x; =; ;;",
    b"a=\"x y\"; b=\"\\073\\\"q\\\\\"; c=\"\"; d=\"",
    b"a=\"open; b=close\"; c=\"in\"ner\"",
    b"j={\"a\": [1, 2]}; arr[0]=x; k=\"v\"tail",
    b"a=\xff\xfe; \xff=1; b=\xc3",
    b"a=x\x00y; b=x\x1fy; c=x\ty; d\x00=1",
    b"a b=1; a,b=2; a\"b=3; a\\b=4; a(b)=5; a@b=6",
    b"sessionid=" + b"v" * 4090,
]


def print_cookies():
    source = random.Random(6265)
    odd = [b" ", b"\t", b'"', b"\\", b",", b"$", b"=", "\u2000".encode(), "\u00a0".encode()]
    odd += ["\u00e9".encode(), b"\xff", b"\x00", b"\x1f"]
    plain = [b"a", b"sid", b"__Host-sid", b"1", b"x", b"[0]", b"\\101"]

    def text(most):
        picks = (source.choice(plain if source.random() < 0.75 else odd) for _ in range(most))
        return b"".join(picks)

    def part():
        name, value = text(source.randrange(1, 3)), text(source.randrange(4))
        if source.random() < 0.3:
            value = b'"' + value + b'"'
        return source.choice([b"", b" ", b" ", b"\t"]) + name + b"=" + value

    random_headers = [
        b";".join(part() for _ in range(source.randrange(1, 7))) for _ in range(400)
    ]
    for header in HEADERS + random_headers:
        clean = canonical(header)
        line(
            "cookie",
            header=escape(header),
            canonical=escape(clean),
            raw=shown(django_reads(header)),
            read=shown(django_reads(clean)),
        )


print(f"# Django {'.'.join(map(str, django.VERSION[:2]))}, made by django_vectors.py")
print_set()
print_cookies()
