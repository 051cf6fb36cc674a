"""Django itself, asked for known answers.

`make N` prints one JSON object with N cases of everything that Django signs, encodes or formats,
each with fresh keys, salts, payloads and clocks. `judge` reads one JSON question a line and
answers each with what Django makes of a text: {"ok": value} or {"err": exception}.
"""
import datetime
import json
import math
import random
import string
import struct
import sys
from unittest import mock

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="set for each case",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.hashers import PBKDF2PasswordHasher, PBKDF2SHA1PasswordHasher
from django.contrib.auth.models import User
from django.contrib.messages.storage.base import Message
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends import cached_db, db, file, signed_cookies
from django.core import signing
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.middleware import csrf
from django.utils.http import http_date, url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe


class OwnStore(db.SessionStore):
    pass


ENGINES = {
    "db": db.SessionStore,
    "file": file.SessionStore,
    "cached_db": cached_db.SessionStore,
    "OwnStore": OwnStore,
}
CLOCKS = [0.0, 1.0, 61.5, 62.0, 1764000000.0, 1764000000.25, 2.0**31, 253402300799.0]
TEXTS = [
    "", "foo", "a:b", "::", "\u00e9\u2019\U0001F600", "line\nfeed\r\t\x00\x1f\x7f", "\"quoted\\\"",
    "\u2028", "x" * 300, "\ufeff", "</script>", "\u0660",
]
SURROGATES = ["\ud800", "\udfff\ud800", "a\udc00b"]
NUMBERS = [
    0, -1, 7, 2**31, 2**63 - 1, -(2**63), 0.0, -0.0, 1.5, 0.1, 1e16, 1e15, 123456789.125, 1e-5, 1e-4, 5e-324,
    1.7976931348623157e308, -2.5e-7, 1e22,
]
WILD = [2**64, -(10**40), 10**400, float("nan"), float("inf"), float("-inf")]


def text(r):
    return r.choice(TEXTS) + "".join(r.choice("abc:-_ \u00fc\u4e2d") for _ in range(r.randrange(4)))


def value(r, depth, wild):
    kind = r.randrange(8 if depth else 5)
    if kind == 0:
        return r.choice([None, True, False])
    if kind == 1:
        return r.choice(NUMBERS + (WILD if wild else []))
    if kind == 2:
        return r.uniform(-1, 1) * 10.0 ** r.randrange(-30, 30)
    if kind in (3, 4):
        return r.choice(SURROGATES) if wild and r.random() < 0.2 else text(r)
    if kind in (5, 6):
        return [value(r, depth - 1, wild) for _ in range(r.randrange(4))]
    return table(r, depth - 1, wild)


def table(r, depth, wild):
    names = [r.choice(SURROGATES) if wild and r.random() < 0.1 else text(r) for _ in range(r.randrange(5))]
    return {name: value(r, depth, wild) for name in names}


def compact(value):
    return json.dumps(value, separators=(",", ":"))


def freeze(now):
    return mock.patch("time.time", return_value=now)


def use(case):
    settings.SECRET_KEY = case["key"]
    settings.SECRET_KEY_FALLBACKS = case.get("fallbacks", [])


