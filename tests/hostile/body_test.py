#!/usr/bin/env python3
"""body_test.py: few bytes that ask for much: a million chunks of a byte or eight, pipelines without an end
behind a slow handler, replies that nobody reads. Memory stays bounded, and the good clients are served."""

from __future__ import annotations

import select
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

from harness import SANITIZED, Client, IntegrationTest, eventually, get, main, rss_kib  # noqa: E402
from server import Server  # noqa: E402

from attack import ECHO_QUESTIONS, RINGS_KIB  # noqa: E402
from good_clients import GoodClients, Question  # noqa: E402

CHUNKS = 1_000_000
PIPELINED = 100_000
POST = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
APP_QUESTIONS = [Question(get(f"/fast/{number}").encode(), str(number).encode()) for number in range(50)]


class Watch:
    """The most memory that a server had, looked at now and then."""

    def __init__(self, server: Server) -> None:
        self.server, self.first = server, rss_kib(server.pid)
        self.most = self.first

    def look(self) -> None:
        self.most = max(self.most, rss_kib(self.server.pid))

    @property
    def grown_kib(self) -> int:
        self.look()
        return self.most - self.first


def exchange(sock: socket.socket, data: bytes, watch: Watch, enough: bytes, timeout_s: float = 60) -> bytes:
    """Sends while it reads, until the answer ends with `enough`; the end of the connection ends it too."""
    sock.setblocking(False)
    view, answer, until, looked = memoryview(data), bytearray(), time.monotonic() + timeout_s, 0.0
    while not answer.endswith(enough) and time.monotonic() < until:
        readable, writable, _ = select.select([sock], [sock] if view else [], [], 0.5)
        try:
            if readable:
                got = sock.recv(1 << 20)
                if not got:
                    break
                answer += got
            if writable:
                view = view[sock.send(view) :]
        except BlockingIOError:
            continue
        except ConnectionError:
            break
        if time.monotonic() - looked > 0.05:
            looked = time.monotonic()
            watch.look()
    return bytes(answer)


class ChunksTest(IntegrationTest):
    def test_a_million_chunks_of_one_byte(self) -> None:
        """Five bytes of framing a byte of content is no upload: refused once the grace for it is used up."""
        server = self.start("echo", config='[timeouts]\nlinger = "300ms"\n')
        with GoodClients(server.address, ECHO_QUESTIONS) as good:
            time.sleep(0.5)
            client, watch = self.connect(server), Watch(server)
            answer = exchange(client.sock, POST.encode() + b"1\r\nx\r\n" * CHUNKS, watch, b"never", 10)
            record = good.finish()
        print(f"{CHUNKS} chunks of one byte: {answer[:12]!r}, memory grew by {watch.grown_kib} KiB")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:200])
        self.assertEqual(record.errors, [])
        if not SANITIZED:
            self.assertLess(watch.grown_kib, RINGS_KIB + 1024)

    def test_a_million_chunks_of_eight_bytes(self) -> None:
        server = self.start("echo")
        with GoodClients(server.address, ECHO_QUESTIONS) as good:
            time.sleep(0.5)
            client, watch = self.connect(server), Watch(server)
            request = POST.encode() + b"8\r\n1234567\n\r\n" * (CHUNKS - 1) + b"8\r\nthe last\r\n0\r\n\r\n"
            answer = exchange(client.sock, request, watch, b"the last")
            record = good.finish()
        print(f"{CHUNKS} chunks of eight bytes: memory grew by {watch.grown_kib} KiB")
        head, _, content = answer.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200 "), head[:200])
        self.assertEqual(content, b"1234567\n" * (CHUNKS - 1) + b"the last")
        self.assertEqual(record.errors, [])
        if not SANITIZED:  # The content, twice: as received, and as the answer; and room to grow.
            self.assertLess(watch.grown_kib, RINGS_KIB + 4 * 8 * 1024)

    def test_a_million_chunks_past_the_limit(self) -> None:
        server = self.start("echo", config='[limits]\nbody = "100k"\n[timeouts]\nlinger = "300ms"\n')
        client, watch = self.connect(server), Watch(server)
        answer = exchange(client.sock, POST.encode() + b"8\r\n1234567\n\r\n" * CHUNKS, watch, b"never", 10)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:200])
        self.assertEqual(self.connect(server).ask(get()).status, 200)
        if not SANITIZED:
            self.assertLess(watch.grown_kib, RINGS_KIB + 1024)

    def test_chunks_of_extensions_alone(self) -> None:
        """A body of 20 bytes in 2 MB of extensions: framing costs are bounded too."""
        server = self.start("echo", config='[timeouts]\nlinger = "300ms"\n')
        client, watch = self.connect(server), Watch(server)
        chunk = b"1;" + b"a" * 100_000 + b"\r\nx\r\n"
        answer = exchange(client.sock, POST.encode() + chunk * 20 + b"0\r\n\r\n", watch, b"never", 10)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:200])
        if not SANITIZED:
            self.assertLess(watch.grown_kib, RINGS_KIB + 1024)


