#!/usr/bin/env python3
"""faults_test.py: descriptors run out, peers reset, peers do not read: others do not notice, nothing spins,
memory stays bounded."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import time

from harness import Client, IntegrationTest, cpu_seconds, eventually, get, main, rss_kib
from server import Server

GIB = 1 << 30


class DescriptorsTest(IntegrationTest):
    def test_no_descriptor_is_left(self) -> None:  # Row 158.
        # UBSan opens a pipe to look at an object, and sees a ghost where it cannot: that must not end the server.
        ghosts = {"UBSAN_OPTIONS": "halt_on_error=0"}
        server = self.start("echo", "--cores", "1", prefix=("prlimit", "--nofile=64"), environment=ghosts)
        clients = [self.connect(server) for _ in range(150)]
        for client in clients:
            client.send(get())
        served = [client for client in clients if self.answered(client, 0.05)]
        self.assertGreater(len(served), 20)
        self.assertLess(len(served), 64)
        before = cpu_seconds(server.pid)
        time.sleep(1.5)
        self.assertLess(cpu_seconds(server.pid) - before, 0.3, "it spins")
        for client in served:
            self.assertEqual(client.ask(get()).status, 200)
        waiting = [client for client in clients if client not in served]
        while waiting:  # Those that leave make room for those that wait.
            for client in served:
                client.close()
            self.assertTrue(eventually(lambda: any(self.answered(client, 0.01) for client in waiting)))
            served = [client for client in waiting if self.answered(client, 0.05)]
            waiting = [client for client in waiting if client not in served]
        self.assertEqual(server.stop(starved=True), [])

    def answered(self, client: Client, timeout_s: float) -> bool:
        if client.reader.responses:
            return True
        try:
            client.receive_until(lambda: bool(client.reader.responses), timeout_s)
        except TimeoutError:
            return False
        return bool(client.reader.responses)


class ReadingTest(IntegrationTest):
    def start_with_file(self, write_idle: str = "1s") -> Server:
        (self.directory / "public").mkdir()
        with open(self.directory / "public" / "huge.bin", "wb") as file:
            file.truncate(GIB)
        return self.start(
            "engine",
            config=f'[timeouts]\nwrite_idle = "{write_idle}"\nlinger = "200ms"\n'
            f'[[route]]\npath = "/*"\nfiles = "{self.directory / "public"}"\n',
        )

    def test_a_peer_that_reads_slowly(self) -> None:
        """At 200 KB a second it takes seven seconds until the kernel tells of room in a buffer of megabytes."""
        server = self.start_with_file("2s")
        client = Client(server.address)
        self.addCleanup(client.close)
        client.send(get("/huge.bin"))
        client.sock.settimeout(5)
        until, count = time.monotonic() + 10, 0
        while time.monotonic() < until:
            part = client.sock.recv(20_000)
            self.assertNotEqual(part, b"", f"closed behind {count} bytes")
            count += len(part)
            time.sleep(0.1)
        self.assertEqual(self.established(server, [client]), 1)

    def test_peers_that_never_read(self) -> None:  # Row 147.
        server = self.start_with_file()
        before = rss_kib(server.pid)
        peers = [Client(server.address, receive_buffer=4096) for _ in range(30)]
        for peer in peers:
            self.addCleanup(peer.close)
            peer.send(get("/huge.bin") * 3)
        self.assertTrue(
            eventually(lambda: self.established(server, peers) == 0, 8), "not closed at the write timeout"
        )
        self.grown_at_most(server, before, 64 * 1024)
        cpu = cpu_seconds(server.pid)
        self.assertEqual(self.connect(server).ask(get("/nope")).status, 404)
        time.sleep(0.5)
        self.assertLess(cpu_seconds(server.pid) - cpu, 0.1)

    def established(self, server: Server, peers: list[Client]) -> int:
        """How many of the peers' connections the server still holds open."""
        ports = {f"{peer.sock.getsockname()[1]:04X}" for peer in peers}
        count = 0
        with open("/proc/net/tcp", encoding="ascii") as table:
            for line in table.readlines()[1:]:
                _, local, remote, state = line.split()[:4]
                here = int(local.rpartition(":")[2], 16) == server.address[1]
                count += here and remote.rpartition(":")[2] in ports and state == "01"
        return count

    def test_a_slow_reader_is_not_cut_off(self) -> None:
        server = self.start_with_file()
        reader = Client(server.address, receive_buffer=65536)
        self.addCleanup(reader.close)
        reader.send(get("/huge.bin"))
        total, until = 0, time.monotonic() + 3
        while time.monotonic() < until:
            data = reader.sock.recv(65536)
            self.assertTrue(data, f"closed after {total} bytes")
            total += len(data)
            time.sleep(0.01)
        self.assertGreater(total, 1_000_000)


class ResetTest(IntegrationTest):
    """Bad clients send any part of any request and reset; the good ones see every reply right."""

    REQUESTS = (
        get(),
        get("/echo", method="POST", body="x" * 5000),
        get("/nope") * 20,
        get() * 100,
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        get("/echo", "Expect: 100-continue", method="POST", body="x" * 100),
        "GARBAGE\r\n\r\n",
    )

    def test_resets_at_any_moment(self) -> None:
        server = self.start("echo")
        good, bad = asyncio.run(self.run_all(server))
        self.assertGreater(good, 1000)
        self.assertGreater(bad, 200)

    async def run_all(self, server: Server) -> tuple[int, int]:
        until = time.monotonic() + 4
        good = [self.be_good(server, number, until) for number in range(50)]
        bad = [self.be_bad(server, number, until) for number in range(8)]
        counts = await asyncio.gather(*good, *bad)
        return sum(counts[:50]), sum(counts[50:])

    async def be_good(self, server: Server, number: int, until: float) -> int:
        choose, count = random.Random(number), 0
        reader, writer = await asyncio.open_connection(*server.address)
        while time.monotonic() < until:
            bodies = [choose.randbytes(choose.randrange(1, 3000)) for _ in range(choose.randrange(1, 5))]
            for body in bodies:
                writer.write(get("/echo", f"Content-Length: {len(body)}", method="POST").encode() + body)
            for body in bodies:
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head)
                self.assertEqual(await asyncio.wait_for(reader.readexactly(len(body)), 10), body)
                count += 1
        writer.close()
        return count

    async def be_bad(self, server: Server, number: int, until: float) -> int:
        choose, count = random.Random(1000 + number), 0
        while time.monotonic() < until:
            sock = socket.create_connection(server.address)
            data = choose.choice(self.REQUESTS).encode()
            sock.send(data[: choose.randrange(len(data) + 1)])
            await asyncio.sleep(choose.random() * 0.004)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            count += 1
        return count


if __name__ == "__main__":
    main()
