"""Run with: python3 -m unittest discover -s bench/tests"""

import io
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from contextlib import redirect_stderr
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sealbench import check, cli, cost, layers, loads, prepare, process, report, rows, scene, stats, targets
from sealbench.errors import BenchError
from sealbench.campaign import Outcome
from sealbench.peers.base import HARDENED, PLAIN


class Percentile(unittest.TestCase):
    def test_between_ranks(self):
        self.assertEqual(stats.percentile([3, 1, 2], 50), 2)
        self.assertAlmostEqual(stats.percentile(range(1, 11), 10), 1.9)
        self.assertEqual(stats.percentile([7], 10), 7)
        self.assertEqual(stats.percentile([1, 2], 100), 2)


H2LOAD = """\
finished in 1.20s, 51732.00 req/s, 57.49MB/s
requests: {total} total, {total} started, {done} done, {good} succeeded, {failed} failed, 0 errored, 0 timeout
status codes: {ok} 2xx, 0 3xx, 0 4xx, {bad} 5xx
traffic: 57.49MB (60280872) total, 7.08MB (7420332) headers (space savings 35.75%), 58.74MB ({data}) data
"""


def h2load(total=50_000, done=None, good=None, failed=0, ok=None, bad=0, data=57_000 * 1024):
    text = H2LOAD.format(total=total, done=total if done is None else done,
                         good=total if good is None else good, failed=failed,
                         ok=total if ok is None else ok, bad=bad, data=data)
    return loads.parse_h2load(text, "h2load", 0.15, 1024, 320)


class H2load(unittest.TestCase):
    def test_good_run(self):
        self.assertEqual(h2load(), 50_000)
        # A few statuses fall on the other side of the border than their bodies.
        self.assertEqual(h2load(ok=50_005), 50_000)
        self.assertEqual(h2load(ok=49_995), 50_000)

    def test_bad_runs(self):
        for bad in (
            {"data": 0},  # empty 200s
            {"data": 49_000 * 1024},  # some of them empty
            {"data": 100_000 * 1024},  # bodies too long
            {"done": 49_999, "good": 49_999},
            {"failed": 1, "good": 49_999},
            {"bad": 1},
            {"ok": 40_000},
            {"total": 0, "data": 0},
        ):
            with self.subTest(bad), self.assertRaises(BenchError):
                h2load(**bad)

    def test_output_that_is_something_else(self):
        with self.assertRaises(BenchError):
            loads.parse_h2load("h2load: could not connect", "h2load", 0.15, 1024, 320)


COOKIES = [f"sessionid={scene.SESSION}; HttpOnly; Path=/; Secure; SameSite=Lax",
           f"csrftoken={scene.TOKEN}; Path=/; Secure; HttpOnly; SameSite=Lax"]


def judged(attributes=(HARDENED, HARDENED), cookies=COOKIES, status=200, body=scene.BODY,
           adds=True, headers=None):
    peer = SimpleNamespace(cookie_names=("sessionid", "csrftoken"), cookie_attributes=attributes,
                           adds_headers=adds)
    if headers is None:
        headers = {"Strict-Transport-Security": scene.HSTS, **scene.HEADERS}
    lines = [(name.lower(), value) for name, value in headers.items()]
    lines += [("set-cookie", cookie) for cookie in cookies]
    return list(check.problems(peer, status, lines, body))


class Answers(unittest.TestCase):
    def test_good(self):
        self.assertEqual(judged(), [])
        self.assertEqual(judged(attributes=PLAIN, cookies=scene.APP_COOKIES), [])
        self.assertEqual(judged(adds=False, headers={}), [])

    def test_wrong(self):
        for wrong in (
            {"body": b""},
            {"body": b"x" * 1024},
            {"status": 502},
            {"cookies": COOKIES[:1]},
            {"cookies": COOKIES + COOKIES[:1]},
            {"cookies": scene.APP_COOKIES},
            {"attributes": PLAIN},
            {"cookies": [COOKIES[0].replace(scene.SESSION, "other"), COOKIES[1]]},
            {"headers": scene.HEADERS},
            {"headers": {"Strict-Transport-Security": scene.HSTS}},
            {"adds": False},
        ):
            with self.subTest(wrong):
                self.assertNotEqual(judged(**wrong), [])


class Cost(unittest.TestCase):
    def test_family_has_grandchildren(self):
        with subprocess.Popen(["sh", "-c", "sleep 30 & echo; wait"], stdout=subprocess.PIPE,
                              start_new_session=True) as shell:
            shell.stdout.readline()
            try:
                self.assertEqual(len(cost.family(shell.pid)), 2)
                self.assertIn(shell.pid, cost.family(os.getpid()))
            finally:
                os.killpg(shell.pid, 9)

    def test_cpu_counts_what_was_used(self):
        before = cost.Cpu([os.getpid()])
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass
        used = cost.Cpu([os.getpid()]).since(before)
        self.assertGreater(used, 80e6)
        self.assertLess(used, 1e9)

    def test_an_ended_thread_voids_the_reading(self):
        gate = threading.Event()
        thread = threading.Thread(target=gate.wait)
        thread.start()
        before = cost.Cpu([os.getpid()])
        gate.set()
        thread.join()
        deadline = time.monotonic() + 5
        # join() returns a moment before the kernel takes the thread away.
        while cost.Cpu([os.getpid()]).since(before) is not None:
            self.assertLess(time.monotonic(), deadline)

    def test_gone_process_is_told(self):
        with self.assertRaises(BenchError):
            cost.Cpu([2**22 + 1])


