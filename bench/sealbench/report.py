"""Tables, in Markdown, which reads well in a terminal too."""

from .scene import FD_LIMIT
from .loads import HANDSHAKE_OPEN, IDLE, OPEN
from .stats import percentile

MEASURED = "sealwax"
YARDSTICK = "nginx"


def markdown(outcome, about, command):
    """The whole of RESULTS.md."""
    parts = [
        "# Results",
        "Written by `" + command + "`; README.md says how to read it. Lower is better everywhere "
        "but in requests per second. A difference under 3 % means nothing.",
        facts(outcome, about),
        proxies(outcome),
    ]
    if outcome.cases:
        parts += ["## CPU per request, µs (10th percentile of the slices)", costs(outcome)]
    if outcome.cases and YARDSTICK in outcome.peers:
        parts += ["## CPU relative to nginx", against_yardstick(outcome)]
    if outcome.cases and MEASURED in outcome.peers and len(outcome.peers) > 1:
        parts += ["## CPU of Sealwax relative to each", of_measured(outcome)]
    if outcome.memory:
        parts += [f"## Memory per idle TLS connection (PSS, {IDLE:,} connections)", memory(outcome)]
    if outcome.cases:
        parts += ["## Spread and rate",
                  "Median CPU per request as a multiple of the 10th percentile; median requests "
                  "(handshakes) per second; median share of the proxy's core that the proxy used. "
                  "Where the share is well under 100 %, the load generator was the limit.",
                  spread(outcome)]
    return "\n\n".join(parts) + "\n"


def brief(outcome):
    """The figures alone, for whoever measures a row again and again while working on it."""
    parts = []
    if outcome.cases:
        parts += ["CPU per request, µs (10th percentile)", costs(outcome)]
        if YARDSTICK in outcome.peers and len(outcome.peers) > 1:
            parts += ["Relative to nginx", against_yardstick(outcome)]
        parts += ["Spread (median ÷ 10th percentile), rate, share of the core", spread(outcome)]
        parts += [f"Others used {outcome.foreign:.1%} of the proxies' core."]
    if outcome.memory:
        parts += [f"Memory per idle TLS connection (PSS, {IDLE:,} connections)", memory(outcome)]
    return "\n\n".join(parts) + "\n"


def facts(outcome, about):
    rows = [[name, value] for name, value in about.items()]
    rows += [
        ["Requests", f"h2load, {OPEN} connections, 1 KiB answers with two cookies"],
        ["Handshakes", f"sealwax-hammer, {HANDSHAKE_OPEN} connections at once, a GET on each"],
        ["Cores", "one for the proxies, one for load and upstream; "
                  f"{FD_LIMIT:,} file descriptors"],
        ["Slices", f"{outcome.rounds} rounds of {outcome.slice_seconds:g} s, "
                   f"{outcome.seconds:.0f} s in all; {outcome.dropped} dropped because a thread "
                   "ended within"],
        ["Others on the proxies' core", f"{outcome.foreign:.1%} of the time" + (
            ": **too much, the machine was not quiet**" if outcome.foreign > 0.03 else "")],
    ]
    return table(["", ""], rows)


def proxies(outcome):
    """Who they are, what they do to the cookies, what they agreed on with the hammer."""
    rows = []
    for peer in outcome.peers.values():
        version, tls = peer.versions()
        rows.append([peer.title, version, tls, peer.agreed.get(("full", "x25519"), "–"),
                     peer.agreed.get(("full", "hybrid"), "–"), peer.caveat])
    return table(["", "Version", "TLS library", "Agreed on", "With X25519MLKEM768 offered", "Policy"],
                 rows)


def low(outcome, case, key):
    return percentile([one.micros for one in outcome.slices[case.key, key]], 10)


def costs(outcome):
    return table(["", *(case.title for case in outcome.cases)], [
        [peer.title, *(f"{low(outcome, case, key):.1f}" for case in outcome.cases)]
        for key, peer in outcome.peers.items()])


def against_yardstick(outcome):
    return table(["", *(case.title for case in outcome.cases)], [
        [peer.title, *(f"{low(outcome, case, key) / low(outcome, case, YARDSTICK):.2f}"
                       for case in outcome.cases)]
        for key, peer in outcome.peers.items()])


def of_measured(outcome):
    return table(["Sealwax ÷", *(case.title for case in outcome.cases)], [
        [peer.title, *(f"{low(outcome, case, MEASURED) / low(outcome, case, key):.2f}"
                       for case in outcome.cases)]
        for key, peer in outcome.peers.items() if key != MEASURED])


def memory(outcome):
    base = outcome.memory.get(YARDSTICK)
    return table(["", "KiB", "÷ nginx"], [
        [outcome.peers[key].title, f"{kib:.1f}", f"{kib / base:.2f}" if base else "–"]
        for key, kib in outcome.memory.items()])


def spread(outcome):
    def cell(case, key):
        slices = outcome.slices[case.key, key]
        middle = percentile([one.micros for one in slices], 50) / low(outcome, case, key)
        rate = percentile([one.requests / one.seconds for one in slices], 50)
        busy = percentile([one.busy for one in slices], 50)
        return f"{middle:.2f}×, {rate:,.0f}/s, {busy:.0%}"

    return table(["", *(case.title for case in outcome.cases)], [
        [peer.title, *(cell(case, key) for case in outcome.cases)]
        for key, peer in outcome.peers.items()])


def table(head, rows):
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    # Text to the left, figures to the right; a cell that starts with a digit is a figure.
    right = [column > 0 and all(row[column][:1].isdigit() for row in rows)
             for column in range(len(head))]

    def line(cells):
        return "| " + " | ".join(
            cell.rjust(width) if figures else cell.ljust(width)
            for cell, width, figures in zip(cells, widths, right)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if figures else "-")
                          for width, figures in zip(widths, right)) + "|"
    return "\n".join([line(head), rule, *map(line, rows)])
