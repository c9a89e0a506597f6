#!/usr/bin/env python3
"""Runs worlds twice, in processes with other addresses, and compares their traces byte for byte; and shows
that a failure is made small and that the line printed for it repeats it.

usage: trace_test.py CORE_SIM FAULTS_SIM
"""
import re
import subprocess
import sys
import unittest

CORE_SIM, FAULTS_SIM = sys.argv[1], sys.argv[2]
TLS_WORLDS = (55, 61)
SHORT_SEND = "a short send counts as whole"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


class Trace(unittest.TestCase):
    def test_the_same_seed_gives_the_same_trace(self) -> None:
        lines = 0
        for seed in [*range(1, 25), *TLS_WORLDS]:
            first, second = (run(CORE_SIM, "--seed", str(seed), "--trace") for _ in range(2))
            self.assertEqual(first.returncode, 0)
            lines += first.stdout.count("\n")
            self.assertEqual(first.stdout, second.stdout, f"seed {seed}")
        self.assertGreater(lines, 1000)

    def test_worlds_of_tls_are_among_them(self) -> None:
        for seed in TLS_WORLDS:
            self.assertIn(" TLS 1.", run(CORE_SIM, "--seed", str(seed), "--show").stdout)

    def test_forms_and_compressed_replies_are_among_them(self) -> None:
        shown = "".join(run(CORE_SIM, "--seed", str(seed), "--show").stdout for seed in range(1, 25))
        for path in ("POST /form", "GET /coded/whole", "GET /coded/source", "GET /coded/stream"):
            self.assertIn(path, shown)

    def test_another_seed_gives_another(self) -> None:
        self.assertNotEqual(run(CORE_SIM, "--seed", "1", "--trace").stdout,
                            run(CORE_SIM, "--seed", "2", "--trace").stdout)  # fmt: skip


class Failure(unittest.TestCase):
    def setUp(self) -> None:
        faults = run(FAULTS_SIM, "--list").stdout
        self.number = re.search(rf"^ *(\d+) {SHORT_SEND}", faults, re.MULTILINE)[1]

    def test_it_is_made_small_and_repeated_by_its_line(self) -> None:
        failed = run(FAULTS_SIM, "--fault", self.number)
        self.assertEqual(failed.returncode, 1, failed.stdout)
        line = re.search(r"^repeat it: faults_sim (.*)$", failed.stdout, re.MULTILINE)[1]
        # One short send is all it takes: one client, and hardly more than one request.
        self.assertEqual(failed.stdout.count("a client that"), 1, failed.stdout)
        self.assertLessEqual(len(re.findall(r"^    [A-Z]+ /", failed.stdout, re.MULTILINE)), 2, failed.stdout)
        again = run(FAULTS_SIM, *line.split())
        self.assertEqual(again.returncode, 1, again.stdout)
        parts = line.replace(f"--fault {self.number} ", "").split()
        healthy = run(CORE_SIM, *parts)
        self.assertEqual(healthy.returncode, 0, healthy.stdout)

    def test_flags_that_make_no_sense_are_refused(self) -> None:
        for flags in (["--only", "1/2"], ["--seeds", "0"], ["--trace"], ["--sed", "1"], ["--only"]):
            refused = run(CORE_SIM, *flags)
            self.assertEqual(refused.returncode, 2, flags)
            self.assertIn("usage:", refused.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
