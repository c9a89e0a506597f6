#!/usr/bin/env python3
"""Sums a meson testlog.json (a JSON object a line) into the line "N passed, N failed".

Exit 0 where at least one test ran and none failed. What was skipped is said on the line before.
"""
import json
import sys
from pathlib import Path

PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}


def summarise(log: str) -> tuple[list[str], int]:
    """The lines to print, the last one the summary, and the exit status."""
    tests = [json.loads(line) for line in log.splitlines() if line.strip()]
    skipped = [test["name"] for test in tests if test["result"] in SKIPPED]
    passed = sum(test["result"] in PASSED for test in tests)
    failed = [test["name"] for test in tests if test["result"] not in PASSED | SKIPPED]
    lines = []
    if skipped:
        lines.append(f"{len(skipped)} skipped: " + ", ".join(skipped))
    if failed:
        lines.append("failed: " + ", ".join(failed))
    if not passed and not failed:
        lines.append("no test ran")
    lines.append(f"{passed} passed, {len(failed)} failed")
    return lines, 0 if passed and not failed else 1


def main() -> int:
    log = Path(sys.argv[1])
    lines, status = summarise(log.read_text() if log.exists() else "")
    print(*lines, sep="\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