def make(r):
    key = r.choice(["", "\u00fc\u4e2d\U0001F600", "django-insecure-"]) + "".join(
        r.choice(string.printable) for _ in range(r.choice([1, 50, 63, 64, 65, 200]))
    )
    now = r.choice(CLOCKS)
    case = {"key": key, "now": now, "salt": text(r) or "salt", "text": text(r)}
    use(case)
    salt, signed = case["salt"], case["text"]
    with freeze(now):
        case["signed"] = signing.Signer(salt=salt).sign(signed)
        case["algorithms"] = {
            name: signing.Signer(salt=salt, algorithm=name).sign(signed)
            for name in ("sha1", "sha224", "sha256", "sha384", "sha512")
        }
        case["separated"] = signing.Signer(salt=salt, sep="/.").sign(signed)
        case["stamped"] = signing.TimestampSigner(salt=salt).sign(signed)
        case["cookie_signed"] = signing.get_cookie_signer(salt=salt).sign(signed)
        wild = value(r, 4, True)
        case["wild"] = {
            "json": compact(wild),
            "plain": signing.dumps(wild, salt=salt),
            "compressed": signing.dumps(wild, salt=salt, compress=True),
        }
        tame = json.loads(json.dumps(value(r, 4, False), sort_keys=True))
        tame = json.loads(compact(tame))
        case["tame"] = {"json": json.dumps(tame, separators=(",", ":"), sort_keys=True)}
        case["tame"]["plain"] = signing.dumps(json.loads(case["tame"]["json"]), salt=salt)
        session = table(r, 3, True)
        if r.random() < 0.3:
            session["_auth_user_hash"] = "0123456789abcdef" * 4
            session["filler"] = ["again and again"] * r.randrange(30)
        case["session"] = {"json": compact(session), "texts": {n: e().encode(session) for n, e in ENGINES.items()}}
        cookies = signed_cookies.SessionStore()
        cookies._session_cache = session
        case["session"]["texts"]["signed_cookies"] = cookies._get_session_key()
        password = "pbkdf2_sha256$1$" + text(r)
        case["auth"] = {"password": password, "hash": User(password=password).get_session_auth_hash()}
        name, cookie_salt = r.choice(["a", "ab", "__Host-x"]), r.choice(["", "b", "\u00fc", "\U0001F600:1"])
        response = HttpResponse()
        response.set_signed_cookie(name, "value " + signed.replace("\x00", ""), salt=cookie_salt)
        case["cookie"] = {"name": name, "salt": cookie_salt, "value": response.cookies[name].value}
        case["cookie"]["plain"] = "value " + signed.replace("\x00", "")
        messages = [
            Message(
                r.choice([10, 20, 25, 30, 40, 7, -1]),
                mark_safe(text(r)) if r.random() < 0.5 else text(r),
                extra_tags=r.choice([None, "", "tag", "t\u00fc two"]),
            )
            for _ in range(r.randrange(4))
        ]
        storage = CookieStorage(HttpRequest())
        case["messages"] = {
            "cookie": storage._encode(messages, encode_empty=True),
            "list": [[m.level, str(m.message), m.extra_tags, hasattr(m.message, "__html__")] for m in messages],
            "plain": storage.signer.sign_object(
                [json.dumps(m, separators=(",", ":"), cls=MESSAGE_ENCODER) for m in messages], serializer=Gather
            ),
        }
    return case


from django.contrib.messages.storage.cookie import MessageEncoder as MESSAGE_ENCODER


class Gather:
    def dumps(self, parts):
        return ("[" + ",".join(parts) + "]").encode("latin-1")


def make_tables(r):
    """What needs no key."""
    tables = {"django": django.VERSION[:2]}
    secrets = ["".join(r.choice(csrf.CSRF_ALLOWED_CHARS) for _ in range(32)) for _ in range(20)]
    mask = getattr(csrf, "_mask_cipher_secret")
    tables["csrf"] = [[secret, mask(secret)] for secret in secrets]
    hashed = []
    for hasher in (PBKDF2PasswordHasher(), PBKDF2SHA1PasswordHasher()):
        for password in ("", "l\u00e8tmein", "x" * 200):
            hashed.append([password, hasher.encode(password, hasher.salt(), iterations=r.randrange(1, 300))])
    tables["passwords"] = hashed
    tables["dates"] = [[t, http_date(t)] for t in [0, 951782400, *(r.randrange(253402300799) for _ in range(200))]]
    numbers = [0, -1, 61, 62, 2**63 - 1, -(2**63), *(r.randrange(-(2**63), 2**63) for _ in range(50))]
    tables["base62"] = [[n, signing.b62_encode(n)] for n in numbers]
    bits = [struct.unpack("<d", struct.pack("<Q", r.randrange(2**64)))[0] for _ in range(2000)]
    # Eighths and halves up there lie halfway between two shortest texts.
    halves = [r.randrange(2 ** r.randrange(1, 54)) / r.choice([2, 4, 8, 64]) for _ in range(2000)]
    tables["floats"] = [[number, repr(number)] for number in bits + halves if math.isfinite(number)]
    utc = datetime.timezone.utc
    epoch = datetime.datetime(1970, 1, 1, tzinfo=utc)
    expiries = []
    for micros in [0, 1764000000_000000, 1764000000_999999, r.randrange(4 * 10**15)]:
        then = epoch + datetime.timedelta(microseconds=micros)
        zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
        for expiry in [
            None, 0, 1, 300, 2**33, (then + datetime.timedelta(seconds=90, microseconds=1)).isoformat(),
            (then + datetime.timedelta(days=400)).astimezone(zone).isoformat(),
            then.isoformat(),
        ]:
            store = db.SessionStore()
            store._session_cache = {} if expiry is None else {"_session_expiry": expiry}
            date = store.get_expiry_date(modification=then)
            expiries.append({
                "json": compact(store._session_cache),
                "now": micros,
                "age": store.get_expiry_age(modification=then),
                "date": (date - epoch) // datetime.timedelta(microseconds=1),
                "close": store.get_expire_at_browser_close(),
            })
    tables["expiries"] = expiries
    formats = []
    for cookie in ["", "plain", "a b", "a;b,c\"\\", "\u00e9\x7f\x01", "\u2019", "()<>@[]{}=?/:"]:
        for attributes in [
            {}, {"path": None}, {"max_age": 60, "secure": True, "httponly": True, "samesite": "Lax"},
            {"domain": "example.com", "samesite": "none", "path": "/x"},
        ]:
            response = HttpResponse()
            with freeze(1764000000.0):
                response.set_cookie("name", cookie, **attributes)
            morsel = response.cookies["name"]
            formats.append({
                "value": cookie,
                "attributes": {k: v for k, v in morsel.items() if v != ""},
                "field": morsel.OutputString(),
            })
    tables["formats"] = formats
    pieces = ["a=1", "a=2", " b = \"x\\073y\" ", "c", "=", "", "\u2000d=\x1fe", "f=\"", "g=\"\\\"", "h=\"a;b\"", "i=a=b",
              "j=\"\\400\\12\"", "k=\"\\\n\"", "\u00e9=\u4e2d", "=v"]
    headers = [";".join(r.choice(pieces) for _ in range(r.randrange(8))) for _ in range(100)]
    tables["parses"] = [[h, list(parse_cookie(h).items())] for h in headers]
    return tables


