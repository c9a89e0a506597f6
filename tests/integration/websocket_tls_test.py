#!/usr/bin/env python3
"""websocket_tls_test.py: the same WebSockets by wss: large messages both ways, and the closing handshake; by hand and
by Python's websockets."""

from __future__ import annotations

import asyncio
import os
import random
import ssl
import sys
import unittest
from pathlib import Path

from debian_python import load

websockets = load("websockets")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "websocket"))

from frames import BINARY, CLOSE, PING, Frame, FrameReader, close, frame, handshake, text  # noqa: E402
from harness import main  # noqa: E402
from tls_support import TlsTest  # noqa: E402


class WebSocketTlsTest(TlsTest):
    def test_messages_and_the_end(self) -> None:
        server = self.start_tls("sockets")
        sock = self.open(server)
        sock.settimeout(20)
        sock.sendall(handshake("/deflate") + text("behind the handshake"))
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(4096)
        head, _, rest = data.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
        message = random.Random(9).randbytes(3_000_000)
        sock.sendall(frame(PING, b"p") + frame(BINARY, message) + close(1000))
        reader = FrameReader()
        frames = reader.feed(rest)
        while part := sock.recv(1 << 16):
            frames += reader.feed(part)
        self.assertEqual([one.opcode for one in frames], [1, 10, BINARY, CLOSE])
        self.assertEqual(frames[0].payload, b"behind the handshake")
        self.assertEqual(frames[2], Frame(BINARY, message))

    @unittest.skipIf(websockets is None, "python3-websockets is not installed: ./dev setup")
    def test_a_client_of_others_making(self) -> None:
        server = self.start_tls("sockets", "--cores", "2")
        url = f"wss://localhost:{server.address[1]}"

        async def run(version: ssl.TLSVersion) -> None:
            context = self.context(version)
            passed = {"X-Pass": "yes"}
            async with websockets.connect(f"{url}/guarded/describe/me", ssl=context, extra_headers=passed) as peer:
                self.assertEqual(await peer.recv(), "me  [] compressed")
            async with websockets.connect(f"{url}/deflate", ssl=context, max_size=None) as peer:
                for message in ("hello", "", b"\0\xff", "\u00e9" * 50_000, os.urandom(900_000)):
                    await peer.send(message)
                    self.assertEqual(await peer.recv(), message)
                for number in range(200):
                    await peer.send(str(number))
                self.assertEqual([await peer.recv() for _ in range(200)], [str(n) for n in range(200)])
            self.assertEqual(peer.close_code, 1000)
            async with websockets.connect(f"{url}/room/a", ssl=context) as one:
                async with websockets.connect(f"{url}/room/a", ssl=context) as other:
                    self.assertEqual([await one.recv(), await other.recv()], ["in a", "in a"])
                    await one.send("to all")
                    self.assertEqual([await one.recv(), await other.recv()], ["to all", "to all"])

        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            asyncio.run(asyncio.wait_for(run(version), 60))


if __name__ == "__main__":
    main()
