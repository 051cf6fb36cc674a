"""What all proxies have in common: the app behind them, the request, the policy asked for."""

import os
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
CACHE = BENCH / ".cache"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")

NAME = "localhost"
BODY = (b"The quick brown fox jumps over the lazy dog. " * 23)[:1024]
# Text, for it is compared through a program that prints it.
LARGE = BODY * 1024
LARGE_PATH = "/large"

SESSION = "k3p1x0q8v7m2z9r4t6y5w1n0b8c3d7f2"
TOKEN = "Zt5Xw2Qm9Lr7Bn4Vc1Kd8Hs6Gf3Jp0Ya"

# As Django sends them over plain HTTP with its defaults: the session cookie is HttpOnly, the
# CSRF cookie is not, neither is Secure.
APP_COOKIES = [
    f"sessionid={SESSION}; HttpOnly; Path=/",
    f"csrftoken={TOKEN}; Path=/",
]

# Every proxy of the side-by-side gets this same request header. The names are the ones a browser holds behind
# Sealwax, which takes the prefixes off again; the others pass it through.
REQUEST_COOKIE = f"__Host-sessionid={SESSION}; __Host-csrftoken={TOKEN}"

# What every proxy is set up to add.
HSTS = "max-age=63072000"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin-allow-popups",
}

PROXY_CORE = 0
LOAD_CORE = 1
FD_LIMIT = 20_000
# Upstream connections that a proxy may keep: 320 streams at once must not make it reconnect.
KEEP = 512
