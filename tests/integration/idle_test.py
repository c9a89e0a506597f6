#!/usr/bin/env python3
"""idle_test.py: what an idle keep-alive connection costs, shown with 15,000 of them."""

from __future__ import annotations

import os
import random
import resource
import unittest

from harness import Client, IntegrationTest, cpu_seconds, get, main, rss_kib
from server import Server

CONNECTIONS = 15_000
BYTES_EACH_MAX = 1024
SPARE_DESCRIPTORS = 200


class IdleTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = CONNECTIONS + SPARE_DESCRIPTORS
        if hard != resource.RLIM_INFINITY and hard < needed:
            raise unittest.SkipTest(f"RLIMIT_NOFILE is {hard} here, {needed} are needed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))

    def open_many(self, server: Server, count: int) -> list[Client]:
        clients = []
        for _ in range(count):
            client = self.connect(server)
            self.assertEqual(client.ask(get()).status, 200)
            clients.append(client)
        return clients

    def test_many_idle_connections(self) -> None:
        server = self.start("echo")
        for client in self.open_many(server, 200):  # The first ones pay for what all share.
            client.close()
        before = rss_kib(server.pid)
        clients = self.open_many(server, CONNECTIONS)
        grown = (rss_kib(server.pid) - before) * 1024
        print(
            f"{CONNECTIONS} idle connections: VmRSS grew by {grown // 1024} KiB, "
            f"{grown / CONNECTIONS:.0f} bytes each, on {os.cpu_count()} CPUs",
            flush=True,
        )
        self.assertLessEqual(grown / CONNECTIONS, BYTES_EACH_MAX)
        cpu = cpu_seconds(server.pid)
        for client in random.Random(5).sample(clients, 300):
            self.assertEqual(client.ask(get()).status, 200)
        self.assertLess(cpu_seconds(server.pid) - cpu, 1.0)


if __name__ == "__main__":
    main()
