#!/usr/bin/env python3
"""soak.py: mixed traffic on real sockets for as long as it is told, every answer verified, while the servers'
memory and descriptors are watched. Run by `./dev soak MINUTES`; the test run has 20 seconds of it.

    soak.py --seconds 600 [--seed 1] [--only pipelined,files] [--app PROGRAM]
            [--engine PROGRAM] [--echo PROGRAM]

A table of the kinds at the end, then memory and descriptors, then `N passed, N failed`. Exit 1 where an answer
was wrong, a server did not end cleanly, memory went on growing, or a descriptor was left."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from harness import SANITIZED, descriptors, rss_kib  # noqa: E402
from server import Server  # noqa: E402

import other_kinds  # noqa: E402, F401
import reply_kinds  # noqa: E402, F401
from kinds import KINDS, Kind, World  # noqa: E402
from wire import Wrong  # noqa: E402

SAMPLE_S = 0.5
# Memory is flat when its peak in the last quarter is no more than this above the peak before that: the first
# part of a run is left to pools, which fill and then stay, and peaks differ by how many of the largest bodies
# (3.8 MB, there three times while they are answered) happen to be under way at once.
GROWTH_KIB_MAX = 16 * 1024
FILE_SIZES = {"empty.txt": 1, "page.html": 3000, "image.png": 60_000, "large.bin": 3_000_000}
TIMEOUTS = '[timeouts]\nlinger = "500ms"\n'
TLS = '[tls]\nlisten = ["127.0.0.1:0"]\ncert = "localhost.pem"\nkey = "localhost.key"\n'


@dataclass
class Tally:
    verified: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass
class Watched:
    """A server, and what it used over time."""

    name: str
    server: Server
    rss: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    idle: int = 0

    def sample(self) -> None:
        self.rss.append(rss_kib(self.server.pid))
        self.descriptors.append(self.open_now())

    def open_now(self) -> int:
        return descriptors(self.server.pid)

    def grows(self) -> bool:
        return self.growth()[0] > GROWTH_KIB_MAX

    def growth(self) -> tuple[int, int]:
        """KiB that the peak of the last quarter is above the peak before; and that earlier peak."""
        at = len(self.rss) * 3 // 4
        before = max(self.rss[:at])
        return max(self.rss[at:]) - before, before

    def faults(self) -> list[str]:
        found = []
        until = time.monotonic() + 15
        while self.open_now() > self.idle and time.monotonic() < until:
            time.sleep(0.1)
        if self.open_now() > self.idle:
            found.append(f"{self.name}: {self.open_now()} descriptors at the end, {self.idle} at the start")
        if not SANITIZED and self.grows():
            growth, before = self.growth()
            found.append(f"{self.name}: memory grew by {growth} KiB in the last quarter, from {before} KiB")
        return found + [f"{self.name}: {fault}" for fault in self.server.stop()]


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


def report(kinds: list[Kind], tally: Tally, servers: list[Watched], seconds: float) -> list[str]:
    """Prints it; what was wrong."""
    print(f"{'kind':<18}{'runs':>9}{'verified':>11}")
    for one in kinds:
        print(f"{one.name:<18}{tally.runs[one.name]:>9}{tally.verified[one.name]:>11}")
    verified = sum(tally.verified.values())
    print(f"{verified} answers verified in {seconds / 60:.1f} minutes, {len(tally.wrong)} wrong")
    for server in servers:
        growth, before = server.growth()
        print(
            f"{server.name}: peak {before} KiB, {growth:+} KiB in the last quarter; "
            f"at most {max(server.descriptors)} descriptors, {server.idle} idle"
        )
    idle = [one.name for one in kinds if not tally.runs[one.name]]
    return tally.wrong + [f"{name} never ran" for name in idle]


def serve(
    directory: Path, arguments: argparse.Namespace, stack: contextlib.ExitStack
) -> tuple[World, list[Watched]]:
    """Starts the three servers, each with a configuration of its own; they end with the stack."""
    choose = random.Random(arguments.seed)
    contents = {name: choose.randbytes(size) for name, size in FILE_SIZES.items()}
    public = directory / "public"
    public.mkdir()
    for name, content in contents.items():
        (public / name).write_bytes(content)
    trust = certificate(directory)
    tls = TLS if takes(arguments.engine, directory, TLS) else ""
    servers = []
    for name, program, config in (
        ("app", arguments.app, tls),
        ("files", arguments.engine, f'[[route]]\npath = "/*"\nfiles = "{public}"\n'),
        ("echo", arguments.echo, ""),
    ):
        (directory / f"{name}.toml").write_text('[server]\nlisten = ["127.0.0.1:0"]\n' + TIMEOUTS + config)
        command = [os.path.abspath(program), "--config", f"{name}.toml"]
        servers.append(Watched(name, stack.enter_context(Server(command, cwd=directory))))
    app, files, echo = (one.server for one in servers)
    for one in servers:
        one.idle = one.open_now()
    world = World(app.address, files.address, echo.address, contents)
    if tls:
        # The plain address is told first.
        world.tls, world.trust = app.urls[1], trust
        world.reload = lambda: app.send(signal.SIGHUP)
    return world, servers


def takes(engine: str, directory: Path, config: str) -> bool:
    """Whether this build understands it."""
    (directory / "try.toml").write_text(config)
    command = [os.path.abspath(engine), "check", "--config", "try.toml"]
    return subprocess.run(command, cwd=directory, capture_output=True, check=False).returncode == 0


def certificate(directory: Path) -> ssl.SSLContext:
    """localhost.pem and .key there, signed by themselves; gives what a client needs to believe them."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", directory / "localhost.key", "-out", directory / "localhost.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    return ssl.create_default_context(cafile=str(directory / "localhost.pem"))


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
        wrong = report(kinds, tally, servers, arguments.seconds)
        for server in servers:
            wrong += server.faults()
    for fault in wrong[:50]:
        print(f"WRONG {fault}")
    print(f"{sum(tally.verified.values())} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