class Crew(unittest.TestCase):
    def test_a_server_that_ends_is_told_with_its_words(self):
        (port,) = process.free_ports(1)
        with tempfile.TemporaryDirectory() as home, process.Crew() as crew:
            with self.assertRaisesRegex(BenchError, "no such thing"):
                crew.start("it", ["sh", "-c", "echo no such thing >&2; exit 3"],
                           min(os.sched_getaffinity(0)), Path(home) / "log", port)

    def test_leaving_ends_the_stubborn(self):
        (port,) = process.free_ports(1)
        code = ("import signal, socket, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
                f"s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)")
        with tempfile.TemporaryDirectory() as home:
            with process.Crew() as crew:
                server = crew.start("it", [sys.executable, "-c", code],
                                    min(os.sched_getaffinity(0)), Path(home) / "log", port)
                self.assertIsNone(server.poll())
            self.assertEqual(server.poll(), -9)


class Table(unittest.TestCase):
    def test_figures_stand_right(self):
        self.assertEqual(report.table(["", "µs"], [["nginx", "9.5"], ["a", "10.5"]]), "\n".join([
            "|       |   µs |",
            "|-------|-----:|",
            "| nginx |  9.5 |",
            "| a     | 10.5 |",
        ]))


def outcome(costs, memory=None):
    """What a campaign would have found: (row, proxy) → figure, in a row's own unit."""
    names = {"sealwax": "Sealwax", "nginx": "nginx", "haproxy": "HAProxy", "envoy": "Envoy"}
    peers = {key: SimpleNamespace(title=title, agreed={}, caveat="-",
                                  versions=lambda: ("1.0", "some TLS"))
             for key, title in names.items() if any(key == other for _, other in costs)}
    cases = [row for row in rows.SLICES.values() if any(row.key == other for other, _ in costs)]
    slices = {}
    for (row, key), figure in costs.items():
        size = rows.SLICES[row].size
        ns = figure * 1e6 * 1000 * size / (1 << 30) if size else figure * 1e3 * 1000
        slices[row, key] = [loads.Slice(ns, 1000, 0.1), loads.Slice(ns * 2, 1000, 0.1)]
    return Outcome(peers, cases, slices, memory={
        key: loads.Idle(kib - 1, kib) for key, kib in (memory or {}).items()})


class Targets(unittest.TestCase):
    def lines(self, *arguments):
        return {line.what: (line.measured, line.met)
                for line in targets.lines(outcome(*arguments))}

    def test_a_ratio_is_of_the_same_run_and_its_verdict_computed(self):
        for sealwax, met in ((69, True), (71, False)):
            found = self.lines({("h1", "sealwax"): sealwax, ("h1", "nginx"): 100})
            # The 10th percentile of a slice and one twice as dear is 1.1 of the first, for all.
            self.assertEqual(found, {"HTTP/1.1 1 KiB: CPU ÷ nginx": (f"0.{sealwax}", met)})

    def test_ahead_in_every_row_means_in_the_worst(self):
        costs = {("h1", "sealwax"): 10, ("h1", "envoy"): 20,
                 ("full", "sealwax"): 90, ("full", "envoy"): 100}
        self.assertEqual(self.lines(costs)["ahead of Envoy in every row"], (
            "at most 0.90 (full handshake + GET, X25519)", True))
        memory = {("idle", "sealwax"): 10.5, ("idle", "envoy"): 7.0}
        found = self.lines(costs, memory)
        self.assertEqual(found["ahead of Envoy in every row"],
                         ("at most 1.50 (idle, HTTP/1.1, memory)", False))
        self.assertEqual(found["idle, HTTP/1.1: memory of a connection"], ("10.5 KiB", True))

    def test_rows_that_were_not_measured_are_not_judged(self):
        self.assertEqual(self.lines({("h1", "nginx"): 1}), {})
        self.assertEqual(self.lines({("h1", "sealwax"): 1, ("h1", "haproxy"): 1}), {})

    def test_every_row_and_yardstick_exists(self):
        for row, other, most in targets.RATIOS:
            self.assertIn(row, rows.SLICES)
            self.assertIn(other, cli.peers.ALL)
            self.assertLess(most, 1)
        self.assertIn(targets.IDLE[0], rows.IDLE)
        self.assertLessEqual(set(targets.BEHIND), set(cli.peers.ALL))


