"""What Django's own middleware costs, for the same requests that `sealwax-bench-layers` sends.

Run by a Python that has Django; prints a line of JSON for each unit, as the Rust program does.
Everything goes through Django's WSGI application in this process, as a server calls it, and the
answer is read and closed. There is no server and no template. CPU time is that of the process;
the median over batches counts.

The connection to the database is closed after each request, as by default (`CONN_MAX_AGE = 0`);
kept open, SQLite's costs about the same.
"""

import io
import json
import statistics
import tempfile
import time
from pathlib import Path
from wsgiref.headers import Headers

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.middleware.csrf import get_token
from django.urls import path

HOST = "app.example.com"
PAGE = "<!doctype html><title>Polls</title><p>What is new?</p>"
BATCH_SECONDS = 0.01
BATCHES = 40
WARM_UP = 4

SECURITY = "django.middleware.security.SecurityMiddleware"
SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
COMMON = "django.middleware.common.CommonMiddleware"
CSRF = "django.middleware.csrf.CsrfViewMiddleware"
MESSAGES = "django.contrib.messages.middleware.MessageMiddleware"
FRAMES = "django.middleware.clickjacking.XFrameOptionsMiddleware"
ALL = [SECURITY, SESSION, COMMON, CSRF, MESSAGES, FRAMES]

MEMORY = "django.contrib.sessions.backends.cache"
DATABASE = "django.contrib.sessions.backends.db"
COOKIE = "django.contrib.sessions.backends.signed_cookies"

LOGIN = {
    "_auth_user_id": "1",
    "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    "_auth_user_hash": "0f6c4b1a5e7d2938c1b0a6f5e4d3c2b1a09f8e7d6c5b4a3928171605f4e3d2c1",
}

SEALED = ["Strict-Transport-Security", "X-Content-Type-Options", "Referrer-Policy",
          "Cross-Origin-Opener-Policy", "X-Frame-Options"]


def page(request):
    if request.method == "POST" and not request.POST["text"]:
        raise ValueError("the form is empty")
    return HttpResponse(PAGE)


def cookies(request):
    response = HttpResponse(PAGE)
    response.set_cookie("theme", "dark", max_age=31449600)
    response.set_cookie("cart", "k3p1x0q8v7m2z9r4t6y5w1n0b8c3d7f2", httponly=True)
    return response


def login(request):
    request.session.update(LOGIN)
    return HttpResponse(PAGE)


def read(request):
    return HttpResponse(PAGE if request.session.get("_auth_user_id") else "")


def write(request):
    request.session["visits"] = request.session.get("visits", 1000) ^ 1
    return HttpResponse(PAGE)


def note(request):
    page(request)
    return write(request)


def token(request):
    return HttpResponse(get_token(request))


urlpatterns = [path(name, view) for name, view in [
    ("", page), ("cookies", cookies), ("login", login), ("read", read), ("write", write),
    ("note", note), ("token", token)]]

# name, the unit that does the same without middleware, middleware, engine, pages visited before,
# how it asks, page, fields that must be there
UNITS = [
    ("view GET", None, [], MEMORY, [], "GET", "/", []),
    ("view GET, cookies", None, [], MEMORY, [], "GET", "/cookies", []),
    ("view POST", None, [], MEMORY, [], "POST", "/", []),
    ("seal GET", "view GET", [SECURITY, FRAMES], MEMORY, [], "GET", "/", SEALED),
    ("seal GET, cookies", "view GET, cookies", [SECURITY, FRAMES], MEMORY, [], "GET", "/cookies",
     SEALED),
    ("session GET", "view GET", [SESSION], MEMORY, ["/login"], "GET", "/", []),
    ("session read", "view GET", [SESSION], MEMORY, ["/login"], "GET", "/read", ["Vary"]),
    ("session write", "view GET", [SESSION], MEMORY, ["/login"], "GET", "/write", ["Vary"]),
    ("session read, cookie", "view GET", [SESSION], COOKIE, ["/login"], "GET", "/read", ["Vary"]),
    ("session write, cookie", "view GET", [SESSION], COOKIE, ["/login"], "GET", "/write", ["Vary"]),
    ("session read, SQLite", "view GET", [SESSION], DATABASE, ["/login"], "GET", "/read", ["Vary"]),
    ("session write, SQLite", "view GET", [SESSION], DATABASE, ["/login"], "GET", "/write",
     ["Vary"]),
    ("csrf GET", "view GET", [CSRF], MEMORY, ["/token"], "GET", "/", []),
    ("csrf GET, token", "view GET", [CSRF], MEMORY, ["/token"], "GET", "/token", ["Vary"]),
    ("csrf POST, header", "view POST", [CSRF], MEMORY, ["/token"], "header", "/", []),
    ("csrf POST, form", "view POST", [CSRF], MEMORY, ["/token"], "form", "/", []),
    ("all GET", "view GET", ALL, MEMORY, ["/login", "/token"], "GET", "/", SEALED),
    ("all read", "view GET", ALL, MEMORY, ["/login", "/token"], "GET", "/read", SEALED),
    ("all GET, token", "view GET", ALL, MEMORY, ["/login", "/token"], "GET", "/token", SEALED),
    ("all POST, form, write", "view POST", ALL, MEMORY, ["/login", "/token"], "form", "/note",
     SEALED),
    ("all read, SQLite", "view GET", ALL, DATABASE, ["/login", "/token"], "GET", "/read", SEALED),
]

