#!/usr/bin/env python3
"""measure.py: what a slow attack costs the good clients: their median latency under attack beside that in the peace
just before and behind it, the median over the rounds of one run, for each of slowhttptest's modes. Run by `./dev hostile`.

    measure.py [--seconds 10] [--rounds 5] [--connections 1000]

Exit 1 where a good client saw an error, or where that is more than twice as long."""

from __future__ import annotations

import argparse
import os
import sys
import unittest
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"
for name, program in (("ECHO", "apps/echo/echo"), ("ENGINE", "apps/millrace/millrace")):
    os.environ.setdefault(f"{name}_BINARY", str(BUILD / program))

from slow_test import IntegrationTest, Outcome, endure, start_for  # noqa: E402

RATIO_MAX = 2.0
MODES = {"-H": "heads", "-B": "bodies", "-R": "ranges", "-X": "reads"}


def measure(mode: str, arguments: argparse.Namespace) -> Outcome:
    """In a test case of its own, for the directory and the server's end."""
    outcomes: list[Outcome] = []

    class Measured(IntegrationTest):
        def runTest(self) -> None:
            server, questions, path = start_for(self, mode)
            outcomes.append(
                endure(
                    server, questions, mode, path, connections=arguments.connections,
                    peace_s=arguments.seconds, attack_s=arguments.seconds, rounds=arguments.rounds,
                )
            )  # fmt: skip

    result = unittest.TestResult()
    Measured().run(result)
    if not result.wasSuccessful():
        raise SystemExit("\n".join(text for _, text in result.errors + result.failures))
    return outcomes[0]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10, help="of peace and of attack, each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=1000)
    arguments = parser.parse_args(argv)
    failed = 0
    for mode, name in MODES.items():
        outcome = measure(mode, arguments)
        good = not outcome.record.errors and outcome.ratio <= RATIO_MAX and outcome.opened > arguments.connections // 2
        failed += not good
        print(outcome.line(mode))
        for error in outcome.record.errors[:5]:
            print(f"  {error}")
        verdict = "pass" if good else "FAIL"
        print(f"{verdict} slow {name}: {outcome.ratio:.2f} times the median in peace, bound {RATIO_MAX}")
    print(f"{len(MODES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
