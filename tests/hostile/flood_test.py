#!/usr/bin/env python3
"""flood_test.py: more connections than the limit, and connections that only come to be reset. The good
clients are served, nothing grows, and when it is over nothing is left."""

from __future__ import annotations

import multiprocessing
import random
import socket
import statistics
import struct
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

from harness import SANITIZED, Client, IntegrationTest, descriptors, eventually, get, main, rss_kib  # noqa: E402
from server import Server  # noqa: E402

from attack import ECHO_QUESTIONS, RINGS_KIB, established  # noqa: E402
from good_clients import CLIENTS, GoodClients  # noqa: E402

LIMIT = 400
REFUSED_MAX = 1024  # Past the limit, a core still holds this many to tell them 503.
BACKLOG = 4096  # What the kernel accepts in one go, before the server can say stop.
FLOOD = 3000
FLOOD_S = 4.0
STORM_S = 5.0
STORMS = 2
OWN_DESCRIPTORS_MAX = 64  # Of the server: rings, listeners, logs; generously.

CONFIG = f"""
[limits]
connections = {LIMIT}
[timeouts]
header = "1s"
keepalive = "2s"
linger = "300ms"
"""


def flood(address: tuple[str, int], pipe: Connection) -> None:
    """Holds as many connections as it gets; those that are closed are opened anew."""
    until, opened, held = time.monotonic() + FLOOD_S, 0, []
    while time.monotonic() < until:
        while len(held) < FLOOD:
            sock = socket.socket()
            sock.setblocking(False)
            sock.connect_ex(address)
            held.append(sock)
            opened += 1
        time.sleep(0.05)
        for sock in random.sample(held, 100):
            try:
                sock.send(b"GET / HTTP/1.1\r\n")  # The rest never comes.
            except OSError:
                sock.close()
                held.remove(sock)
    for sock in held:
        sock.close()
    pipe.send(opened)


def storm(address: tuple[str, int], seed: int, pipe: Connection) -> None:
    """Connects, sends any part of a request, and is gone by RST, by FIN, or by half a close."""
    choose, until, count = random.Random(seed), time.monotonic() + STORM_S, 0
    request = get("/echo", method="POST", body="x" * 2000).encode()
    while time.monotonic() < until:
        try:
            sock = socket.create_connection(address, timeout=5)
            sock.send(request[: choose.randrange(len(request) + 1)])
            way = choose.randrange(4)
            if way < 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif way == 2:
                sock.shutdown(socket.SHUT_WR)
            sock.close()
            count += 1
        except OSError:
            continue  # This side has no port left for a moment.
    pipe.send(count)


class FloodTest(IntegrationTest):
    def attack(self, target: object, arguments: list[tuple[object, ...]]) -> list[Connection]:
        context, pipes = multiprocessing.get_context("fork"), []
        for one in arguments:
            ours, theirs = context.Pipe()
            process = context.Process(target=target, args=(*one, theirs), daemon=True)  # type: ignore[arg-type]
            process.start()
            self.addCleanup(process.kill)
            pipes.append(ours)
        return pipes

    def answered(self, server: Server) -> bool:
        try:
            return self.connect(server).ask(get(), 2).status == 200
        except (AssertionError, OSError):
            return False

    def test_a_flood_past_the_limit(self) -> None:
        server = self.start("echo", "--cores", "1", config=CONFIG)
        idle, before, open_most = descriptors(server.pid), rss_kib(server.pid), 0
        samples: list[int] = []
        with GoodClients(server.address, ECHO_QUESTIONS) as good:
            (pipe,) = self.attack(flood, [(server.address,)])
            while not pipe.poll(0.1):
                samples.append(descriptors(server.pid))
                open_most = max(open_most, established(server.address[1]))
            opened, record = pipe.recv(), good.finish()
        most, median = max(samples), statistics.median(samples)
        print(
            f"flood: {opened} connections opened, {open_most} established at once, {median} and at most "
            f"{most} descriptors for a limit of {LIMIT}, {len(record.answers)} good answers, "
            f"{len(record.errors)} errors"
        )
        self.assertEqual(record.errors, [])
        self.assertGreater(len(record.answers), CLIENTS * 10)
        self.assertGreater(opened, FLOOD - 1)
        self.assertGreater(most, LIMIT // 2, "there was no flood")
        self.assertLess(median, LIMIT + REFUSED_MAX + OWN_DESCRIPTORS_MAX)
        self.assertLess(most, LIMIT + REFUSED_MAX + BACKLOG + OWN_DESCRIPTORS_MAX)
        if not SANITIZED:
            self.assertLess(rss_kib(server.pid) - before, 16 * 1024)
        self.assertTrue(eventually(lambda: self.answered(server)), "it does not accept again")
        self.assertTrue(eventually(lambda: descriptors(server.pid) <= idle + 2), "descriptors are left")

    def test_a_storm_of_resets(self) -> None:
        server = self.start("echo", config='[timeouts]\nheader = "2s"\nbody_idle = "2s"\nlinger = "300ms"\n')
        idle = descriptors(server.pid)
        with GoodClients(server.address, ECHO_QUESTIONS) as good:
            time.sleep(1)
            before = rss_kib(server.pid)
            pipes = self.attack(storm, [(server.address, seed) for seed in range(STORMS)])
            counts = [pipe.recv() for pipe in pipes]
            after, record = rss_kib(server.pid), good.finish()
        print(
            f"storm: {sum(counts)} connections cut, {len(record.answers)} good answers, "
            f"{len(record.errors)} errors, memory grew by {after - before} KiB"
        )
        self.assertEqual(record.errors, [])
        self.assertGreater(sum(counts), 500)
        if not SANITIZED:
            self.assertLess(after - before, RINGS_KIB + 16 * 1024)  # A tenth of a KiB for each.
        self.assertTrue(eventually(lambda: descriptors(server.pid) <= idle, 15), "descriptors are left")


class HeldTest(IntegrationTest):
    def test_good_clients_come_in_again_when_a_flood_is_cut_off(self) -> None:
        """A limit that is full of silent peers frees itself by the deadlines, without anybody leaving."""
        server = self.start("echo", "--cores", "1", config=CONFIG)
        silent = [self.connect(server) for _ in range(LIMIT)]
        for peer in silent[: LIMIT // 2]:
            peer.send("GET / HTTP/1.1\r\n")
        late = Client(server.address)
        self.addCleanup(late.close)

        def served() -> bool:
            client = Client(server.address)
            try:
                return client.ask(get(), 1).status == 200
            except (AssertionError, OSError):
                return False
            finally:
                client.close()

        self.assertTrue(eventually(served, 15), "the silent ones were not cut off")


if __name__ == "__main__":
    main()
