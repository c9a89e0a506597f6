#!/usr/bin/env python3
"""websocket_test.py: WebSockets as a client of others' making meets them (Python's websockets), and by hand where no
such client would go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import unittest
from pathlib import Path

from debian_python import load

websockets = load("websockets")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "websocket"))

from frames import CLOSE, PING, FrameReader, close, frame, handshake, text  # noqa: E402
from harness import Client, IntegrationTest, eventually, get, main, rss_kib  # noqa: E402


def code_of(payload: bytes) -> int:
    return int.from_bytes(payload[:2], "big")


@unittest.skipIf(websockets is None, "python3-websockets is not installed: ./dev setup")
class OutsideClientTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("sockets", "--cores", "2")
        self.url = "ws://{}:{}".format(*self.server.address)

    def connect_to(self, path: str, **more: object) -> websockets.connect:
        return websockets.connect(self.url + path, max_size=None, **more)

    def test_messages_of_all_kinds(self) -> None:
        async def run() -> None:
            for compression in (None, "deflate"):
                async with self.connect_to("/deflate", compression=compression) as peer:
                    for message in ("hello", "", b"\0\xff", "\u00e9" * 5000, "x" * 100_000, os.urandom(900_000)):
                        await peer.send(message)
                        self.assertEqual(await peer.recv(), message)
                    await peer.send(["in ", "three ", "parts"])
                    self.assertEqual(await peer.recv(), "in three parts")
                    await (await peer.ping())
                    for number in range(200):
                        await peer.send(str(number))
                    self.assertEqual([await peer.recv() for _ in range(200)], [str(n) for n in range(200)])
                self.assertEqual(peer.close_code, 1000)

        asyncio.run(asyncio.wait_for(run(), 60))

    def test_what_the_handler_sees(self) -> None:
        async def run() -> None:
            async with self.connect_to("/describe/a%20b?q=1", subprotocols=["chat", "v2.chat"]) as peer:
                self.assertEqual(peer.subprotocol, "v2.chat")
                self.assertEqual(await peer.recv(), "a b q=1 [v2.chat] compressed")
            async with self.connect_to("/describe/x", compression=None) as peer:
                self.assertIsNone(peer.subprotocol)
                self.assertEqual(await peer.recv(), "x  []")

        asyncio.run(asyncio.wait_for(run(), 30))

    def test_middleware_around(self) -> None:
        async def run() -> None:
            with self.assertRaises(websockets.InvalidStatusCode) as refused:
                async with self.connect_to("/guarded/describe/me"):
                    pass
            self.assertEqual(refused.exception.status_code, 403)
            self.assertEqual(refused.exception.headers["X-Seen"], "yes")
            for count in (1, 2):
                async with self.connect_to("/guarded/describe/me?x", extra_headers={"X-Pass": "yes"}) as peer:
                    self.assertEqual(await peer.recv(), "me x [] compressed")
                    self.assertEqual(self.ask("/switched"), str(count - 1).encode())  # Told when it has closed.
                self.assertEqual(peer.close_code, 1000)
                self.assertTrue(eventually(lambda: self.ask("/switched") == str(count).encode()))  # noqa: B023

        asyncio.run(asyncio.wait_for(run(), 60))

    def test_a_coroutine_around_goes_on_when_the_socket_has_ended(self) -> None:
        async def run() -> None:
            async with self.connect_to("/around/echo") as peer:
                await peer.send("hello")
                self.assertEqual(await peer.recv(), "hello")
                self.assertEqual(self.ask("/seen-around"), b"0")
            self.assertTrue(eventually(lambda: self.ask("/seen-around") == b"101"))

        asyncio.run(asyncio.wait_for(run(), 30))

    def test_a_time_limit_is_for_the_handshake_alone(self) -> None:
        async def run() -> None:
            async with self.connect_to("/timed/outlast") as peer:
                self.assertEqual([await peer.recv(), await peer.recv()], ["begun", "still here"])
            self.assertEqual(peer.close_code, 1000)

        asyncio.run(asyncio.wait_for(run(), 30))

    def ask(self, path: str) -> bytes:
        return Client(self.server.address).ask(get(path)).body

    def test_closing(self) -> None:
        async def run() -> None:
            async with self.connect_to("/goodbye") as peer:
                await peer.send("so long")
                await peer.wait_closed()
                self.assertEqual((peer.close_code, peer.close_reason), (4002, "so long"))
            async with self.connect_to("/goodbye") as peer:  # 123 bytes fit, and no half of a character.
                await peer.send("\u00e9" * 100)
                await peer.wait_closed()
                self.assertEqual((peer.close_code, peer.close_reason), (4002, "\u00e9" * 61))
            async with self.connect_to("/throw") as peer:
                await peer.send("x")
                await peer.wait_closed()
                self.assertEqual(peer.close_code, 1011)
            async with self.connect_to("/tight") as peer:
                await peer.send("x" * 1025)
                await peer.wait_closed()
                self.assertEqual(peer.close_code, 1009)

        asyncio.run(asyncio.wait_for(run(), 30))

    def test_origins(self) -> None:
        async def run() -> None:
            own = self.url.replace("ws:", "http:")
            for path, origin, allowed in (
                ("/echo", None, True), ("/echo", own, True), ("/echo", "https://evil.example", False),
                ("/origin", "https://good.example", True), ("/origin", own, False), ("/origin", None, True),
            ):  # fmt: skip
                with self.subTest(path=path, origin=origin):
                    if allowed:
                        async with self.connect_to(path, origin=origin) as peer:
                            await peer.send("in")
                            self.assertEqual(await peer.recv(), "in")
                    else:
                        with self.assertRaises(websockets.InvalidStatusCode) as refused:
                            await self.connect_to(path, origin=origin)
                        self.assertEqual(refused.exception.status_code, 403)

        asyncio.run(asyncio.wait_for(run(), 30))

    def test_topics_reach_every_core(self) -> None:
        """Sixteen in a room: the kernel spreads them over two cores."""

        async def run() -> None:
            peers = [await self.connect_to("/room/hall") for _ in range(16)]
            other = await self.connect_to("/room/other")
            for peer in peers:
                self.assertEqual(await peer.recv(), "in hall")
            self.assertEqual(await other.recv(), "in other")
            for number in range(50):
                await peers[number % 16].send(f"message {number}")
                for peer in peers:
                    self.assertEqual(await peer.recv(), f"message {number}")
            reply = await asyncio.to_thread(lambda: self.connect(self.server).ask(get("/say/hall/by%20HTTP")))
            self.assertEqual(reply.body, b"said")
            for peer in peers:
                self.assertEqual(await peer.recv(), "by HTTP")
            await other.send("alone")
            self.assertEqual(await other.recv(), "alone")
            for message in (b"\0\xff", "I leave"):
                await peers[0].send(message)
                for peer in peers:
                    self.assertEqual(await peer.recv(), message)
            await peers[0].send("to those who stay")
            for peer in peers[1:]:
                self.assertEqual(await peer.recv(), "to those who stay")
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(peers[0].recv(), 0.2)
            for peer in (*peers, other):
                await peer.close()

        asyncio.run(asyncio.wait_for(run(), 60))
        self.assertTrue(eventually(lambda: self.connect(self.server).ask(get("/live")).body == b"0"))

    def test_a_topic_reaches_each_as_he_can_read_it(self) -> None:
        """Compressed once for those with the same window, and for each that keeps a context, or not at all."""

        async def run() -> None:
            paths = ["", "/compressed", "/takeover", "/compressed", "/small-window", "/takeover", "/compressed"] * 3
            async with contextlib.AsyncExitStack() as stack:
                peers = [await stack.enter_async_context(self.connect_to("/room/a" + path)) for path in paths]
                for peer in peers:
                    await peer.recv()
                for number in range(20):
                    message = f"message {number} " + "and so on " * number * 50
                    await peers[number].send(message)
                    for peer in peers:
                        self.assertEqual(await peer.recv(), message)

        asyncio.run(asyncio.wait_for(run(), 60))

    def test_a_drain_closes_with_1001(self) -> None:
        async def run() -> None:
            async with self.connect_to("/echo") as peer:
                await peer.send("x")
                await peer.recv()
                faults = asyncio.get_running_loop().run_in_executor(None, self.server.stop)
                await peer.wait_closed()
                self.assertEqual(peer.close_code, 1001)
                self.assertEqual(await faults, [])

        asyncio.run(asyncio.wait_for(run(), 60))


class ByHandTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("sockets", "--cores", "1")

    def open(self, path: str, receive_buffer: int = 0) -> tuple[Client, FrameReader]:
        client = Client(self.server.address, receive_buffer=receive_buffer)
        self.addCleanup(client.close)
        client.sock.sendall(handshake(path))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.sock.recv(1)
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
        return client, FrameReader()

    def live(self) -> int:
        return int(self.connect(self.server).ask(get("/live")).body)

    def test_refused_handshakes(self) -> None:
        good = handshake("/echo").decode()
        cases = [
            ("no upgrade", get("/echo"), 426),
            ("version 12", good.replace("Version: 13", "Version: 12"), 426),
            ("no key", good.replace("Sec-WebSocket-Key", "X-Key"), 400),
            ("bad key", good.replace("dGhlIHNh", "!!!!"), 400),
            ("two keys", good.replace("\r\n\r\n", "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), 400),
            ("another method", good.replace("GET", "POST", 1), 405),
            ("another upgrade", good.replace("Upgrade: websocket", "Upgrade: h2c"), 426),
            ("no such route", good.replace("/echo", "/nowhere"), 404),
        ]
        for name, sent, status in cases:
            with self.subTest(name):
                client = self.connect(self.server)
                response = client.ask(sent)
                self.assertEqual(response.status, status)
                if status == 426:
                    self.assertIn(b"websocket", b"".join(response.values("upgrade")))
                if name == "version 12":
                    self.assertEqual(response.values("sec-websocket-version"), [b"13"])
                if status == 400:
                    self.assertTrue(client.closed_within(5))
                else:
                    self.assertEqual(client.ask(get("/live")).status, 200, "the connection goes on")

    def test_a_silent_peer_is_pinged_and_dropped(self) -> None:
        client, reader = self.open("/hasty")
        frames = reader.feed(client.sock.recv(100))
        self.assertEqual([one.opcode for one in frames], [PING])
        try:
            self.assertEqual(client.sock.recv(100), b"", "no answer: the end")
        except ConnectionResetError:
            pass
        self.assertTrue(eventually(lambda: self.live() == 0))

    def test_a_peer_that_does_not_read_holds_back_its_writer(self) -> None:
        client, _ = self.open("/flood", receive_buffer=4096)
        before = rss_kib(self.server.pid)
        self.assertTrue(eventually(lambda: self.live() == 0), "its write_idle_ms have passed")
        self.assertLess(rss_kib(self.server.pid) - before, 4096)
        client.close()

    def test_a_flood_of_pings_is_bounded(self) -> None:
        client, reader = self.open("/echo", receive_buffer=4096)
        before = rss_kib(self.server.pid)
        pings = frame(PING, b"p" * 125) * 1000
        client.sock.settimeout(0.3)
        sent = 0
        try:
            while sent < 64 << 20:
                sent += client.sock.send(pings)
        except TimeoutError:
            pass
        self.assertLess(sent, 64 << 20, "the server stops reading")
        self.assertLess(rss_kib(self.server.pid) - before, 16384, "the receive buffers, each touched once")
        self.assertEqual(self.connect(self.server).ask(get("/live")).status, 200)
        client.sock.settimeout(10)
        self.assertEqual(reader.feed(client.sock.recv(1 << 16))[0].payload, b"p" * 125)

    def test_who_leaves_is_noticed(self) -> None:
        for way in ("reset", "close", "half"):
            with self.subTest(way):
                client, _ = self.open("/echo")
                self.assertTrue(eventually(lambda: self.live() == 1))
                if way == "reset":
                    client.reset()
                elif way == "close":
                    client.close()
                else:
                    client.sock.shutdown(socket.SHUT_WR)
                self.assertTrue(eventually(lambda: self.live() == 0))

    def test_limits(self) -> None:
        for name, sent in (
            ("frame", text("x" * 513)),
            ("message", text("x" * 512, fin=False) + frame(0, b"x" * 512, fin=False) + frame(0, b"x")),
            ("fragments", text("", fin=False) + frame(0, b"", fin=False) * 4),
        ):
            with self.subTest(name):
                client, reader = self.open("/tight")
                client.sock.sendall(sent)
                frames = reader.feed(client.sock.recv(4096))
                self.assertEqual([(one.opcode, code_of(one.payload)) for one in frames], [(CLOSE, 1009)])
        client, reader = self.open("/tight")
        client.sock.sendall(text("x" * 512, fin=False) + frame(0, b"y" * 512) + close())
        data = b""
        while part := client.sock.recv(4096):
            data += part
        self.assertEqual(reader.feed(data)[0].payload, b"x" * 512 + b"y" * 512)


if __name__ == "__main__":
    main()
