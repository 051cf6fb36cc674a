"""A Django project as `startproject` leaves it, plus the one line that Sealwax asks for.

Nothing here makes a cookie secure, redirects to HTTPS or trusts an origin: that is the
gateway's work, and the tests show that it does it. What a test wants otherwise comes in
through SHOP_SETTINGS, a JSON object laid over the settings.
"""
import json
import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = "django-insecure-for-tests-only-0123456789abcdefghijklmnopqrstuv"
DEBUG = False
ALLOWED_HOSTS = ["*"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", BASE_DIR / "db.sqlite3"),
    }
}

# Messages in their cookie, so that the cookie goes through the gateway in both directions.
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
# Fast on purpose: the tests log in often, and the hash is not what they are about.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = []

LANGUAGE_CODE = "en-us"
USE_TZ = True
STATIC_URL = "static/"
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# Uploads of any size go to a file, never to memory.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 << 16

# The one line a Django app behind Sealwax needs.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

for _name, _value in json.loads(os.environ.get("SHOP_SETTINGS", "{}")).items():
    globals()[_name] = tuple(_value) if _name == "SECURE_PROXY_SSL_HEADER" and _value else _value