def judge(q):
    use(q)
    settings.SIGNED_COOKIE_LEGACY_SALT_FALLBACK = q.get("legacy", False)
    max_age = q.get("max_age")
    with freeze(q["now"]):
        if q["op"] == "unsign":
            return signing.Signer(salt=q["salt"]).unsign(q["text"])
        if q["op"] == "unstamp":
            return signing.TimestampSigner(salt=q["salt"]).unsign(q["text"], max_age=max_age)
        if q["op"] == "loads":
            return compact(signing.loads(q["text"], salt=q["salt"], max_age=max_age))
        if q["op"] == "session":
            return compact(ENGINES[q["engine"]]().decode(q["text"]))
        if q["op"] == "session_cookie":
            settings.SESSION_COOKIE_AGE = max_age
            return compact(signed_cookies.SessionStore(q["text"]).load())
        if q["op"] == "cookie":
            request = HttpRequest()
            request.COOKIES[q["name"]] = q["text"]
            return request.get_signed_cookie(q["name"], salt=q["salt"], max_age=max_age)
        if q["op"] == "messages":
            request = HttpRequest()
            request.COOKIES["messages"] = q["text"]
            messages, complete = CookieStorage(request)._get()
            return messages and {
                "list": [[m.level, str(m.message), m.extra_tags, hasattr(m.message, "__html__")] for m in messages],
                "all": complete,
            }
        if q["op"] == "auth":
            user = User(password=q["password"])
            made = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
            return made.index(q["text"]) if q["text"] in made else None
        if q["op"] == "csrf":
            csrf_ok = getattr(csrf, "_does_token_match")
            return csrf_ok(q["text"], q["secret"])
        if q["op"] == "redirect":
            return url_has_allowed_host_and_scheme(q["url"], allowed_hosts=set(q["hosts"]), require_https=q["https"])
        if q["op"] == "password":
            return PBKDF2PasswordHasher().verify(q["password"], q["text"])
    raise AssertionError(q["op"])


if sys.argv[1] == "make":
    seed = random.SystemRandom().randrange(2**64)
    r = random.Random(seed)
    print(json.dumps({"seed": seed, "tables": make_tables(r), "cases": [make(r) for _ in range(int(sys.argv[2]))]}))
else:
    for line in sys.stdin:
        try:
            answer = {"ok": judge(json.loads(line))}
        except IndexError:  # what Django raises for an empty time, ValueError for any other
            answer = {"err": "ValueError"}
        except Exception as error:
            answer = {"err": type(error).__name__}
        print(json.dumps(answer))
