"""Tables, in Markdown, which reads well in a terminal too."""

from . import rows, targets
from .figures import low, ratio
from .loads import HANDSHAKE_OPEN, IDLE_OPEN, OPEN
from .rows import LARGE_OPEN
from .scene import FD_LIMIT
from .stats import percentile

MEASURED = targets.MEASURED
YARDSTICK = "nginx"


def markdown(outcome, about, command):
    """The whole of RESULTS.md."""
    parts = [
        "# Results",
        "Written by `" + command + "`; README.md says how to read it. Lower is better everywhere "
        "but in requests per second. A difference under 3 % means nothing.",
        "## Targets",
        verdicts(outcome),
        "## What was measured, on what",
        facts(outcome, about),
        proxies(outcome),
        "## CPU (10th percentile of the slices)",
        costs(outcome),
        "## CPU relative to nginx",
        against_yardstick(outcome),
        "## CPU of Sealwax relative to each",
        of_measured(outcome),
        f"## Memory per idle TLS connection, KiB (PSS, {IDLE_OPEN:,} connections)",
        memory(outcome),
        "## Spread and rate",
        "Median CPU as a multiple of the 10th percentile; median requests (handshakes) per second; "
        "median share of the proxy's core that the proxy used. Where the share is well under "
        "100 %, the load generator was the limit.",
        spread(outcome),
    ]
    return "\n\n".join(parts) + "\n"


def brief(outcome):
    """The figures alone, for whoever measures a row again and again while working on it."""
    parts = []
    if outcome.cases:
        parts += ["CPU (10th percentile)", costs(outcome)]
        if YARDSTICK in outcome.peers and len(outcome.peers) > 1:
            parts += ["Relative to nginx", against_yardstick(outcome)]
        parts += ["Spread (median ÷ 10th percentile), rate, share of the core", spread(outcome)]
        parts += [f"Others used {outcome.foreign:.1%} of the proxies' core."]
    if outcome.memory:
        parts += [f"Memory per idle TLS connection, KiB (PSS, {IDLE_OPEN:,} connections)",
                  memory(outcome)]
    if list(targets.lines(outcome)):
        parts += [verdicts(outcome)]
    return "\n\n".join(parts) + "\n"


def verdicts(outcome):
    """Each target, what this run says of it, and the verdict."""
    return table(["Target", "", "Measured", "Verdict"], [
        [line.what, line.target, line.measured, "met" if line.met else "**missed**"]
        for line in targets.lines(outcome)])


def facts(outcome, about):
    table_rows = [[name, value] for name, value in about.items()]
    table_rows += [
        ["Requests", f"h2load, {OPEN} connections, 1 KiB answers with two cookies; "
                     f"{LARGE_OPEN} connections, 1 MiB"],
        ["Handshakes", f"sealwax-hammer, {HANDSHAKE_OPEN} connections at once, a GET on each"],
        ["Cores", "one for the proxies, one for load and upstream; "
                  f"{FD_LIMIT:,} file descriptors"],
        ["Slices", f"{outcome.rounds} rounds of {outcome.slice_seconds:g} s, "
                   f"{outcome.seconds:.0f} s in all; {outcome.dropped} dropped because a thread "
                   "ended within"],
        ["Others on the proxies' core", f"{outcome.foreign:.1%} of the time" + (
            ": **too much, the machine was not quiet**" if outcome.foreign > 0.03 else "")],
    ]
    return table(["", ""], table_rows)


def proxies(outcome):
    """Who they are, what they do to the cookies, what they agreed on with the hammer."""
    table_rows = []
    for peer in outcome.peers.values():
        version, tls = peer.versions()
        table_rows.append([peer.title, version, tls, peer.agreed.get(("full", "x25519"), "–"),
                           peer.agreed.get(("full", "hybrid"), "–"), peer.caveat])
    return table(["", "Version", "TLS library", "Agreed on", "With X25519MLKEM768 offered",
                  "Policy"], table_rows)


def costs(outcome):
    return table(["", *(f"{case.title}, {case.unit}" for case in outcome.cases)], [
        [peer.title, *(digits(low(outcome, case, key)) for case in outcome.cases)]
        for key, peer in outcome.peers.items()])


def digits(figure):
    return f"{figure:.1f}" if figure < 1000 else f"{figure:,.0f}"


def against_yardstick(outcome):
    return table(["", *(case.title for case in outcome.cases)], [
        [peer.title, *(f"{ratio(outcome, case, key, YARDSTICK):.2f}" for case in outcome.cases)]
        for key, peer in outcome.peers.items()])


def of_measured(outcome):
    return table(["Sealwax ÷", *(case.title for case in outcome.cases)], [
        [peer.title, *(f"{ratio(outcome, case, MEASURED, key):.2f}" for case in outcome.cases)]
        for key, peer in outcome.peers.items() if key != MEASURED])


def memory(outcome):
    kinds = [kind for kind in rows.IDLE.values()
             if any(found == kind.key for found, _ in outcome.memory)]

    def cells(key):
        for kind in kinds:
            idle, base = outcome.memory[kind.key, key], outcome.memory.get((kind.key, YARDSTICK))
            yield from (f"{idle.shaken:.1f}", f"{idle.asked:.1f}",
                        f"{idle.asked / base.asked:.2f}" if base else "–")

    head = [cell for kind in kinds for cell in (
        f"{kind.title}: after the handshake", "after one request", "÷ nginx")]
    return table(["", *head], [[peer.title, *cells(key)] for key, peer in outcome.peers.items()])


def spread(outcome):
    def cell(case, key):
        slices = outcome.slices[case.key, key]
        middle = percentile([case.figure(one) for one in slices], 50) / low(outcome, case, key)
        rate = percentile([one.requests / one.seconds for one in slices], 50)
        busy = percentile([one.busy for one in slices], 50)
        return f"{middle:.2f}×, {rate:,.0f}/s, {busy:.0%}"

    return table(["", *(case.title for case in outcome.cases)], [
        [peer.title, *(cell(case, key) for case in outcome.cases)]
        for key, peer in outcome.peers.items()])


def table(head, table_rows):
    widths = [max(len(row[column]) for row in [head, *table_rows])
              for column in range(len(head))]
    # Text to the left, figures to the right; a cell that starts with a digit is a figure.
    right = [column > 0 and all(row[column][:1].isdigit() for row in table_rows)
             for column in range(len(head))]

    def line(cells):
        return "| " + " | ".join(
            cell.rjust(width) if figures else cell.ljust(width)
            for cell, width, figures in zip(cells, widths, right)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if figures else "-")
                          for width, figures in zip(widths, right)) + "|"
    return "\n".join([line(head), rule, *map(line, table_rows)])
