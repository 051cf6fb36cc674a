"""The command line of bench/soak."""

import argparse
import os
import signal
import sys

from .. import machine, prepare, process
from ..cli import alone, program
from ..errors import BenchError
from ..prepare import say
from ..scene import BENCH, LOAD_CORE
from . import slowloris, soak
from .stage import Stage

FULL_IDLE, FULL_MINUTES, FULL_SLOW = 10_000, 10.0, 5_000


def main():
    options = parse()
    for sign in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, lambda *_: sys.exit(130))
    try:
        machine.require()
        with alone():
            return 0 if act(options) else 1
    except BenchError as error:
        say(f"bench/soak: {error}")
        return 2
    except KeyboardInterrupt:
        say("interrupted; everything started was ended")
        return 130


def parse(words=None):
    parser = argparse.ArgumentParser(prog="bench/soak", description=(
        "Loads Sealwax for minutes: idle connections, both protocols at once, clients that leave, "
        "an app that restarts. Or, with --slowloris, honest load beside slow clients. Exits with "
        "1 when something that must hold did not. A run of full size is written to "
        "RESULTS-soak.md or RESULTS-slowloris.md."))
    number = parser.add_argument
    number("--idle", type=within(int, 1, 19_000), default=FULL_IDLE, metavar="N",
           help=f"idle TLS connections (default: {FULL_IDLE:,})")
    number("--minutes", type=within(float, 0.1, 100), default=FULL_MINUTES, metavar="T",
           help=f"length of the load (default: {FULL_MINUTES:g})")
    number("--restart-every", type=within(float, 5, 3600), default=30.0, metavar="S",
           help="seconds between two restarts of the app (default: 30)")
    number("--abort-every", type=within(int, 0, 10**6), default=100, metavar="N",
           help="each how many-th request is given up by its client; 0: none (default: 100)")
    number("--slowloris", type=within(int, 1, 15_000), metavar="N",
           help=f"slow connections beside honest load, instead (full size: {FULL_SLOW:,})")
    number("--pairs", type=within(int, 1, 20), default=3, metavar="N",
           help="with --slowloris: stretches of time without and with (default: 3 each)")
    number("--seconds", type=within(float, 2, 600), default=20.0, metavar="S",
           help="with --slowloris: length of a stretch (default: 20)")
    number("--drip", type=within(float, 0.1, 60), default=5.0, metavar="S",
           help="with --slowloris: between two bytes of a slow connection (default: 5)")
    number("--refill", type=within(int, 1, 5_000), default=400, metavar="N",
           help="with --slowloris: slow connections that come again in a second after they were "
                "thrown out (default: 400, which keeps 5,000 standing)")
    number("--sealwax", type=program, metavar="PATH",
           help="try this binary, and do not build one (default: target/release/sealwax)")
    number("--no-build", action="store_true", help="take the release binaries as they are")
    return parser.parse_args(words)


def within(kind, least, most):
    def read(text):
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be {least} to {most}")
        return value

    return read


def is_full(options):
    """Whether a run is fit to be written down."""
    if options.sealwax is not None:
        return False
    if options.slowloris is not None:
        return options.slowloris >= FULL_SLOW and options.pairs >= 3 and options.seconds >= 20
    return (options.idle >= FULL_IDLE and options.minutes >= FULL_MINUTES
            and options.restart_every <= 30 and 0 < options.abort_every <= 100)


def act(options):
    prepare.packages(["nginx", "nghttp", "openssl"])
    wanted = ["sealwax-hammer", *(["sealwax-cli"] if options.sealwax is None else [])]
    home = prepare.TARGET / "release" if options.no_build else prepare.build(wanted)
    tls = prepare.certificate()
    about = machine.describe()
    os.sched_setaffinity(0, {LOAD_CORE})
    way = soak if options.slowloris is None else slowloris
    with process.Crew() as crew:
        stage = Stage(crew, options.sealwax or home / "sealwax", tls, home / "sealwax-hammer")
        found = way.run(stage, options)
        text, held = way.markdown(found, options, about, stage.peer.versions())
    print(text)
    if is_full(options):
        name = f"RESULTS-{way.__name__.rpartition('.')[2]}.md"
        (BENCH / name).write_text(text)
        say(f"written to bench/{name}")
    return held
