#!/usr/bin/env python3
"""parts_test.py: the soak can fail: wrong answers, missing ones and growth are each found."""

from __future__ import annotations

import asyncio
import gzip
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import wire  # noqa: E402
from kinds import KINDS, World  # noqa: E402
from logs import Logs  # noqa: E402
from reply_kinds import unpacked  # noqa: E402
from soak import Tally, Watched, repeat, report  # noqa: E402

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def ask(reply: bytes, close: bool = True) -> wire.Answer:
    """One answer of a server that always says this."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        if close:
            writer.close()

    async def run() -> wire.Answer:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            peer = await wire.Peer.connect(server.sockets[0].getsockname())
            try:
                await peer.send(wire.request())
                answer = await peer.answer()
                await peer.ended()
                return answer
            finally:
                peer.close()

    return asyncio.run(run())


class WireTest(unittest.TestCase):
    def test_a_good_answer(self) -> None:
        self.assertEqual(ask(GOOD).body, b"hello")

    def test_chunks(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertEqual(ask(head + b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: v\r\n\r\n").body, b"hello")

    def test_bad_answers(self) -> None:
        unframed = b"HTTP/1.1 200 OK\r\n\r\nhello"
        for reply in (GOOD[:-1], GOOD + b"x", b"HTTP/1.0 200 OK\r\n\r\n", unframed, b"hello\r\n\r\n"):
            with self.subTest(reply=reply), self.assertRaises(wire.Wrong):
                ask(reply)

    def test_an_answer_that_never_comes(self) -> None:
        wire.WAIT_S, kept = 0.2, wire.WAIT_S
        self.addCleanup(setattr, wire, "WAIT_S", kept)
        with self.assertRaises(wire.Wrong):
            ask(b"HTTP/1.1 200 OK\r\n", close=False)

    def test_another_status_and_other_content(self) -> None:
        answer = wire.Answer(200, {}, b"hello")
        wire.expect(answer, 200, b"hello")
        for status, body in ((201, b"hello"), (200, b"hullo"), (200, b"")):
            with self.assertRaises(wire.Wrong):
                wire.expect(answer, status, body)

    def test_gzip_that_is_none(self) -> None:
        packed = gzip.compress(b"hello")
        self.assertEqual(unpacked(wire.Answer(200, {}, packed)).body, b"hello")
        for body in (packed[:-1], packed[:-5] + b"x" + packed[-4:], b"hello", packed + b"x"):
            with self.subTest(body=body), self.assertRaises(wire.Wrong):
                unpacked(wire.Answer(200, {}, body))


class OneByteTest(unittest.TestCase):
    def soaked(self, spoil: int) -> Tally:
        """A server that echoes, and changes these bits of the last byte."""
        tally, one = Tally(), next(one for one in KINDS if one.name == "trickled")

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            size = int(head.rpartition(b"Content-Length: ")[2])
            answer = bytearray(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            answer += await reader.readexactly(size)
            answer[-1] ^= spoil
            writer.write(answer)
            writer.close()

        async def run() -> None:
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            async with server:
                address = server.sockets[0].getsockname()
                world = World(address, address, address, {}, address)
                await repeat(one, 0, world, tally, 1, asyncio.get_running_loop().time() + 0.05)

        asyncio.run(run())
        return tally

    def test_a_byte_that_is_wrong(self) -> None:
        self.assertEqual(self.soaked(0).wrong, [])
        self.assertGreater(self.soaked(0).verified["trickled"], 0)
        self.assertRegex(self.soaked(1).wrong[0], "trickled 0, run 0: .*differ")


class LogsTest(unittest.TestCase):
    LINE = '127.0.0.1 - - [21/Nov/2026:12:00:00 +0000] "GET /{} HTTP/1.1" 200 5 "-" "-"\n'

    def faults(self, old: str, new: str) -> list[str]:
        """Of a log and one moved away, where /a was answered twice and /b once."""
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "access.1.log").write_text(old)
            (Path(name) / "access.log").write_text(new)
            return Logs(Path(name), asked=Counter({"/a": 2, "/b": 1})).faults()

    def test_lines(self) -> None:
        a, b, other = (self.LINE.format(path) for path in "abc")
        self.assertEqual(self.faults(a + b, a + other), [])
        self.assertEqual(self.faults(a + b, ""), ["logs: 1 lines for 2 answers to /a"])
        self.assertEqual(self.faults(a + b, a + b), ["logs: 2 lines for 1 answers to /b"])
        torn = self.faults(a + b[:20], b[20:] + a)
        self.assertEqual(torn, ["logs: 2 torn lines", "logs: 0 lines for 1 answers to /b"])


class JudgementTest(unittest.TestCase):
    def watched(self, rss: list[int]) -> Watched:
        none: Any = None
        return Watched("server", none, rss=rss, descriptors=[5])

    def test_memory(self) -> None:
        self.assertFalse(self.watched([10_000, 60_000, 60_000, 61_000] * 10).grows())
        self.assertFalse(self.watched([10_000] * 30 + [26_000] * 10).grows())
        self.assertTrue(self.watched([10_000] * 30 + [27_000] * 10).grows())
        self.assertTrue(self.watched(list(range(100_000, 200_000, 1000))).grows())

    def test_a_server_that_is_gone_is_wrong_for_every_kind(self) -> None:
        nowhere = ("127.0.0.1", 1)
        world, tally = World(nowhere, nowhere, nowhere, {"a": b"a"}, nowhere, tls=nowhere), Tally()

        async def run() -> None:
            until = asyncio.get_running_loop().time() + 0.05
            await asyncio.gather(*(repeat(one, 0, world, tally, 1, until) for one in KINDS))

        asyncio.run(run())
        self.assertGreaterEqual(len(tally.wrong), len(KINDS))
        faults = report(KINDS, tally, [], Logs(), 1)
        self.assertEqual(sum("never ran" in fault for fault in faults), len(KINDS))


if __name__ == "__main__":
    program = unittest.main(exit=False)
    failed = len(program.result.failures) + len(program.result.errors)
    print(f"{program.result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
