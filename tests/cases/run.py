#!/usr/bin/env python3
"""run.py: sends every case of the tables to a real server, in every way of cutting it into segments.

    run.py --binary build/apps/echo/echo          starts it, on a port of the kernel's choice
    run.py --binary build/apps/echo/echo --any    the same with --any, and the table for that
    run.py --server 127.0.0.1:8080 --only 'te-*'  one that runs already

A line for each failure, with the bytes seen; the last line is `N passed, N failed`; exit 1 where any
failed."""

from __future__ import annotations

import argparse
import collections
import fnmatch
import http.client
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from delivery import Delivery, Limits
from judge import describe, judge
from loop import Loop, Start, Started
from receive_queue import Address, ReceiveQueues
from server import Server
from table import Case, load

HERE = Path(__file__).resolve().parent
TABLES = (HERE / "http1.jsonl", HERE / "answers.jsonl", HERE / "further.jsonl")
ANY_TABLE = HERE / "any.jsonl"
AT_ONCE = 256
RETRIED_ALONE_MAX = 200  # More failures than this are no noise: they are run again side by side.


@dataclass(frozen=True)
class Sending:
    case: Case
    mode: str

    def __str__(self) -> str:
        return f"{self.case.id} [{self.mode}]"


@dataclass(frozen=True)
class Outcome:
    sending: Sending
    fault: str | None
    seen: str


def perform(
    sendings: list[Sending], address: Address, source: str, limits: Limits, at_once: int
) -> list[Outcome]:
    """Runs them in this process."""
    queues, outcomes = ReceiveQueues(), []
    deliveries: list[tuple[Sending, Delivery]] = []

    def jobs() -> Iterator[Start]:
        for sending in sendings:
            delivery = Delivery(sending.case, sending.mode, limits, queues)

            def start(delivery: Delivery = delivery, sending: Sending = sending) -> Started | None:
                try:
                    started = delivery.start(address, source)
                except OSError as error:
                    outcomes.append(Outcome(sending, f"a connection ({error})", "none"))
                    return None
                deliveries.append((sending, delivery))
                return started

            yield start

    Loop().run(jobs(), at_once)
    queues.close()
    for sending, delivery in deliveries:
        fault = judge(sending.case, delivery.seen)
        outcomes.append(Outcome(sending, fault, describe(delivery.seen)))
    return outcomes


def work(job: tuple[list[Sending], Address, str, Limits, int]) -> list[Outcome]:
    return perform(*job)


def perform_all(sendings: list[Sending], address: Address, limits: Limits, workers: int) -> list[Outcome]:
    if workers == 1 or len(sendings) < 100:
        return perform(sendings, address, "", limits, AT_ONCE)
    jobs = [
        (sendings[worker::workers], address, f"127.0.0.{worker + 2}", limits, AT_ONCE)
        for worker in range(workers)
    ]
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return [outcome for part in pool.map(work, jobs, chunksize=1) for outcome in part]


def retry(failed: list[Outcome], address: Address, limits: Limits) -> tuple[list[Outcome], list[Outcome]]:
    """Once more, alone: those that fail again, and those that then pass."""
    at_once = 1 if len(failed) <= RETRIED_ALONE_MAX else 16
    again = perform([outcome.sending for outcome in failed], address, "", limits, at_once)
    first = {(outcome.sending.case.id, outcome.sending.mode): outcome for outcome in failed}
    flaky = [first[one.sending.case.id, one.sending.mode] for one in again if one.fault is None]
    return [outcome for outcome in again if outcome.fault is not None], flaky


def alive(address: Address, wanted: bytes) -> str | None:
    """After all that, a plain request."""
    connection = http.client.HTTPConnection(*address, timeout=5)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        body = response.read()
        return (
            None
            if (response.status, body) == (200, wanted)
            else f"GET / gave {response.status} {body[:40]!r}"
        )
    except (OSError, http.client.HTTPException) as error:
        return f"GET / gave {error!r}"
    finally:
        connection.close()


