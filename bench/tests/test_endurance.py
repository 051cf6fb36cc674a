"""Run with: python3 -m unittest discover -s bench/tests"""

import os
import socket
import sys
import unittest
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sealbench.endurance import cli, hammers, slowloris, soak, sockets, stage
from sealbench.errors import BenchError


def lines(*counts, count="app"):
    """One line a second, from second 100 on."""
    return [{"at": 100.0 + second, count: value} for second, value in enumerate(counts)]


class Counts(unittest.TestCase):
    def test_between_two_lines_in_proportion(self):
        some = lines(0, 10, 40, count="done")
        self.assertEqual(hammers.at(some, 100.5, "done"), 5)
        self.assertEqual(hammers.at(some, 101.25, "done"), 17.5)
        for moment in (99.0, 103.0):
            with self.assertRaises(BenchError):
                hammers.at(some, moment, "done")

    def test_an_error_belongs_to_the_app_only_while_it_is_away(self):
        away = [(102.5, 103.5)]
        # Counted at 103 and 104: the app was away in a part of both seconds.
        self.assertEqual(hammers.outside(lines(0, 0, 0, 5, 9, 9), "app", away, 0), 0)
        # Before, and long after.
        self.assertEqual(hammers.outside(lines(0, 0, 1, 1, 1, 1), "app", away, 0), 1)
        self.assertEqual(hammers.outside(lines(0, 0, 0, 0, 0, 2), "app", away, 0), 2)
        # Within the grace.
        self.assertEqual(hammers.outside(lines(0, 0, 0, 0, 0, 2), "app", away, 2), 0)
        # Without an absence all are ours, the first line's too.
        self.assertEqual(hammers.outside(lines(3, 4), "app", [], 2), 4)


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11
   1: 0100007F:20FB 0200007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 12
   2: 0100007F:20FB 0200007F:9C41 08 00000000:00000000 00:00000000 00000000     0        0 13
   3: 0100007F:9C42 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 14
   4: 0100007F:9C43 0100007F:1F40 08 00000000:00000000 00:00000000 00000000     0        0 15
   5: 0100007F:9C44 0100007F:1F40 01 00000000:00000000 00:00000000 00000000     0        0 99
"""


class Sockets(unittest.TestCase):
    def test_each_descriptor_is_told_apart(self):
        found = sockets.kinds(sockets.parse(TABLE), {11, 12, 13, 14, 15, 16}, 0x20FB, 0x1F40)
        # 13 is a client that has gone and was not closed; 16 is in no table; 99 is another's.
        self.assertEqual(found, Counter(listening=1, clients=2, app=1, dead=2))

    def test_a_real_process(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            before = sockets.open_files(os.getpid(), port, 1)
            with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
                during = sockets.open_files(os.getpid(), port, 1)
        self.assertEqual(before["clients"], 0)
        self.assertEqual(during["clients"], 1)
        self.assertEqual(during["all"], before["all"] + 2)

    def test_ports_that_no_client_gets(self):
        low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
        ports = stage.low_ports(3)
        self.assertEqual(len(set(ports)), 3)
        self.assertTrue(all(1024 < port < low for port in ports))


def hammer(title="it", last=None, some=()):
    last = {"done": 100, "aborted": 1, "app": 0, "wrong": 0, "broken": 0, "farewells": 0,
            "slowest": 0.1, "at": 200.0, **(last or {})}
    all_lines = [*some, last]
    return SimpleNamespace(title=title, lines=all_lines, total=lambda count: last[count])


def soaked(hammer_=None, memory=(100,) * 40, after=None, away=()):
    files = Counter(files=10, listening=2, all=12)
    samples = [(5.0 * number, kib, files) for number, kib in enumerate(memory)]
    return soak.Found(200.0, [hammer_ or hammer()], list(away), samples, files,
                      Counter(files, **(after or {})))


class Soak(unittest.TestCase):
    def missed(self, found):
        return [what for what, _, _, met in soak.verdicts(found) if not met]

    def test_a_good_run(self):
        found = soaked()
        self.assertEqual(self.missed(found), [])
        options = SimpleNamespace(idle=10_000)
        text, held = soak.markdown(found, options, {"Date": "today"}, ("1.0", "TLS"))
        self.assertTrue(held)
        self.assertIn("10,000 idle TLS connections", text)

    def test_each_thing_that_can_go_wrong_is_missed(self):
        for wrong, says in (
            ({"hammer_": hammer(last={"broken": 1})}, "not a whole one"),
            ({"hammer_": hammer(last={"wrong": 1})}, "not the app's"),
            ({"hammer_": hammer(last={"app": 1})}, "while the app listened"),
            ({"memory": [100 + number for number in range(40)]}, "memory"),
            ({"memory": [100]}, "memory"),
            ({"after": {"clients": 1}}, "of clients"),
            ({"after": {"dead": 1}}, "nobody"),
            ({"after": {"files": 11}}, "other descriptors"),
        ):
            with self.subTest(wrong):
                found = soaked(**wrong)
                missed = self.missed(found)
                self.assertEqual(len(missed), 1, missed)
                self.assertIn(says, missed[0])
                self.assertFalse(soak.markdown(
                    found, SimpleNamespace(idle=1), {}, ("", ""))[1])

    def test_errors_of_an_app_that_was_away_are_its_own(self):
        found = soaked(hammer(last={"app": 7}), away=[(199.5, 200.5)])
        found.hammers[0].lines.insert(0, {"at": 199.0, "app": 0})
        self.assertEqual(self.missed(found), [])

    def test_warming_up_is_no_growth(self):
        self.assertEqual(soak.growth_of([1] * 10 + [100] * 30), 1)
        self.assertGreater(soak.growth_of([100] * 20 + [120] * 20), soak.FLAT)
        self.assertIsNone(soak.growth_of([1, 2, 3]))


class Slowloris(unittest.TestCase):
    def found(self, done_with, **last):
        windows = [slowloris.Window(False, 10.0, [600, 400], 10**9),
                   slowloris.Window(True, 10.0, [done_with, 0], 10**9, (5000, 5000), 10**8)]
        return slowloris.Found(windows, [hammer(last=last)])

    def test_the_loss_is_judged(self):
        options = SimpleNamespace(slowloris=5000, drip=5.0, refill=400)
        for done, held in ((901, True), (899, False)):
            text, met = slowloris.markdown(self.found(done), options, {}, ("1.0", "TLS"))
            self.assertEqual(met, held)
            self.assertIn("5,000 to 5,000", text)

    def test_one_failed_request_is_too_many(self):
        for count in ("app", "wrong", "broken"):
            verdicts = list(slowloris.verdicts(self.found(1000, **{count: 1})))
            self.assertEqual([met for *_, met in verdicts], [False, True])


class CommandLine(unittest.TestCase):
    def test_only_a_run_of_full_size_is_written_down(self):
        self.assertTrue(cli.is_full(cli.parse([])))
        self.assertTrue(cli.is_full(cli.parse(["--slowloris", "5000"])))
        for words in (["--idle", "9000"], ["--minutes", "1"], ["--abort-every", "0"],
                      ["--restart-every", "60"], ["--sealwax", sys.executable],
                      ["--slowloris", "4999"], ["--slowloris", "5000", "--pairs", "1"]):
            with self.subTest(words):
                self.assertFalse(cli.is_full(cli.parse(words)))


if __name__ == "__main__":
    unittest.main()