FIELDS = {
    "HTTP_HOST": HOST,
    "HTTP_SEC_CH_UA": '"Chromium";v="150", "Not)A;Brand";v="99"',
    "HTTP_SEC_CH_UA_MOBILE": "?0",
    "HTTP_SEC_CH_UA_PLATFORM": '"Linux"',
    "HTTP_UPGRADE_INSECURE_REQUESTS": "1",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
                       "Chrome/150.0.0.0 Safari/537.36",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
                   "image/apng,*/*;q=0.8",
    "HTTP_SEC_FETCH_SITE": "same-origin",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_USER": "?1",
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_REFERER": f"https://{HOST}/polls/",
    "HTTP_ACCEPT_ENCODING": "gzip, deflate, br, zstd",
    "HTTP_ACCEPT_LANGUAGE": "en-GB,en;q=0.9",
    "HTTP_PRIORITY": "u=0, i",
}


def configure(home):
    settings.configure(
        ALLOWED_HOSTS=[HOST], ROOT_URLCONF=__name__, USE_TZ=True,
        SECRET_KEY="measure-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMN",
        INSTALLED_APPS=["django.contrib.sessions", "django.contrib.messages"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3",
                               "NAME": str(home / "db.sqlite3")}},
        SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True,
        SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=31536000)
    django.setup()
    from django.core.management import call_command
    call_command("migrate", verbosity=0)


class Unit:
    def __init__(self, name, base, middleware, engine, before, ask, page_, fields):
        self.name, self.base = name, base
        settings.MIDDLEWARE, settings.SESSION_ENGINE = middleware, engine
        self.handler = WSGIHandler()
        self.jar = {"_ga": "GA1.1.1482301457.1763888000", "theme": "dark"}
        self.token = ""
        for visited in before:
            self.environ, self.body = self.request("GET", visited)
            _, headers, content = self.turn()
            self.token = content.decode()
            for cookie in headers.get_all("Set-Cookie"):
                key, _, value = cookie.split(";")[0].partition("=")
                self.jar[key.strip()] = value
        for idle in ("sessionid", "csrftoken"):
            self.jar.setdefault(idle, "k3p1x0q8v7m2z9r4t6y5w1n0b8c3d7f2")
        self.environ, self.body = self.request(ask, page_)
        for status, headers, content in (self.turn(), self.turn()):
            if status != "200 OK" or not content:
                raise SystemExit(f"{name}: {status} {content!r}")
            if missing := [field for field in fields if field not in headers]:
                raise SystemExit(f"{name}: {missing} not in {headers}")
        self.times = []
        self.batch = max(1, int(BATCH_SECONDS / max(self.time(10), 1e-6)))

    def request(self, ask, page_):
        body = b""
        environ = {
            "REQUEST_METHOD": "GET", "PATH_INFO": page_, "SCRIPT_NAME": "", "QUERY_STRING": "",
            "SERVER_NAME": HOST, "SERVER_PORT": "443", "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7", "wsgi.url_scheme": "https", **FIELDS,
            "HTTP_COOKIE": "; ".join(f"{key}={value}" for key, value in self.jar.items()),
        }
        if ask != "GET":
            long = "n" * (64 + len("csrfmiddlewaretoken=&"))
            text = {"form": f"csrfmiddlewaretoken={self.token}&text=n"}.get(ask, f"text={long}")
            body = text.encode()
            environ |= {"REQUEST_METHOD": "POST", "HTTP_ORIGIN": f"https://{HOST}",
                        "CONTENT_TYPE": "application/x-www-form-urlencoded",
                        "CONTENT_LENGTH": str(len(body))}
        if ask == "header":
            environ["HTTP_X_CSRFTOKEN"] = self.token
        return environ, body

    def turn(self):
        environ = self.environ.copy()
        environ["wsgi.input"] = io.BytesIO(self.body)
        answer = self.handler(environ, self.start)
        content = b"".join(answer)
        answer.close()
        return self.status, Headers(self.headers), content

    def start(self, status, headers):
        self.status, self.headers = status, headers

    def time(self, batch):
        start = time.process_time_ns()
        for _ in range(batch):
            self.turn()
        return (time.process_time_ns() - start) / batch / 1e9


def main():
    with tempfile.TemporaryDirectory() as home:
        configure(Path(home))
        units = [Unit(*unit) for unit in UNITS]
        for number in range(WARM_UP + BATCHES):
            for unit in units:
                took = unit.time(unit.batch)
                if number >= WARM_UP:
                    unit.times.append(took)
        for unit in units:
            print(json.dumps({
                "unit": unit.name, "base": unit.base or "",
                "ns": round(statistics.median(unit.times) * 1e9),
                "low_ns": round(statistics.quantiles(unit.times, n=10)[0] * 1e9),
                "version": django.get_version(),
            }))


if __name__ == "__main__":
    main()
