"""What the policy costs: one exchange by itself, held against the gateway's CPU per request.

The settings have no "off", and shall not have one: a gateway without host check and cookie
rules is no gateway of ours. So the policy is measured twice. By itself, in `bench/policy`, as
nanoseconds per exchange; that is the figure for the budget. And by difference, between the
gateway as it comes and the gateway with everything off that can be; that shows less, since
cookies are still read and the Cookie header is still rebuilt, but shows it in the real thing.
"""

import json
import os
import subprocess
import time

from . import campaign, machine, peers, process, rows
from .errors import BenchError
from .figures import low
from .peers.base import HARDENED
from .prepare import say
from .report import table
from .scene import BENCH, CACHE, LOAD_CORE, PROXY_CORE, SESSION, TOKEN

BUDGET = 0.05


class Barest(peers.ALL["sealwax"]):
    """Sealwax with every rule off that the settings let one switch off."""

    title = "Sealwax, barest"
    adds_headers = False
    # Without prefixes, that is how a browser holds them.
    request_cookie = f"sessionid={SESSION}; csrftoken={TOKEN}"
    cookie_names = ("sessionid", "csrftoken")
    # Secure and the SameSite floor cannot be switched off.
    cookie_attributes = (HARDENED, HARDENED - {"httponly"})
    rules = """
[site.redirect]
enabled = false

[site.hsts]
when = "never"

[site.cookies]
prefix = false
names.csrftoken = { http_only = false }

[site.headers]
content_type_nosniff = false
referrer_policy = "off"
cross_origin_opener_policy = "off"
x_frame_options = "off"
"""


def run(options):
    from .cli import stage

    binaries, tls, hammer = stage(["sealwax"], options, extra=["sealwax-bench-policy"])
    start = time.monotonic()
    about = machine.describe()
    os.sched_setaffinity(0, {LOAD_CORE})
    pairs = exchanges(hammer.parent / "sealwax-bench-policy")
    makers = {"sealwax": peers.ALL["sealwax"], "barest": Barest}
    binaries["barest"] = binaries["sealwax"]
    with process.Crew() as crew:
        stand = campaign.Campaign(crew, makers, binaries, tls, hammer)
        stand.open()
        say("both gateways answer as they must; measuring")
        outcome = stand.measure(rows.REQUESTS, options.rounds, options.seconds)
        stand.look()
        text = markdown(outcome, about, pairs)
    print(text)
    (BENCH / "RESULTS-policy.md").write_text(text)
    say("written to bench/RESULTS-policy.md")
    say(f"measured in {time.monotonic() - start:.0f} s, without the builds")


def exchanges(program):
    """Nanoseconds per exchange of each pair of heads, on the proxies' core."""
    log = CACHE / "run" / "policy.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    bench = process.spawn([program], PROXY_CORE, log, stdout=subprocess.PIPE, text=True)
    watch = process.Watchdog(bench, 120)
    try:
        lines = bench.stdout.readlines()
        bench.wait()
    finally:
        watch.cancel()
        process.end(bench)
    if bench.returncode != 0:
        raise BenchError(f"{program} failed:\n{process.tail(log)}")
    return {one["pair"]: one for one in map(json.loads, lines)}


def markdown(outcome, about, pairs):
    def verdict(pair, case):
        # The gateway keeps fields apart from the maps on HTTP/1.1 only.
        cost = pair["apart_ns" if case.key == "h1" else "exchange_ns"] / 1e3
        share = cost / low(outcome, case, "sealwax")
        return f"{share:.1%}" + ("" if share <= BUDGET else " (over)")

    shares = [[f"one exchange, pair `{name}`: {pair['apart_ns'] / 1e3:.2f} µs, "
               f"in maps {pair['exchange_ns'] / 1e3:.2f} µs",
               *(verdict(pair, case) for case in outcome.cases)] for name, pair in pairs.items()]
    shares.append(["difference to the barest settings", *(
        f"{1 - low(outcome, case, 'barest') / low(outcome, case, 'sealwax'):.1%}"
        for case in outcome.cases)])
    version, tls = outcome.peers["sealwax"].versions()
    return "\n\n".join([
        "# What the policy costs",
        "Written by `bench/run --policy`; README.md says how to read it.",
        table(["", ""], [
            *([name, value] for name, value in about.items()),
            ["Sealwax", f"{version}, {tls}"],
            ["Slices", f"{outcome.rounds} rounds of {outcome.slice_seconds:g} s"],
            ["Others on the proxies' core", f"{outcome.foreign:.1%} of the time"],
        ]),
        "## CPU per request, µs (10th percentile of the slices)",
        table(["", *(case.title for case in outcome.cases)], [
            [peer.title, *(f"{low(outcome, case, key):.2f}" for case in outcome.cases)]
            for key, peer in outcome.peers.items()]),
        f"## Share of the CPU per request (budget: {BUDGET:.0%})",
        table(["", *(case.title for case in outcome.cases)], shares),
    ]) + "\n"