class PipelineTest(IntegrationTest):
    def test_a_pipeline_without_end_behind_a_slow_handler(self) -> None:
        server = self.start("app")
        requests = get("/slow/2000") + "".join(get(f"/fast/{number}") for number in range(PIPELINED))
        last = str(PIPELINED - 1).encode()
        with GoodClients(server.address, APP_QUESTIONS) as good:
            time.sleep(0.5)
            client, watch = self.connect(server), Watch(server)
            answer = exchange(client.sock, requests.encode(), watch, b"\r\n\r\n" + last)
            record = good.finish()
        print(
            f"{PIPELINED} requests behind a slow one: {answer.count(b'HTTP/1.1 200 ')} answers, "
            f"memory grew by {watch.grown_kib} KiB"
        )
        contents = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
        self.assertEqual(contents, [b"slow", *(str(number).encode() for number in range(PIPELINED))])
        self.assertEqual(record.errors, [])
        if not SANITIZED:
            self.assertLess(watch.grown_kib, RINGS_KIB + 1024)

    def test_streams_that_nobody_reads(self) -> None:
        """A writer is held up by its reader: a gigabyte asked for costs what one connection may hold."""
        server = self.start("app", "--cores", "1", config='[timeouts]\nwrite_idle = "2s"\nlinger = "300ms"\n')
        with GoodClients(server.address, APP_QUESTIONS) as good:
            time.sleep(0.5)
            watch = Watch(server)
            peers = [Client(server.address, receive_buffer=4096) for _ in range(20)]
            for peer in peers:
                self.addCleanup(peer.close)
                peer.send(get("/stream/1000000/1000/-"))
            self.assertTrue(eventually(lambda: b"running=20" in self.counts(server), 5))
            ended = eventually(lambda: watch.look() or b"running=0" in self.counts(server), 15)
            record = good.finish()
        print(f"20 unread streams: memory grew by {watch.grown_kib} KiB")
        self.assertTrue(ended, "not cut off at the write timeout")
        self.assertEqual(record.errors, [])
        if not SANITIZED:
            self.assertLess(watch.grown_kib, RINGS_KIB + 20 * 1024)

    def counts(self, server: Server) -> bytes:
        return self.connect(server).ask(get("/counts")).body

    def test_pipelines_whose_replies_nobody_reads(self) -> None:
        """What a peer does not read is held back at output_bytes, and dropped at write_idle."""
        server = self.start("echo", "--cores", "1", config='[timeouts]\nwrite_idle = "2s"\nlinger = "300ms"\n')
        request = get("/echo", method="POST", body="x" * 1000).encode()
        with GoodClients(server.address, ECHO_QUESTIONS) as good:
            time.sleep(0.5)
            watch = Watch(server)
            peers = [Client(server.address, receive_buffer=4096) for _ in range(20)]
            for peer in peers:
                self.addCleanup(peer.close)
                peer.sock.setblocking(False)
            sent, until = 0, time.monotonic() + 20
            alive = set(peers)
            while alive and time.monotonic() < until:
                for peer in list(alive):
                    try:
                        sent += peer.sock.send(request * 50)
                    except BlockingIOError:
                        pass
                    except ConnectionError:
                        alive.discard(peer)
                watch.look()
                time.sleep(0.01)
            record = good.finish()
        print(f"unread replies: {sent >> 10} KiB taken of 20 peers, memory grew by {watch.grown_kib} KiB")
        self.assertEqual(record.errors, [])
        self.assertEqual(len(alive), 0, "not closed at the write timeout")
        if not SANITIZED:  # 256 KiB of replies a peer, and what had arrived when reading stopped.
            self.assertLess(watch.grown_kib, RINGS_KIB + 20 * 2048)


if __name__ == "__main__":
    main()
