#!/usr/bin/env python3
"""coverage_test.py: the judgement of coverage can fail."""

from __future__ import annotations

import sys
import tempfile
import unittest
from pathlib import Path

from coverage import Block, Count, Reason, blocks, count, judge, read_reasons


def entry(*counts: int | None) -> dict[str, object]:
    """A file whose lines ran so often; None: no code."""
    lines = [
        {"line_number": number, "count": times, "branches": [{"count": times}, {"count": 0}]}
        for number, times in enumerate(counts, 1)
        if times is not None
    ]
    return {"file": "engine/a/b.cpp", "lines": lines}


class CoverageTest(unittest.TestCase):
    def test_counts(self) -> None:
        found = count(entry(1, None, 0, 2))
        self.assertEqual(found, Count(3, 2, 4, 2))  # Branches of lines that are not run are not asked for.
        self.assertAlmostEqual(found.line_ratio, 2 / 3)

    def test_blocks(self) -> None:
        source = [f"line {number}" for number in range(1, 8)]
        found = [(one.first, one.last, one.text) for one in blocks(entry(1, 0, None, 0, 1, 0, None), source)]
        self.assertEqual(found, [(2, 4, "line 2"), (6, 6, "line 6")])

    def test_reasons(self) -> None:
        block = Block("engine/a/b.cpp", 2, 4, "return fault;")
        self.assertEqual(judge([block], [Reason("engine/a/b.cpp", "return fault", "why")]), [])
        self.assertEqual(judge([block], [Reason("engine/a/b.cpp", "*", "why")]), [])
        self.assertEqual(len(judge([block], [])), 1)
        self.assertEqual(len(judge([block], [Reason("engine/a/c.cpp", "*", "why")])), 2)
        self.assertEqual(len(judge([], [Reason("engine/a/b.cpp", "gone", "why")])), 1)

    def test_lines_of_the_list(self) -> None:
        for text in ("engine/a/b.cpp | text", "engine/a/b.cpp |  | why", "nonsense"):
            with tempfile.NamedTemporaryFile("w") as file:
                file.write(text + "\n")
                file.flush()
                with self.subTest(text=text), self.assertRaises(ValueError):
                    read_reasons(Path(file.name))
        read_reasons(Path(__file__).resolve().parent / "explained.txt")


if __name__ == "__main__":
    program = unittest.main(exit=False)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
