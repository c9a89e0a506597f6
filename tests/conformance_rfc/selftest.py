#!/usr/bin/env python3
"""selftest.py: the list of demands can fail: a test that does not exist, or does not run, is found."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

import conformance
from conformance import Tests

BUILD = Path(sys.argv.pop()) if len(sys.argv) > 1 else None


class NamesTest(unittest.TestCase):
    def setUp(self) -> None:
        assert BUILD is not None
        self.tests = Tests(BUILD)

    def test_what_exists(self) -> None:
        for name in (
            "case basic-get",
            "case te-*",
            "frames 5.18*",
            "limits_test.py LimitsTest.test_fields",
            "unit_http read_ranges",
            "rules.py one valid Date",
            "fuzz range",
            "none: a reason",
        ):
            self.assertIsNone(self.tests.fault(name), name)

    def test_what_does_not(self) -> None:
        for name in (
            "case no-such-case",
            "frames 11.*",
            "case no-such-*",
            "limits_test.py LimitsTest.test_none",
            "limits_test.py test_fields",
            "no_such_test.py LimitsTest.test_fields",
            "harness.py IntegrationTest.start",
            "unit_http read_nothing",
            "unit_none read_range",
            "rules.py no such words",
            "rules.py",
            "fuzz none",
            "none:",
            "deviation:",
        ):
            self.assertIsNotNone(self.tests.fault(name), name)

    def test_what_exists_and_runs_nowhere(self) -> None:
        self.tests.commands = []
        for name in ("limits_test.py LimitsTest.test_fields", "unit_http read_ranges", "fuzz range"):
            self.assertIsNotNone(self.tests.fault(name), name)


class ListTest(unittest.TestCase):
    def test_lines_that_say_too_little(self) -> None:
        good = "case a"
        for line in ("1.2 | MUST | x", f"1.2 | SHOULD | x | {good}", f"x | MUST | x | {good}", "1 | MUST | x | "):
            with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
                file.write(line + "\n")
                file.flush()
                with self.subTest(line=line), self.assertRaises(ValueError):
                    conformance.read(Path(file.name))

    def test_every_list_has_lines(self) -> None:
        for path in conformance.LISTS.values():
            self.assertGreater(len(conformance.read(path)), 30)


if __name__ == "__main__":
    program = unittest.main(argv=sys.argv[:1], exit=False)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
