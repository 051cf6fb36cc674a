"""What the tower layers cost per request, beside bare axum, others' layers and Django's middleware.

`bench/layers` sends requests through an axum router in one process, `bench/layers/django_side.py`
the same ones through Django's WSGI application. They take turns, a few seconds each, and the
medians over the turns count. Instructions and allocations are counted as by `bench/budget`.
"""

import importlib.machinery
import importlib.util
import json
import os
import subprocess
import time
from statistics import median

from . import machine, prepare, process
from .errors import BenchError
from .prepare import say
from .report import table
from .scene import BENCH, CACHE, PROXY_CORE, ROOT

PACKAGE = "sealwax-bench-layers"
DJANGOS = {"Django 6.1": "venv-django6", "Django 5.2": "venv-django52"}
# A turn takes a few seconds.
PATIENCE = 120

# The units of bench/layers/src/units.rs in words. What is not here is a bare one.
TITLES = {
    "no layer GET": "a layer that does nothing",
    "seal GET": "`SealLayer`",
    "seal GET, around": "`SealLayer` around the router instead of in it",
    "seal GET, bare client": "`SealLayer`, a client with three fields and no cookie",
    "seal GET, cookies": "`SealLayer`, the page sets two cookies",
    "session GET": "`SessionLayer`, not asked for",
    "session read": "`SessionLayer`, memory: read",
    "session write": "`SessionLayer`, memory: read and written",
    "session read, SQLite": "`SessionLayer`, SQLite: read",
    "session write, SQLite": "`SessionLayer`, SQLite: read and written",
    "csrf GET": "`CsrfLayer`, GET",
    "csrf GET, token": "`CsrfLayer`, GET of a page with a token",
    "csrf POST": "`CsrfLayer`, POST, Fetch Metadata enough",
    "csrf POST, header": "`CsrfLayer`, POST, token in a header",
    "csrf POST, form": "`CsrfLayer`, POST, token in the form",
    "all GET": "`Protection`, GET",
    "all read": "`Protection`, GET, session read from memory",
    "all read, SQLite": "`Protection`, GET, session read from SQLite",
    "all GET, token": "`Protection`, GET of a page with a token",
    "all POST, form, write": "`Protection`, POST, token in the form, session written to memory",
    "tower-sessions GET": "tower-sessions 0.15, not asked for",
    "tower-sessions read": "tower-sessions 0.15, memory: read",
    "tower-sessions write": "tower-sessions 0.15, memory: read and written",
    "tower-http csrf GET": "tower-http 0.7 `CsrfLayer`, GET",
    "tower-http csrf POST": "tower-http 0.7 `CsrfLayer`, POST",
}
MICROSECONDS = 1e3
GOALS = [
    # What, unit, nanoseconds, allocations.
    ("`SealLayer`, a browser's request with four cookies", "seal GET, around", 1_000, 2),
    ("`SealLayer`, a client without cookies", "seal GET, bare client", 1_000, None),
    ("A session read from memory", "session read", 1_000, None),
    ("A session read from SQLite", "session read, SQLite", 50_000, None),
]
FACTOR = 100


def run(options):
    program = prepare.build([PACKAGE], features=[f"{PACKAGE}/sqlite"]) / PACKAGE
    djangos = {name: python(name, venv) for name, venv in DJANGOS.items()}
    start, load = time.monotonic(), os.getloadavg()[0]
    about = machine.describe()
    turns = {"Sealwax": [], **{name: [] for name in djangos}}
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        turns["Sealwax"].append(turn([program]))
        for name, interpreter in djangos.items():
            turns[name].append(turn([interpreter, BENCH / "layers" / "django_side.py"]))
    about["Load average"] = f"{load:.1f} before, {os.getloadavg()[0]:.1f} after"
    say("counting instructions and allocations")
    figures = {name: Figures(turns_) for name, turns_ in turns.items()}
    counts = count(program, [unit for unit in figures["Sealwax"].units if "SQLite" not in unit])
    text = markdown(about, options, figures, counts)
    print(text)
    (BENCH / "RESULTS-layers.md").write_text(text)
    say("written to bench/RESULTS-layers.md")
    say(f"measured in {time.monotonic() - start:.0f} s, without the builds")


def python(name, venv):
    found = ROOT / "tests" / ".cache" / venv / "bin" / "python"
    if not found.exists():
        raise BenchError(f"there is no {name} in {found.parent.parent}", "run ./test --setup")
    return found


