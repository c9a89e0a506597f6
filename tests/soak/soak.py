#!/usr/bin/env python3
"""soak.py: mixed traffic on real sockets for as long as it is told, every answer verified, while the servers'
memory and descriptors are watched. Run by `./dev soak MINUTES`; the test run has 20 seconds of it.

    soak.py --seconds 600 [--seed 1] [--only pipelined,files] [--app PROGRAM]
            [--engine PROGRAM] [--echo PROGRAM] [--uploads PROGRAM]

A table of the kinds at the end, then memory and descriptors, then `N passed, N failed`. Exit 1 where an answer
was wrong, a server did not end cleanly, memory went on growing, a descriptor was left, an answer has no line in the
log, or an upload that was cut left a file."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import log_kinds  # noqa: F401
import other_kinds  # noqa: F401
import reply_kinds  # noqa: F401
import upload_kinds  # noqa: F401
from kinds import KINDS, Kind, World
from logs import Logs
from servers import serve
from watched import Watched
from wire import Wrong

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_S = 0.5


@dataclass
class Tally:
    verified: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def repeat(one: Kind, number: int, world: World, tally: Tally, seed: int, until: float) -> None:
    choose = random.Random(f"{seed} {one.name} {number}")
    while time.monotonic() < until:
        try:
            count = await one.run(world, choose)
            tally.verified[one.name] += count
            tally.runs[one.name] += 1
        except (Wrong, OSError) as fault:  # A timeout is an OSError.
            tally.wrong.append(f"{one.name} {number}, run {tally.runs[one.name]}: {fault!r}")
            await asyncio.sleep(0.1)


async def watch(servers: list[Watched], tally: Tally, until: float, quiet: bool) -> None:
    last = time.monotonic()
    while time.monotonic() < until:
        await asyncio.sleep(SAMPLE_S)
        for server in servers:
            server.sample()
        if not quiet and time.monotonic() - last > 30:
            last = time.monotonic()
            memory = ", ".join(f"{one.name} {one.rss[-1]} KiB {one.descriptors[-1]} fds" for one in servers)
            print(f"{sum(tally.verified.values())} verified, {len(tally.wrong)} wrong; {memory}", flush=True)


async def run_all(
    kinds: list[Kind], world: World, servers: list[Watched], seed: int, seconds: float, quiet: bool
) -> Tally:
    tally, until = Tally(), time.monotonic() + seconds
    await asyncio.gather(
        watch(servers, tally, until, quiet),
        *(repeat(one, number, world, tally, seed, until) for one in kinds for number in range(one.clients)),
    )
    return tally


def report(kinds: list[Kind], tally: Tally, servers: list[Watched], logs: Logs, seconds: float) -> list[str]:
    """Prints it; what was wrong."""
    print(f"{'kind':<18}{'runs':>9}{'verified':>11}")
    for one in kinds:
        print(f"{one.name:<18}{tally.runs[one.name]:>9}{tally.verified[one.name]:>11}")
    verified = sum(tally.verified.values())
    print(f"{verified} answers verified in {seconds / 60:.1f} minutes, {len(tally.wrong)} wrong")
    print(f"{sum(logs.asked.values())} of them must have a line in one of {logs.moved + 1} logs")
    for server in servers:
        growth, before = server.growth()
        print(
            f"{server.name}: peak {before} KiB, {growth:+} KiB in the last quarter; "
            f"at most {max(server.descriptors)} descriptors, {server.idle} idle"
        )
    idle = [one.name for one in kinds if not tally.runs[one.name]]
    return tally.wrong + [f"{name} never ran" for name in idle]


def arguments_of(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="these kinds alone, by commas")
    parser.add_argument("--quiet", action="store_true", help="no line every half minute")
    build = ROOT / "build"
    parser.add_argument("--app", default=str(build / "tests/integration/test_app"))
    parser.add_argument("--engine", default=str(build / "apps/millrace/millrace"))
    parser.add_argument("--echo", default=str(build / "apps/echo/echo"))
    parser.add_argument("--uploads", default=str(build / "apps/uploads/uploads"))
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = arguments_of(argv)
    kinds = [one for one in KINDS if not arguments.only or one.name in arguments.only.split(",")]
    if not kinds:
        raise SystemExit(f"no such kind; there are {', '.join(one.name for one in KINDS)}")
    with tempfile.TemporaryDirectory(prefix="millrace-soak-") as name, contextlib.ExitStack() as stack:
        world, servers = serve(Path(name), arguments, stack)
        if world.tls is None:
            print("TLS is not in this build: its kinds are left out")
            kinds = [one for one in kinds if not one.needs_tls]
        tally = asyncio.run(run_all(kinds, world, servers, arguments.seed, arguments.seconds, arguments.quiet))
        wrong = report(kinds, tally, servers, world.logs, arguments.seconds)
        for server in servers:
            wrong += server.faults()
        wrong += world.logs.faults() + [f"uploads: {path.name} was left" for path in world.stored.iterdir()]
    for fault in wrong[:50]:
        print(f"WRONG {fault}")
    print(f"{sum(tally.verified.values())} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
