#!/usr/bin/env python3
"""Writes each line of a seed file, its escapes undone, as a file of a fuzzer's corpus.

usage: seeds.py SEEDS CORPUS
"""
import re
import sys
from pathlib import Path

ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0"}


def unescape(line: str) -> bytes:
    """The same escapes as replay.cpp: \\r \\n \\t \\0 \\xHH; any other escaped byte is itself."""

    def one(found: re.Match[str]) -> str:
        name = found[1]
        return chr(int(name[1:], 16)) if len(name) == 3 else ESCAPES.get(name, name)

    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)", one, line).encode("latin-1")


def main() -> None:
    corpus = Path(sys.argv[2])
    for number, line in enumerate(Path(sys.argv[1]).read_text().splitlines()):
        (corpus / f"seed-{number}").write_bytes(unescape(line))


if __name__ == "__main__":
    main()