def turn(command):
    """One run of a program that prints a line of JSON for each unit."""
    log = CACHE / "run" / "layers.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    bench = process.spawn(command, PROXY_CORE, log, stdout=subprocess.PIPE, text=True)
    watch = process.Watchdog(bench, PATIENCE)
    try:
        lines = bench.stdout.readlines()
        bench.wait()
    finally:
        watch.cancel()
        process.end(bench)
    if bench.returncode != 0:
        raise BenchError(f"{command[-1]} failed:\n{process.tail(log)}")
    return {one["unit"]: one for one in map(json.loads, lines)}


class Figures:
    """Medians over the turns, in nanoseconds."""

    def __init__(self, turns):
        self.turns = turns
        self.units = list(turns[0])
        self.version = turns[0][self.units[0]].get("version", "")

    def whole(self, unit):
        return median(turn_[unit]["ns"] for turn_ in self.turns)

    def extra(self, unit):
        """Beyond the bare unit of the same turn."""
        return median(turn_[unit]["ns"] - turn_[turn_[unit]["base"]]["ns"] for turn_ in self.turns)

    def base(self, unit):
        return self.turns[0][unit]["base"]


def count(program, units):
    """Instructions and allocations of each unit, as bench/budget counts them."""
    loader = importlib.machinery.SourceFileLoader("budget", str(BENCH / "budget"))
    budget = importlib.util.module_from_spec(importlib.util.spec_from_loader("budget", loader))
    loader.exec_module(budget)
    try:
        counted = budget.count({(PACKAGE, unit) for unit in units}, {PACKAGE: str(program)})
    except budget.BudgetError as problem:
        raise BenchError(str(problem)) from problem
    return {unit: both for (_, unit), both in counted.items()}


def markdown(about, options, figures, counts):
    ours = figures["Sealwax"]
    djangos = {name: one for name, one in figures.items() if name != "Sealwax"}

    def allocations(unit):
        return round(counts[unit][1] - counts[ours.base(unit)][1])

    def cost(unit):
        counted = ["–", "–"]
        if unit in counts:
            instructions = counts[unit][0] - counts[ours.base(unit)][0]
            counted = [f"{instructions:,.0f}", str(allocations(unit))]
        return [TITLES[unit], f"{ours.whole(unit) / MICROSECONDS:.2f}",
                f"{ours.extra(unit) / MICROSECONDS:.2f}", *counted]

    def against(unit):
        cells = [TITLES[unit], f"{ours.extra(unit) / MICROSECONDS:.2f}"]
        for django in djangos.values():
            cells += [f"{django.extra(unit) / MICROSECONDS:.1f}",
                      f"{django.extra(unit) / ours.extra(unit):.0f}×"]
        return cells

    shared = [unit for unit in ours.units
              if unit in TITLES and all(unit in django.units for django in djangos.values())]
    goals = []
    for what, unit, limit, most in GOALS:
        measured = ours.extra(unit)
        met = measured < limit and (most is None or allocations(unit) <= most)
        goals.append([what, f"under {limit / MICROSECONDS:g} µs"
                      + (f", {most} allocations" if most is not None else ""),
                      f"{measured / MICROSECONDS:.2f} µs"
                      + (f", {allocations(unit)} allocations" if most is not None else ""),
                      "met" if met else "**missed**"])
    factors = [django.extra(unit) / ours.extra(unit)
               for django in djangos.values() for unit in shared]
    goals.append(["Django's CPU for the same", f"{FACTOR}× or more",
                  f"{min(factors):.0f}× to {max(factors):.0f}×",
                  "met" if min(factors) >= FACTOR else
                  f"**missed** in {sum(f < FACTOR for f in factors)} of {len(factors)} rows"])
    return "\n\n".join([
        "# What the tower layers cost",
        "Written by `bench/run --layers`; README.md says how to read it. CPU time per request, all "
        "threads, medians.",
        "## Goals",
        table(["Goal", "", "Measured", "Verdict"], goals),
        "## What was measured, on what",
        table(["", ""], [
            *([name, value] for name, value in about.items()),
            ["Turns", f"{options.rounds} of each program, on one core"],
            ["Django", ", ".join(django.version for django in djangos.values())],
        ]),
        "## Beyond bare axum",
        table(["", "µs in all", "µs beyond", "instructions", "allocations"],
              [cost(unit) for unit in ours.units if unit in TITLES]),
        "Bare axum: " + ", ".join(
            f"{unit.removeprefix('axum ')} {ours.whole(unit) / MICROSECONDS:.2f} µs"
            for unit in ours.units if unit not in TITLES) + ".",
        "## Beside Django: beyond a view without middleware, µs",
        table(["", "Sealwax", *(cell for name in djangos for cell in (name, "÷ Sealwax"))],
              [against(unit) for unit in shared]),
        "Django's view without middleware: " + "; ".join(
            f"{name} {django.whole('view GET') / MICROSECONDS:.0f} µs"
            for name, django in djangos.items()) + ".",
    ]) + "\n"