def select(arguments: argparse.Namespace) -> list[Sending]:
    modes = arguments.modes.split(",")
    cases = [
        case
        for path in (arguments.table or ([ANY_TABLE] if arguments.any else TABLES))
        for case in load(Path(path))
        if fnmatch.fnmatch(case.id, arguments.only)
    ]
    return [
        Sending(case, mode)
        for case in cases
        for mode in case.deliveries()
        if mode.partition(":")[0] in modes or mode in modes
    ]


def report(outcomes: list[Outcome], failed: list[Outcome], flaky: list[Outcome], verbose: bool) -> None:
    for outcome in outcomes if verbose else ():
        print(f"{'ok' if outcome.fault is None else 'retry'} {outcome.sending} {outcome.seen}")
    for outcome in flaky:
        print(f"FLAKY {outcome.sending} wanted {outcome.fault}; got {outcome.seen}")
    for outcome in failed:
        case = outcome.sending.case
        print(f"FAIL {outcome.sending} ({case.level}, {case.rfc}) wanted {outcome.fault}; got {outcome.seen}")
    total = collections.Counter(outcome.sending.case.level for outcome in outcomes)
    bad = collections.Counter(outcome.sending.case.level for outcome in failed)
    for level, count in sorted(total.items()):
        ids = {outcome.sending.case.id for outcome in failed if outcome.sending.case.level == level}
        print(f"level {level}: {count - bad[level]} of {count} deliveries right, {len(ids)} cases failing")


def arguments_of(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--binary", help="the server to start, with --port 0")
    where.add_argument("--server", help="HOST:PORT of one that runs, on 127.0.0.0/8")
    parser.add_argument(
        "--flag", action="append", default=[], help="one more argument for the binary (repeatable)"
    )
    parser.add_argument("--any", action="store_true", help="the server answers every path: that table")
    parser.add_argument("--only", default="*", metavar="GLOB", help="cases with such an id")
    parser.add_argument("--modes", default="whole,byte,split,cut", help="of whole, byte, split, cut, cut:N")
    parser.add_argument("--table", action="append", help="another table (repeatable)")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--timeout", type=float, default=Limits.timeout_s, help="seconds for what is due")
    parser.add_argument("--settle", type=float, default=Limits.settle_s, help="seconds for what is not due")
    parser.add_argument("--verbose", action="store_true", help="every delivery")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    arguments = arguments_of(argv)
    sendings, limits = select(arguments), Limits(arguments.timeout, arguments.settle)
    if not sendings:
        print("no such case\n0 passed, 0 failed")
        return 1
    flags = [*(["--any"] if arguments.any else []), *arguments.flag]
    server = Server([arguments.binary, "--port", "0", *flags]) if arguments.binary else None
    try:
        host, _, port = arguments.server.rpartition(":") if arguments.server else ("", "", "0")
        address = server.address if server else (host, int(port))
        if not address[0].startswith("127."):
            raise SystemExit("loopback only: an address of 127.0.0.0/8")
        started = time.monotonic()
        outcomes = perform_all(sendings, address, limits, arguments.workers)
        failed, flaky = retry([one for one in outcomes if one.fault is not None], address, limits)
        report(outcomes, failed, flaky, arguments.verbose)
        fault = alive(address, b"OK" if arguments.any else b"hello")
        faults = [fault] if fault else []
        faults += server.stop() if server else []
    finally:
        if server:
            server.kill()
    for fault in faults:
        print(f"FAIL server: {fault}")
    seconds = time.monotonic() - started
    print(f"{len(outcomes)} deliveries in {seconds:.0f} s, {len(flaky)} passed only when sent again")
    checks = 2 if server else 1
    bad = len(failed) + len(faults)
    print(f"{max(0, len(outcomes) + checks - bad)} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
