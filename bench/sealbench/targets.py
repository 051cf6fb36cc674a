"""What the engine has to reach, and whether a run shows that it does.

A ratio is CPU of Sealwax over CPU of the other in the same run. Nothing is typed in but the
targets: figures and verdicts come from the outcome.
"""

from dataclasses import dataclass

from . import rows
from .figures import memory_of, ratio

MEASURED = "sealwax"


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    what: str
    target: str
    measured: str
    met: bool


# Row, yardstick, the most that Sealwax may use of what the yardstick uses.
RATIOS = (
    ("full", "nginx", 0.45),
    ("resumed", "nginx", 0.45),
    ("h1", "nginx", 0.70),
    ("m10", "nginx", 0.60),
    ("m1", "nginx", 0.95),
    ("h1-large", "nginx", 0.50),
    ("m10", "haproxy", 0.85),
)
# KiB of memory of an idle connection.
IDLE = ("idle", 11.0)
# Who must be behind in every row.
BEHIND = ("envoy", "caddy", "traefik")


def lines(outcome):
    """Those targets that this outcome can tell anything about."""
    if MEASURED not in outcome.peers:
        return
    cases = {case.key: case for case in outcome.cases}
    for row, other, most in RATIOS:
        if row in cases and other in outcome.peers:
            got = ratio(outcome, cases[row], MEASURED, other)
            yield Line(f"{cases[row].title}: CPU ÷ {outcome.peers[other].title}",
                       f"≤ {most:.2f}", f"{got:.2f}", got <= most)
    row, most = IDLE
    if (row, MEASURED) in outcome.memory:
        got = memory_of(outcome, row, MEASURED)
        yield Line(f"{rows.IDLE[row].title}: memory of a connection", f"≤ {most:.1f} KiB",
                   f"{got:.1f} KiB", got <= most)
    for other in BEHIND:
        if other in outcome.peers:
            yield from ahead(outcome, other)


def ahead(outcome, other):
    """One line: the row in which the other comes closest, or is in front by the most."""
    ratios = {case.title: ratio(outcome, case, MEASURED, other) for case in outcome.cases}
    for kind in rows.IDLE.values():
        if (kind.key, MEASURED) in outcome.memory:
            ratios[f"{kind.title}, memory"] = (
                memory_of(outcome, kind.key, MEASURED) / memory_of(outcome, kind.key, other))
    if ratios:
        row, got = max(ratios.items(), key=lambda item: item[1])
        yield Line(f"ahead of {outcome.peers[other].title} in every row", "< 1.00",
                   f"at most {got:.2f} ({row})", got < 1)
