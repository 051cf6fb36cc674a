"""Honest load with and without thousands of connections that keep the gateway waiting. What must
hold: no honest request fails, and under a tenth fewer are completed."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from ..cost import Cpu
from ..prepare import say
from ..report import table
from ..stats import percentile
from . import hammers

OPEN = 32
STREAMS = 10
SOURCES = 16
# After the slow ones have come or gone.
SETTLE = 2.0
MOST_LOST = 0.10


@dataclass
class Window:
    """A stretch of time, with or without the slow clients."""

    slow: bool
    seconds: float
    done: list  # honest requests, per hammer
    gateway_ns: int
    held: tuple = (0, 0)  # slow connections, at the least and at the most
    dawdler_ns: int = 0  # what the slow clients themselves used of the load's core

    @property
    def rate(self):
        return sum(self.done) / self.seconds


@dataclass
class Found:
    windows: list = field(default_factory=list)
    hammers: list = field(default_factory=list)
    thrown_out: int = 0
    complaints: list = field(default_factory=list)


def run(stage, options):
    # Each window, what it takes to open thousands of connections, and then some.
    patience = options.pairs * (2 * options.seconds + 60) + 120
    found = Found()
    with ExitStack() as stack:
        for title, protocol, streams in (("HTTP/1.1", "h1", 1), ("HTTP/2", "h2", STREAMS)):
            found.hammers.append(stack.enter_context(hammers.load(
                stage, f"honest clients over {title}", protocol, OPEN, streams, patience)))
        for one in found.hammers:
            one.await_ready()
        for number in range(options.pairs):
            say(f"  pair {number + 1} of {options.pairs}: without, then with "
                f"{options.slowloris:,} slow connections")
            time.sleep(SETTLE)
            found.windows.append(window(stage, found, options.seconds))
            with hammers.slow(stage, options.slowloris, patience, options.drip, options.refill,
                              SOURCES) as slow:
                slow.await_ready()
                time.sleep(SETTLE)
                found.windows.append(window(stage, found, options.seconds, slow))
                slow.stop()
            found.thrown_out += slow.total("ended")
        for one in found.hammers:
            one.stop()
    found.complaints = stage.complaints()
    return found


def window(stage, found, seconds, slow=None):
    def read():
        return time.time(), Cpu(stage.pids), Cpu([slow.generator.pid]) if slow else None

    start, gateway, dawdler = read()
    time.sleep(seconds)
    stage.crew.check()
    end, gateway_end, dawdler_end = read()
    # The line that closes the last second must be there.
    time.sleep(1.5)
    for one in found.hammers:
        one.check()
    held = (0, 0)
    if slow:
        slow.check()
        counts = [line["open"] for line in slow.lines if start <= line["at"] <= end]
        held = (min(counts), max(counts)) if counts else held
    return Window(
        slow is not None, end - start,
        [hammers.at(one.lines, end, "done") - hammers.at(one.lines, start, "done")
         for one in found.hammers],
        gateway_end.since(gateway) or 0, held,
        (dawdler_end.since(dawdler) or 0) if slow else 0)


def lost(found):
    """The share of honest requests that is missing while the slow ones are there."""
    rates = {slow: percentile([one.rate for one in found.windows if one.slow == slow], 50)
             for slow in (False, True)}
    return 1 - rates[True] / rates[False]


def verdicts(found):
    failed = sum(one.total(count) for one in found.hammers for count in ("app", "wrong", "broken"))
    yield "failed honest requests", "0", f"{failed:,}", failed == 0
    share = lost(found)
    yield ("completed honest requests lost", f"< {MOST_LOST:.0%}", f"{share:.1%}",
           share < MOST_LOST)


def markdown(found, options, about, versions):
    lines = list(verdicts(found))
    return "\n\n".join([
        "# Slow clients beside honest ones",
        "Written by `bench/soak --slowloris`; README.md says how to read it.",
        table(["", ""], [
            *([name, value] for name, value in about.items()),
            ["Sealwax", ", ".join(versions)],
            ["Honest load", f"{OPEN} connections over HTTP/1.1; {OPEN} over HTTP/2 with {STREAMS} "
                            "streams; each asks as fast as it is answered"],
            ["Slow clients", f"{options.slowloris:,}, in six ways, a byte each {options.drip:g} s; "
                             f"up to {options.refill:,} a second come again after being thrown "
                             f"out, which happened {found.thrown_out:,} times"],
        ]),
        table(["What must hold", "Target", "Measured", "Verdict"], [
            [what, target, measured, "met" if met else "**missed**"]
            for what, target, measured, met in lines]),
        "## Each stretch of time",
        "Honest requests completed in a second; CPU of the gateway for each (the slow clients' "
        "share is in it); slow connections held; how much of the load's core the slow clients "
        "themselves took, which the honest ones then lacked.",
        table(["", "Honest/s", "CPU µs", "Slow connections", "Slow clients' CPU"], [
            ["with" if one.slow else "without", f"{one.rate:,.0f}",
             f"{one.gateway_ns / 1e3 / sum(one.done):.1f}",
             f"{one.held[0]:,} to {one.held[1]:,}", f"{one.dawdler_ns / 1e9 / one.seconds:.1%}"]
            for one in found.windows]),
        *([f"The gateway's log has {len(found.complaints):,} warnings and errors. The first:",
           "```\n" + "\n".join(line[:300] for line in found.complaints[:5]) + "\n```"]
          if found.complaints else []),
    ]) + "\n", all(met for *_, met in lines)
