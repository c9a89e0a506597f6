#!/usr/bin/env python3
"""slow_test.py: slowhttptest in its four modes, while a hundred good clients see no error.

The medians of their latency are printed, in peace and under attack, and not judged: speed is no test.
`./dev hostile` runs the same longer and judges them."""

from __future__ import annotations

import statistics
import sys
import time
import unittest
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

from harness import SANITIZED, IntegrationTest, descriptors, eventually, get, main, rss_kib  # noqa: E402
from server import Server  # noqa: E402

from attack import (  # noqa: E402
    ECHO_QUESTIONS,
    RINGS_KIB,
    SlowAttack,
    established,
    tool_missing,
)
from good_clients import CLIENTS, GoodClients, Question, Record  # noqa: E402

CONNECTIONS = 400
PEACE_S, ATTACK_S = 2, 6
# What an attacking connection may cost the server: less than a block and a head, or where replies wait to be
# read, limits.output_bytes (256 KiB) and a block more.
KIB_EACH_MAX = {"-H": 32, "-B": 32, "-R": 400, "-X": 400}

CONFIG = """
[timeouts]
header = "3s"
body_idle = "3s"
write_idle = "3s"
keepalive = "5s"
linger = "300ms"
"""
BIG_BYTES = 4 << 20  # More than the kernel and the server buffer of a reply, three times in a row.
RANGED_BYTES = 64 << 10


@dataclass(frozen=True)
class Outcome:
    record: Record
    peace_ms: float
    attack_ms: float
    ratio: float  # The median of the rounds' own: what a machine does for minutes, both sides of a round have.
    opened: int  # Connections of the attack,
    held: int  # and those of them that were open at once.
    grown_kib: int

    def line(self, mode: str) -> str:
        return (
            f"slowhttptest {mode}: {self.opened} connections, {self.held} at once, "
            f"{len(self.record.answers)} good answers, {len(self.record.errors)} errors, median {self.peace_ms:.2f} ms in peace and "
            f"{self.attack_ms:.2f} ms under attack, memory grew by {self.grown_kib} KiB"
        )


def endure(
    server: Server, questions: list[Question], mode: str, path: str, *,
    connections: int, peace_s: float, attack_s: int, rounds: int = 1,
) -> Outcome:  # fmt: skip
    """Peace and attack in turn, peace last. A round's attack is held against the peace on both sides of it."""
    before, held, memory = rss_kib(server.pid), 0, 0
    opened = 0
    windows: list[tuple[float, float, float]] = []
    with GoodClients(server.address, questions) as good:
        time.sleep(1)  # The first answers of a process are slow.
        for _ in range(rounds):
            begin = time.monotonic()
            time.sleep(peace_s)
            middle = time.monotonic()
            with SlowAttack(mode, server, path, attack_s, connections) as tool:
                while time.monotonic() < middle + attack_s:
                    time.sleep(0.2)
                    held = max(held, established(server.address[1]) - CLIENTS)
                    memory = max(memory, rss_kib(server.pid))
                opened += tool.opened()
            windows.append((begin, middle, time.monotonic()))
        begin = time.monotonic()
        time.sleep(peace_s)
        middle = time.monotonic()
        record = good.finish()
    peace = [record.median_ms(begin, middle) for begin, middle in [(w[0], w[1]) for w in windows] + [(begin, middle)]]
    attack = [record.median_ms(middle, end) for _, middle, end in windows]
    ratios = [2 * one / (peace[i] + peace[i + 1]) for i, one in enumerate(attack)]
    return Outcome(
        record, statistics.median(peace), statistics.median(attack), statistics.median(ratios), opened, held, memory - before
    )  # fmt: skip


def start_for(test: IntegrationTest, mode: str) -> tuple[Server, list[Question], str]:
    """The server that a mode attacks, what good clients ask of it, and the path attacked."""
    if mode in ("-H", "-B"):
        return test.start("echo", config=CONFIG), ECHO_QUESTIONS, "/" if mode == "-H" else "/echo"
    public = test.directory / "public"
    public.mkdir()
    (public / "big.bin").write_bytes(bytes(BIG_BYTES))
    (public / "ranged.bin").write_bytes(bytes(RANGED_BYTES))
    (public / "small.txt").write_bytes(b"small")
    route = f'[[route]]\npath = "/*"\nfiles = "{public}"\n'
    questions = [Question(get("/small.txt").encode(), b"small")]
    return test.start("engine", config=CONFIG + route), questions, "/big.bin" if mode == "-X" else "/ranged.bin"


@unittest.skipIf(tool_missing(), "slowhttptest is not installed: ./dev setup")
class SlowTest(IntegrationTest):
    def endure(self, mode: str) -> None:
        server, questions, path = start_for(self, mode)
        idle = descriptors(server.pid)
        outcome = endure(
            server, questions, mode, path,
            connections=CONNECTIONS, peace_s=PEACE_S, attack_s=ATTACK_S,
        )  # fmt: skip
        print(outcome.line(mode), flush=True)
        self.assertEqual(outcome.record.errors, [])
        self.assertGreater(outcome.opened, CONNECTIONS // 2, "there was no attack")
        if not SANITIZED:
            self.assertLess(outcome.grown_kib, max(outcome.held, 100) * KIB_EACH_MAX[mode] + RINGS_KIB)
        self.assertTrue(eventually(lambda: descriptors(server.pid) <= idle, 15), "descriptors are left")

    def test_slow_heads(self) -> None:
        self.endure("-H")

    def test_slow_bodies(self) -> None:
        self.endure("-B")

    def test_many_ranges(self) -> None:
        self.endure("-R")

    def test_slow_reads(self) -> None:
        self.endure("-X")


if __name__ == "__main__":
    main()
