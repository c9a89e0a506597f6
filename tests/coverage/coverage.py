#!/usr/bin/env python3
"""coverage.py: what the tests run of engine/, by lines and branches, a row a module; and each block that they do
not run, which must have its reason in explained.txt. Run by `./dev coverage`.

    coverage.py RAW.json [--json OUT.json]      RAW.json is gcovr's

explained.txt: `file | text | reason` a line; the text stands in the first line of the block, `*` for every block
of the file, and for every file. A reason for what is run, or is not there any more, is a fault like a block without one. Exit 1 on
those, and where fewer than 90 % of the lines are run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LINES_MIN = 0.90


@dataclass
class Count:
    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0

    def add(self, other: Count) -> None:
        self.lines += other.lines
        self.lines_run += other.lines_run
        self.branches += other.branches
        self.branches_run += other.branches_run

    @property
    def line_ratio(self) -> float:
        return self.lines_run / self.lines if self.lines else 1.0

    @property
    def branch_ratio(self) -> float:
        return self.branches_run / self.branches if self.branches else 1.0

    def row(self, name: str) -> str:
        return (
            f"{name:<10}{self.lines_run:>7} of {self.lines:>5} lines {self.line_ratio:>7.1%}"
            f"{self.branches_run:>7} of {self.branches:>5} branches {self.branch_ratio:>7.1%}"
        )


@dataclass(frozen=True)
class Block:
    """Neighbouring lines that no test runs."""

    file: str
    first: int
    last: int
    text: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.first}-{self.last}: {self.text}"


@dataclass
class Reason:
    file: str
    text: str
    reason: str
    used: bool = False

    def explains(self, block: Block) -> bool:
        return self.file in ("*", block.file) and (self.text == "*" or self.text in block.text)


def lines_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    return [line for line in entry["lines"] if not line.get("gcovr/noncode") and not line.get("gcovr/excluded")]


def count(entry: dict[str, Any]) -> Count:
    lines = lines_of(entry)
    branches = [branch for line in lines if line["count"] for branch in line["branches"]]
    return Count(
        len(lines),
        sum(line["count"] > 0 for line in lines),
        len(branches),
        sum(branch["count"] > 0 for branch in branches),
    )


def blocks(entry: dict[str, Any], source: list[str]) -> Iterator[Block]:
    first = last = 0
    for line in sorted(lines_of(entry), key=lambda one: one["line_number"]):
        if line["count"] == 0:
            first, last = first or line["line_number"], line["line_number"]
        elif first:
            yield Block(entry["file"], first, last, source[first - 1].strip())
            first = 0
    if first:
        yield Block(entry["file"], first, last, source[first - 1].strip())


def read_reasons(path: Path) -> list[Reason]:
    reasons = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        parts = [part.strip() for part in line.split(" | ", 2)]
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{path.name}:{number}: not 'file | text | reason'")
        reasons.append(Reason(*parts))
    return reasons


def judge(found: list[Block], reasons: list[Reason]) -> list[str]:
    faults = []
    for block in found:
        explaining = [reason for reason in reasons if reason.explains(block)]
        for reason in explaining:
            reason.used = True
        if not explaining:
            faults.append(f"not run, not explained: {block}")
    faults += [f"explains nothing: {one.file} | {one.text}" for one in reasons if not one.used]
    return faults


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--json", type=Path, help="write the table as JSON too")
    arguments = parser.parse_args(argv)
    modules: dict[str, Count] = {}
    total, found = Count(), []
    for entry in json.loads(arguments.raw.read_text())["files"]:
        source = (ROOT / entry["file"]).read_text(encoding="utf-8").splitlines()
        one = count(entry)
        modules.setdefault(entry["file"].split("/")[1], Count()).add(one)
        total.add(one)
        found += blocks(entry, source)
    faults = judge(found, read_reasons(HERE / "explained.txt"))
    for fault in faults:
        print(fault)
    for name in sorted(modules):
        print(modules[name].row(name))
    print(total.row("engine/"))
    if total.lines == 0 or total.line_ratio < LINES_MIN:
        faults.append("too few")
        print(f"fewer than {LINES_MIN:.0%} of the lines are run")
    if arguments.json:
        table = {name: vars(one) for name, one in [*sorted(modules.items()), ("engine", total)]}
        table["blocks_not_run"] = {"all": len(found), "not_explained": len(faults)}
        arguments.json.write_text(json.dumps(table, indent=1) + "\n")
    print(f"{len(found)} blocks are not run; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