class Rows(unittest.TestCase):
    def test_bodies_count_by_the_gibibyte(self):
        half = loads.Slice(ns=300_000_000, requests=512, seconds=1.0)
        self.assertAlmostEqual(rows.SLICES["h1-large"].figure(half), 600)
        self.assertAlmostEqual(rows.SLICES["h1"].figure(half), 300_000 / 512)

    def test_the_large_body_is_text_of_a_mebibyte(self):
        self.assertEqual(len(scene.LARGE), 1 << 20)
        self.assertEqual(len(scene.BODY), 1 << 10)
        scene.LARGE.decode("ascii")


class Report(unittest.TestCase):
    def test_the_whole_report_has_targets_first_and_every_proxy(self):
        costs = {(row, key): 100 + number for row in rows.SLICES
                 for number, key in enumerate(("sealwax", "nginx", "haproxy", "envoy"))}
        memory = {(kind, key): 10 for kind in rows.IDLE
                  for key in ("sealwax", "nginx", "haproxy", "envoy")}
        text = report.markdown(outcome(costs, memory), {"Date": "today"}, "bench/run")
        self.assertLess(text.index("## Targets"), text.index("## CPU"))
        self.assertIn("**missed**", text)
        self.assertIn("| idle, HTTP/1.1: memory of a connection", text)
        for title in ("Envoy", "HAProxy", "ms/GiB", "some TLS"):
            self.assertIn(title, text)

    def test_a_part_of_the_rows_is_reported_too(self):
        for costs, memory in (({("m1", "sealwax"): 3}, {}),
                              ({("m1", "haproxy"): 3}, {("idle-h2", "haproxy"): 4})):
            self.assertIn("3.3", report.brief(outcome(costs, memory)))


class Wheels(unittest.TestCase):
    def test_one_file_or_a_word(self):
        with tempfile.TemporaryDirectory() as home:
            place = Path(home) / "lib" / "python3.99" / "site-packages" / "envoy" / "_bin"
            with self.assertRaisesRegex(BenchError, "0 files"):
                prepare.only_file(Path(home), prepare.WHEELS["envoy"])
            place.mkdir(parents=True)
            (place / "envoy").touch()
            self.assertEqual(prepare.only_file(Path(home), prepare.WHEELS["envoy"]),
                             place / "envoy")


class CommandLine(unittest.TestCase):
    def test_order_is_the_table_s(self):
        options = cli.parse(["--only", "caddy,nginx", "--rows", "idle,m10,h1"])
        self.assertEqual(options.only, ["nginx", "caddy"])
        self.assertEqual(options.rows, ["h1", "m10", "idle"])

    def test_what_is_unknown_is_named(self):
        for words, says in (
            (["--only", "apache"], "unknown: apache"),
            (["--rows", "h3"], "unknown: h3"),
            (["--sealwax", "/nowhere/sealwax"], "/nowhere/sealwax is not a program"),
            (["--rounds", "0"], "must be 1 to"),
        ):
            said = io.StringIO()
            with self.subTest(words), redirect_stderr(said), self.assertRaises(SystemExit):
                cli.parse(words)
            self.assertIn(says, said.getvalue())

    def test_only_a_full_run_is_written_down(self):
        self.assertTrue(cli.is_full(cli.parse([])))
        for words in (["--only", "nginx"], ["--rows", "h1"], ["--rounds", "2"],
                      ["--sealwax", sys.executable]):
            with self.subTest(words):
                self.assertFalse(cli.is_full(cli.parse(words)))

    def test_a_second_run_is_refused(self):
        with tempfile.TemporaryDirectory() as home, mock.patch.object(cli, "CACHE", Path(home)):
            with cli.alone(), self.assertRaisesRegex(BenchError, "another"), cli.alone():
                self.fail("both ran")
            with cli.alone():
                pass


class Layers(unittest.TestCase):
    """What bench/run --layers reads of the two programs."""

    HOME = Path(layers.__file__).resolve().parent.parent / "layers"

    def units(self, file):
        return set(re.findall(r'^ *(?:unit)?\(\s*"([^"]+)",\s*(?:None|GET|COOKIES|POST|Some|"view)',
                              (self.HOME / file).read_text(), re.M))

    def test_every_title_and_goal_is_a_unit(self):
        ours = self.units("src/units.rs")
        self.assertEqual(set(layers.TITLES) - ours, set())
        self.assertTrue({goal[1] for goal in layers.GOALS} <= set(layers.TITLES))
        self.assertEqual({name for name in ours - set(layers.TITLES)},
                         {name for name in ours if name.startswith("axum ")})

    def test_django_does_the_same(self):
        shared = self.units("django_side.py") & set(layers.TITLES)
        self.assertGreater(len(shared), 12)

    def test_the_base_is_taken_of_the_same_turn(self):
        def turn(bare, whole):
            return {"axum GET": {"ns": bare, "base": ""},
                    "seal GET": {"ns": whole, "base": "axum GET"}}
        figures = layers.Figures([turn(100, 150), turn(300, 360), turn(900, 940)])
        self.assertEqual(figures.extra("seal GET"), 50)
        self.assertEqual(figures.whole("axum GET"), 300)


if __name__ == "__main__":
    unittest.main()
