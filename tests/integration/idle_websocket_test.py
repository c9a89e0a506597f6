#!/usr/bin/env python3
"""idle_websocket_test.py: what an idle WebSocket costs, coroutine and all, shown with 10,000 of them."""

from __future__ import annotations

import random
import resource
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "websocket"))

from frames import FrameReader, handshake, text  # noqa: E402
from harness import Client, IntegrationTest, main, rss_kib  # noqa: E402
from server import Server  # noqa: E402

SOCKETS = 10_000
BYTES_EACH_MAX = 2048
SPARE_DESCRIPTORS = 200


def echoes(client: Client) -> bool:
    client.sock.sendall(text("hello"))
    return FrameReader().feed(client.sock.recv(100))[0].payload == b"hello"


class IdleWebSocketTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = SOCKETS + SPARE_DESCRIPTORS
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise unittest.SkipTest(f"RLIMIT_NOFILE is {hard} here, {needed} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))

    def open_many(self, server: Server, count: int) -> list[Client]:
        clients = []
        for _ in range(count):
            client = self.connect(server)
            client.sock.sendall(handshake("/echo"))
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.sock.recv(1000)
            self.assertTrue(echoes(client))
            clients.append(client)
        return clients

    def test_many_idle_websockets(self) -> None:
        server = self.start("sockets", "--cores", "1")
        for client in self.open_many(server, 200):  # The first ones pay for what all share.
            client.close()
        before = rss_kib(server.pid)
        clients = self.open_many(server, SOCKETS)
        grown = (rss_kib(server.pid) - before) * 1024
        print(
            f"{SOCKETS} idle WebSockets: VmRSS grew by {grown // 1024} KiB, {grown / SOCKETS:.0f} bytes each",
            flush=True,
        )
        self.assertLessEqual(grown / SOCKETS, BYTES_EACH_MAX)
        for client in random.Random(5).sample(clients, 300):
            self.assertTrue(echoes(client))


if __name__ == "__main__":
    main()
