#!/usr/bin/env python3
"""conformance.py: holds docs/CONFORMANCE.md, and the names of tests in docs/SECURITY.md. Each demand of RFC 9110,
RFC 9112 and RFC 6455 on an origin server is a line of rfc9110.txt and so on, with the tests that hold it:

    section | MUST or MUST NOT | what is demanded, in our words | test;; test;; ...

    case te-cl-*                            cases of the tables in tests/cases, by their id
    frames 5.18*                            cases of the table in tests/websocket
    limits_test.py LimitsTest.test_fields   a test of tests/integration or tests/hostile
    unit_http read_date: the three forms    a case of a doctest program
    rules.py TEXT, response.py TEXT         what every response of every case is held to, quoting it
    fuzz NAME                               a fuzz target, replayed in every test run
    none: REASON                            nothing to hold: the situation cannot arise
    deviation: REASON                       not done, on purpose; tests behind it show what is done

    conformance.py --build BUILD            exit 1 where a named test does not exist, or is in no test run of
                                            BUILD, or the document is not what the lists say
                                            --without-tls: tests of TLS need not be in it
    conformance.py --write                  writes the tables of the document anew
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DOCUMENT = ROOT / "docs" / "CONFORMANCE.md"
SECURITY = ROOT / "docs" / "SECURITY.md"
LISTS = {"9112": HERE / "rfc9112.txt", "9110": HERE / "rfc9110.txt", "6455": HERE / "rfc6455.txt"}
KEYWORDS = {"MUST", "MUST NOT"}
BEGIN, END = "<!-- made by tests/conformance_rfc/conformance.py --write -->", "<!-- end -->"
CASES = ROOT / "tests" / "cases"
sys.path[:0] = [str(CASES), str(ROOT / "tests" / "websocket")]  # Both have a run.py: that of the cases is meant.

from echo_table import all_cases  # noqa: E402
from run import ANY_TABLE, TABLES  # noqa: E402
from table import load  # noqa: E402


# What a build without OpenSSL does not run.
OF_TLS = {"unit_ext_tls", "certificates_test.py", "tls_test.py", "websocket_tls_test.py"}


@dataclass(frozen=True)
class Demand:
    section: str
    keyword: str
    what: str
    held_by: tuple[str, ...]


def read(path: Path) -> list[Demand]:
    demands = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        parts = [part.strip() for part in line.split("|")]
        if len(parts) != 4 or parts[1] not in KEYWORDS or not re.fullmatch(r"[0-9]+(\.[0-9]+)*", parts[0]):
            raise ValueError(f"{path.name}:{number}: not 'section | MUST | what | tests'")
        held_by = tuple(one.strip() for one in parts[3].split(";;") if one.strip())
        if not held_by:
            raise ValueError(f"{path.name}:{number}: held by nothing")
        demands.append(Demand(parts[0], parts[1], parts[2], held_by))
    return demands


class Tests:
    """What there is to name, and what a test run of the build directory runs."""

    def __init__(self, build: Path | None, without_tls: bool = False) -> None:
        self.build = build
        self.without_tls = without_tls
        self.left_out = 0
        listed = json.loads((build / "meson-info" / "intro-tests.json").read_text()) if build else []
        self.commands: list[list[str]] = [test["cmd"] for test in listed]

    @staticmethod
    @cache
    def case_ids() -> list[str]:
        return [case.id for path in (*TABLES, ANY_TABLE) for case in load(path)]

    @staticmethod
    @cache
    def methods(script: str) -> frozenset[str]:
        for directory in ("integration", "hostile"):
            path = ROOT / "tests" / directory / script
            if path.is_file():
                classes = [one for one in ast.parse(path.read_text()).body if isinstance(one, ast.ClassDef)]
                return frozenset(
                    f"{one.name}.{method.name}"
                    for one in classes
                    for method in one.body
                    if isinstance(method, ast.FunctionDef)
                )
        return frozenset()

    def program(self, name: str) -> str | None:
        """The path of a doctest program that a test runs whole."""
        for command in self.commands:
            if Path(command[0]).name == name and len(command) == 1:
                return command[0]
        return None

    @cache  # noqa: B019
    def doctest_cases(self, program: str) -> frozenset[str]:
        listed = subprocess.run([program, "-ltc"], capture_output=True, text=True, check=True).stdout
        return frozenset(line.strip() for line in listed.splitlines())

    def runs(self, ending: str) -> bool:
        return any(part.endswith(ending) for command in self.commands for part in command)

    def fault(self, name: str) -> str | None:
        """What is wrong with naming it; None: it exists, and runs."""
        kind, _, rest = name.partition(" ")
        if self.without_tls and kind in OF_TLS:
            self.left_out += 1
            return None if kind == "unit_ext_tls" or rest in self.methods(kind) else "no such test"
        if kind in ("none:", "deviation:"):
            return None if rest else "gives no reason"
        if kind == "case":
            return None if fnmatch.filter(self.case_ids(), rest) else "no such case"
        if kind == "frames":
            return None if fnmatch.filter((case.id for case in all_cases()), rest) else "no such case"
        if kind in ("rules.py", "response.py"):
            return None if rest and rest in (CASES / kind).read_text() else "it says no such thing"
        if kind == "fuzz":
            return None if self.build is None or self.runs(f"fuzz_{rest}") else "no such target"
        if kind.endswith(".py"):
            if rest not in self.methods(kind):
                return "no such test"
            return None if self.build is None or self.runs(f"/{kind}") else "no test run has it"
        if self.build is None:
            return None
        program = self.program(kind)
        if program is None:
            return "no test run has such a program"
        return None if rest in self.doctest_cases(program) else "no such case in it"


def quoted_tests(text: str) -> Iterator[str]:
    """What stands in a document as `code` and names a test."""
    for name in re.findall(r"`([^`]+)`", text):
        if re.match(r"(case|frames|fuzz|rules\.py|response\.py|\w+_test\.py|unit_\w+|core_cases) ", name):
            yield name


def faults(tests: Tests) -> Iterator[str]:
    for name in quoted_tests(SECURITY.read_text(encoding="utf-8")):
        if fault := tests.fault(name):
            yield f"{SECURITY.name}: {name!r}: {fault}"
    for rfc, path in LISTS.items():
        for demand in read(path):
            for name in demand.held_by:
                if fault := tests.fault(name):
                    yield f"RFC {rfc} section {demand.section}: {name!r}: {fault}"


def tables() -> str:
    lines = ["### The tables of cases, and in how many ways they are cut", "", *case_table(), ""]
    for rfc, path in LISTS.items():
        demands = read(path)
        lines += [f"### RFC {rfc}: {len(demands)} demands", ""]
        lines += ["| section | | demand | held by |", "|---|---|---|---|"]
        for one in demands:
            reasons = ("none:", "deviation:")
            held = "; ".join(name if name.startswith(reasons) else f"`{name}`" for name in one.held_by)
            lines.append(f"| {one.section} | {one.keyword} | {one.what} | {held} |")
        lines.append("")
    return "\n".join(lines)


def case_table() -> list[str]:
    lines = ["| table | cases | deliveries |", "|---|---|---|"]
    for path in (*TABLES, ANY_TABLE):
        cases = load(path)
        deliveries = sum(len(list(case.deliveries())) for case in cases)
        lines.append(f"| `{path.name}` | {len(cases)} | {deliveries:,} |")
    return lines


def document() -> str:
    """The document as the lists want it."""
    text = DOCUMENT.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOCUMENT} lacks the marks {BEGIN} and {END}")
    return f"{head}{begin}\n\n{tables()}\n{end}{tail}"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, help="the directory whose test run must have the tests")
    parser.add_argument("--without-tls", action="store_true", help="the build has none, nor the tests of it")
    parser.add_argument("--write", action="store_true", help="write the tables of the document")
    arguments = parser.parse_args(argv)
    if arguments.write:
        DOCUMENT.write_text(document(), encoding="utf-8")
    tests = Tests(arguments.build, arguments.without_tls)
    found = list(faults(tests))
    if DOCUMENT.read_text(encoding="utf-8") != document():
        found.append(f"{DOCUMENT.name} is not what the lists say: run {Path(__file__).name} --write")
    for fault in found:
        print(fault)
    if tests.left_out:
        print(f"this build has no TLS: {tests.left_out} names of tests of it are not held to run")
    count = sum(len(demand.held_by) for path in LISTS.values() for demand in read(path))
    count += len(list(quoted_tests(SECURITY.read_text(encoding="utf-8"))))
    print(f"{count - len(found)} passed, {len(found)} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
