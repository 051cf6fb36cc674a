"""Load for minutes: idle connections, both protocols at once, clients that leave, an app that
restarts. What must hold: no error but the app's, memory flat, no descriptor leaked."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from ..cost import pss
from ..prepare import say
from ..report import table
from ..stats import percentile
from . import hammers

OPEN = 32
STREAMS = 10
# Each idle connection asks this often; the gateway closes what is silent for 75 s.
IDLE_PAUSE = 30
# Addresses that the idle connections come from, 127.0.0.2 and up.
IDLE_SOURCES = 8
SAMPLE_EVERY = 5.0
# After the app listens again the gateway may rest before it tries it again.
GRACE = 2.0
# From the second quarter of the time to the last, memory may grow by this.
FLAT = 1.05
# How long the gateway may take to close what its clients have left.
CLOSING = 30.0


@dataclass
class Found:
    """What a soak found."""

    seconds: float
    hammers: list
    away: list = field(default_factory=list)  # (down, up)
    samples: list = field(default_factory=list)  # (seconds since the start, KiB, Counter)
    before: object = None  # Counter of descriptors
    after: object = None
    complaints: list = field(default_factory=list)


def run(stage, options):
    seconds = options.minutes * 60
    patience = seconds + 300
    found = Found(seconds, [])
    with ExitStack() as stack:
        # What is opened once, at the first requests, is no leak.
        found.before = stage.files()
        idle = stack.enter_context(hammers.load(
            stage, "idle clients", "h1", options.idle, 1, patience, pause=IDLE_PAUSE,
            sources=IDLE_SOURCES))
        idle.await_ready()
        say(f"{options.idle:,} connections stand; loading for {seconds:.0f} s")
        for title, protocol, streams in (("HTTP/1.1", "h1", 1), ("HTTP/2", "h2", STREAMS)):
            found.hammers.append(stack.enter_context(hammers.load(
                stage, f"clients over {title}", protocol, OPEN, streams, patience,
                abort_every=options.abort_every)))
        for one in found.hammers:
            one.await_ready()
        found.hammers.append(idle)
        endure(stage, found, options)
        for one in found.hammers:
            one.stop()
    deadline = time.monotonic() + CLOSING
    # What the app has closed is found at the next sweep.
    while any((after := stage.files())[kind] for kind in ("clients", "dead")) \
            and time.monotonic() < deadline:
        time.sleep(0.5)
    found.after = after
    found.complaints = stage.complaints()
    return found


def endure(stage, found, options):
    start = time.monotonic()
    restart, sample = options.restart_every, 0.0
    while (now := time.monotonic() - start) < found.seconds:
        stage.crew.check()
        for one in found.hammers:
            one.check()
        if now >= sample:
            found.samples.append((now, pss(stage.pids), stage.files()))
            sample += SAMPLE_EVERY
        # Not at the very end: the gateway shall have answered again before it is over.
        if now >= restart and found.seconds - now > 5:
            found.away.append(stage.restart_app())
            restart += options.restart_every
            say(f"  {now:.0f} s: the app was restarted; "
                f"{found.samples[-1][1] / 1024:.1f} MiB, {found.samples[-1][2]['all']:,} descriptors")
        time.sleep(0.2)


def verdicts(found):
    """(what, target, measured, met) of each thing that must hold."""
    ours = {count: sum(one.total(count) for one in found.hammers) for count in ("broken", "wrong")}
    ours["app"] = sum(hammers.outside(one.lines, "app", found.away, GRACE)
                      for one in found.hammers)
    names = {"broken": "no answer, or not a whole one", "wrong": "an answer that is not the app's",
             "app": f"an error page while the app listened ({GRACE:g} s grace)"}
    for count, name in names.items():
        yield name, "0", f"{ours[count]:,}", ours[count] == 0
    growth = growth_of([kib for _, kib, _ in found.samples])
    if growth is None:
        yield "memory, last quarter ÷ second", f"≤ {FLAT}", "too short to tell", False
    else:
        yield "memory, last quarter ÷ second", f"≤ {FLAT}", f"{growth:.3f}", growth <= FLAT
    left = found.after["clients"]
    yield f"descriptors of clients, {CLOSING:.0f} s after the last has gone", "0", f"{left:,}", left == 0
    # A pooled connection to the app is no leak; one that the app has closed is, if it stays.
    dead = found.after["dead"]
    yield "sockets that nobody is at the other end of", "0", f"{dead:,}", dead == 0
    more = sum(found.after[kind] - found.before[kind] for kind in ("files", "other", "listening"))
    yield "other descriptors than before", "0", f"{more:,}", more <= 0


def growth_of(samples):
    """Median of the last quarter over the median of the second: the first is for warming up."""
    quarter = len(samples) // 4
    if quarter < 1:
        return None
    return percentile(samples[-quarter:], 50) / percentile(samples[quarter:2 * quarter], 50)


def markdown(found, options, about, versions):
    lines = list(verdicts(found))
    middle = found.samples[:: max(1, len(found.samples) // 12)]
    return "\n\n".join([
        "# Under load for minutes",
        "Written by `bench/soak`; README.md says how to read it.",
        table(["", ""], [
            *([name, value] for name, value in about.items()),
            ["Sealwax", ", ".join(versions)],
            ["Load", f"{options.idle:,} idle TLS connections, one request each in {IDLE_PAUSE} s; "
                     f"{OPEN} connections over HTTP/1.1; {OPEN} over HTTP/2 with {STREAMS} streams"],
            ["Time", f"{found.seconds:.0f} s; the app restarted {len(found.away)} times"],
        ]),
        table(["What must hold", "Target", "Measured", "Verdict"], [
            [what, target, measured, "met" if met else "**missed**"]
            for what, target, measured, met in lines]),
        "## Requests",
        "Answered whole and right; given up by the client; answered with an error page of the "
        "gateway; answered wrongly; not answered whole; HTTP/2 connections that the gateway ended "
        "in order; the longest that a right answer took.",
        table(["", "Right", "Given up", "Error page", "Wrong", "Broken", "Farewells", "Longest"], [
            [one.title, *(f"{one.total(count):,}" for count in (*hammers.COUNTS, "farewells")),
             f"{one.total('slowest'):.2f} s"] for one in found.hammers]),
        "## The gateway over time",
        table(["Second", "PSS, MiB", "Descriptors", "of clients", "to the app", "dead"], [
            [f"{at:.0f}", f"{kib / 1024:.1f}",
             *(f"{files[kind]:,}" for kind in ("all", "clients", "app", "dead"))]
            for at, kib, files in middle]),
        *complained(found.complaints),
    ]) + "\n", all(met for *_, met in lines)


def complained(lines):
    if not lines:
        return []
    return [f"The gateway's log has {len(lines):,} warnings and errors. The first:",
            "```\n" + "\n".join(line[:300] for line in lines[:5]) + "\n```"]
