#!/usr/bin/env bash
# Makes what the end-to-end tests stand on, under tests/.cache: Python environments with
# Django, Flask and h11 from PyPI, Django's own tests, ready databases, and Node's packages.
# Safe to run again and again; work that is done is not done twice. Prints one line for each.
set -euo pipefail
cd "$(dirname "$0")"
cache="$PWD/.cache"
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

# A Python of at least the given version, or nothing: on the PATH first, then pyenv's.
python_at_least() {
  local want="$1" found
  for found in python3 python3.14 python3.13 python3.12 python3.11 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3; do
    if "$found" -c "import sys, venv, ensurepip; sys.exit(sys.version_info < tuple(map(int, '$want'.split('.'))))" >/dev/null 2>&1; then
      command -v "$found"
      return
    fi
  done
}

# venv NAME REQUIREMENTS PYTHON: made anew when the requirements or the Python change.
venv() {
  local name="$1" requirements="$2" python="$3" dir="$cache/venv-$1" stamp
  stamp="$(cat "$requirements"; "$python" --version)"
  if [ ! -x "$dir/bin/python" ] || [ "$(cat "$dir/.stamp" 2>/dev/null)" != "$stamp" ]; then
    rm -rf "$dir"
    "$python" -m venv "$dir"
    "$dir/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
    printf '%s' "$stamp" >"$dir/.stamp"
  fi
}

# A migrated database with one superuser, copied by each test.
database() {
  local name="$1" dir="$cache/venv-$1" file="$cache/$1.sqlite3"
  if [ ! -f "$file" ] || [ "$dir/.stamp" -nt "$file" ]; then
    rm -f "$file" "$file.new"
    (
      cd apps/django
      export SHOP_DATABASE="$file.new" PYTHONDONTWRITEBYTECODE=1
      "$dir/bin/python" manage.py migrate --verbosity 0
      DJANGO_SUPERUSER_PASSWORD=correct-horse "$dir/bin/python" manage.py createsuperuser \
        --noinput --username alice --email alice@example.test >/dev/null
    )
    mv "$file.new" "$file"
  fi
}

# The source distribution of a Django, which carries Django's own tests, for conformance/run.
sources() {
  local version="$1" dir="$cache/conformance/django-$1" download
  if [ ! -f "$dir/tests/runtests.py" ]; then
    download="$(mktemp -d "$cache/download.XXXXXX")"
    "$cache/venv-$2/bin/pip" download --quiet --disable-pip-version-check --no-deps \
      --no-binary Django --dest "$download" "Django==$version"
    mkdir -p "$cache/conformance"
    tar -xzf "$download"/[Dd]jango-"$version".tar.gz -C "$download"
    mv "$download"/[Dd]jango-"$version"/ "$dir"
    rm -rf "$download"
  fi
}

rm -f "$cache/missing"
python="$(python_at_least 3.10)"
if [ -z "$python" ]; then
  echo "setup: no Python 3.10 or newer with venv was found; install python3 and python3-venv" >&2
  exit 2
fi
venv django52 apps/requirements-django52.txt "$python"
database django52
echo "setup: $("$cache/venv-django52/bin/python" -c 'import django, sys; print("Django", django.get_version(), "on Python", sys.version.split()[0])')"

venv conformance52 apps/requirements-conformance.txt "$python"
sources 5.2.19 conformance52

# The oldest Django that is spoken with.
venv django42 apps/requirements-django42.txt "$python"
database django42
echo "setup: $("$cache/venv-django42/bin/python" -c 'import django, sys; print("Django", django.get_version(), "on Python", sys.version.split()[0])')"

newer="$(python_at_least 3.12)"
if [ -n "$newer" ]; then
  venv django6 apps/requirements-django6.txt "$newer"
  database django6
  venv conformance61 apps/requirements-conformance.txt "$newer"
  sources 6.1.3 conformance61
  echo "setup: $("$cache/venv-django6/bin/python" -c 'import django, sys; print("Django", django.get_version(), "on Python", sys.version.split()[0])')"
else
  echo "Django 6: no Python 3.12 or newer on this machine" >>"$cache/missing"
  echo "setup: Django 6 SKIPPED: no Python 3.12 or newer on this machine"
fi

venv flask apps/requirements-flask.txt "$python"
echo "setup: $("$cache/venv-flask/bin/python" -c 'import importlib.metadata as m; print("Flask", m.version("flask"))')"

venv framing apps/requirements-framing.txt "$python"
echo "setup: $("$cache/venv-framing/bin/python" -c 'import h11; print("h11", h11.__version__)')"

mkdir -p "$cache/node"
if [ ! -d "$cache/node/node_modules/ws" ] || [ apps/node/package.json -nt "$cache/node/node_modules/ws" ]; then
  cp apps/node/package.json "$cache/node/"
  (cd "$cache/node" && npm install --silent --no-audit --no-fund --no-package-lock >/dev/null)
  touch "$cache/node/node_modules/ws"
fi
echo "setup: Node $(node --version) with ws $(node -p "require('$cache/node/node_modules/ws/package.json').version")"
