#!/usr/bin/env python3
"""run.py: sends every case of echo_table.py to apps/echo, in every way of cutting it into segments.

    run.py --binary build/apps/echo/echo [--only '6.*'] [--selftest]

Ways: whole; behind the handshake in its segment; behind a request and the handshake; byte by byte; and, where it
is short, cut in two at every position, the second part being sent when the server has read the first. A line for
each failure; the last line is `N passed, N failed`."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import fnmatch
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cases"))

from frames import CLOSE, KEY, Frame, FrameReader, accept_of, handshake  # noqa: E402
from receive_queue import ReceiveQueues  # noqa: E402
from server import Server  # noqa: E402
from echo_table import Case, all_cases  # noqa: E402

CUT_BYTES_MAX = 160
AT_ONCE = 64
TIMEOUT_S = 60.0
FAILURES_SHOWN = 30
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def modes_of(case: Case) -> list[str]:
    modes = ["whole", "glued", "pipelined"]
    if not case.only_whole:
        modes.append("byte")
        if len(case.sent) <= CUT_BYTES_MAX:
            modes += [f"cut:{at}" for at in range(1, len(case.sent))]
    return modes


class Delivery:
    def __init__(self, case: Case, mode: str, queues: ReceiveQueues) -> None:
        self.case, self.mode, self.queues = case, mode, queues
        self.data = b""
        self.reset = False

    def __str__(self) -> str:
        return f"{self.case.id} [{self.mode}]"

    async def run(self, address: tuple[str, int]) -> str | None:
        """None, or what was wrong."""
        reader, writer = await asyncio.open_connection(*address)
        try:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            before = REQUEST if self.mode == "pipelined" else b""
            glued = self.mode in ("glued", "pipelined")
            sending = asyncio.ensure_future(self.send(writer, before + handshake(), glued))
            try:
                await asyncio.wait_for(self.receive(reader), TIMEOUT_S)
            except asyncio.TimeoutError:
                return f"nothing more in {TIMEOUT_S:g} s; seen {self.data[-200:]!r}"
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            return self.judge()
        finally:
            writer.close()

    async def receive(self, reader: asyncio.StreamReader) -> None:
        self.opened = asyncio.get_running_loop().create_future()
        while True:
            try:
                data = await reader.read(1 << 20)
            except ConnectionError:
                self.reset = True
                return
            if not data:
                return
            self.data += data
            if b"HTTP/1.1 101" in self.data and not self.opened.done():
                self.opened.set_result(True)

    async def send(self, writer: asyncio.StreamWriter, head: bytes, glued: bool) -> None:
        await asyncio.sleep(0)
        sent = self.case.sent
        writer.write(head + sent if glued else head)
        if glued:
            await writer.drain()
            return
        await self.opened
        for part in self.parts(sent):
            writer.write(part)
            await writer.drain()
            await self.taken(writer)

    def parts(self, sent: bytes) -> list[bytes]:
        if self.mode == "byte":
            step = max(1, len(sent) // 400)
            return [sent[at : at + step] for at in range(0, len(sent), step)]
        if self.mode.startswith("cut:"):
            at = int(self.mode[4:])
            return [sent[:at], sent[at:]]
        return [sent]

    async def taken(self, writer: asyncio.StreamWriter) -> None:
        client, server = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        for _ in range(200):
            if self.queues.taken(server, client) is not False:
                return
            await asyncio.sleep(0.0005)

    def judge(self) -> str | None:
        rest = self.data
        if self.mode == "pipelined":
            head, _, rest = rest.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 ") or not rest.startswith(b"hello"):
                return f"the request before was not answered first: {self.data[:200]!r}"
            rest = rest[len(b"hello") :]
        head, _, rest = rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101 ") or accept_of(KEY).encode() not in head:
            return f"no 101 with the right key: {head!r}"
        try:
            frames = FrameReader().feed(rest)
        except ValueError as error:
            return str(error)
        want = list(self.case.want)
        if self.case.code is not None:
            want.append(Frame(CLOSE, b"" if self.case.code == 1005 else self.case.code.to_bytes(2, "big")))
        if frames != want:
            return f"wanted {short(want)}, got {short(frames)}"
        return "the connection was reset" if self.reset else None


def short(frames: list[Frame]) -> str:
    return ", ".join(f"{one.opcode}:{one.payload[:40]!r}({len(one.payload)})" for one in frames[:12]) or "nothing"


async def run_all(deliveries: list[Delivery], address: tuple[str, int]) -> int:
    failed = 0
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(delivery: Delivery) -> None:
        nonlocal failed
        async with gate:
            fault = await delivery.run(address)
        if fault is not None:
            failed += 1
            if failed <= FAILURES_SHOWN:
                print(f"FAILED {delivery}: {fault}", flush=True)

    await asyncio.gather(*(one(delivery) for delivery in deliveries))
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--only", default="*")
    parser.add_argument("--selftest", action="store_true", help="every answer is made wrong, and must fail")
    options = parser.parse_args()
    queues = ReceiveQueues()
    cases = [case for case in all_cases() if fnmatch.fnmatch(case.id, options.only)]
    if options.selftest:
        cases = [dataclasses.replace(case, code=1003) for case in cases if case.code != 1003 and not case.only_whole]
    deliveries = [Delivery(case, mode, queues) for case in cases for mode in modes_of(case)]
    if options.selftest:
        deliveries = [one for one in deliveries if not one.mode.startswith("cut:")]
    with Server([options.binary, "--listen", "127.0.0.1:0", "--config", "/dev/null"]) as server:
        failed = asyncio.run(run_all(deliveries, server.address))
        faults = server.stop()
    for fault in faults:
        print(f"FAILED server: {fault}")
    if options.selftest:  # What was made wrong and passes is the fault.
        failed = len(deliveries) - failed
    failed += len(faults)
    print(f"{len(cases)} cases, {len(deliveries)} deliveries")
    print(f"{len(deliveries) - failed} passed, {failed} failed")
    return 1 if failed or not deliveries else 0


if __name__ == "__main__":
    sys.exit(main())
