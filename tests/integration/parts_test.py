#!/usr/bin/env python3
"""parts_test.py: replies and bodies in parts, with curl and Python's http.client as the other side."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time

from harness import SANITIZED, Client, IntegrationTest, eventually, field, get, main, rss_kib

MIB = 1 << 20


class PartsTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("app", config='[limits]\nbody = "64m"\n')
        self.client = self.connect(self.server)

    def counts(self) -> dict[str, int]:
        text = self.connect(self.server).ask(get("/counts")).body.decode()
        return {name: int(value) for name, value in (pair.split("=") for pair in text.split())}

    def http(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(*self.server.address, timeout=20)
        self.addCleanup(connection.close)
        return connection

    def curl(self, path: str, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        host, port = self.server.address
        command = ["curl", "-sS", "--max-time", "20", *arguments, f"http://{host}:{port}{path}"]
        return subprocess.run(command, input=stdin, capture_output=True, timeout=30, check=False)

    def assert_grown_less(self, before_kib: int, kib: int) -> None:
        if not SANITIZED:  # Its own memory would be counted as the engine's.
            self.assertLess(rss_kib(self.server.process.pid) - before_kib, kib)

    # --- replies ---

    def test_a_stream_in_chunks(self) -> None:
        connection = self.http()
        for _ in range(3):  # The connection stays.
            connection.request("GET", "/stream/1000/37/-")
            response = connection.getresponse()
            self.assertEqual(response.getheader("Transfer-Encoding"), "chunked")
            self.assertEqual(response.read(), b"x" * 37_000)

    def test_a_stream_of_a_declared_length(self) -> None:
        response = self.client.ask(get("/stream/10/100/declared"))
        self.assertEqual((field(response, "content-length"), response.body), ("1000", b"x" * 1000))
        self.assertEqual(self.client.ask(get()).body, b"hello")

    def test_curl_reads_a_stream_by_every_version(self) -> None:
        for flag in ("--http1.1", "--http1.0"):
            done = self.curl("/stream/100/1000/-", flag)
            self.assertEqual((done.returncode, done.stdout), (0, b"x" * 100_000), done.stderr)

    def test_what_ends_early_is_not_taken_for_whole(self) -> None:
        for end in ("throw", "short", "long", "bad-trailer", "header-trailer", "injected-trailer"):
            for flag in ("--http1.1", "--http1.0"):
                done = self.curl(f"/stream/3/100/{end}", flag)
                self.assertNotEqual(done.returncode, 0, f"{end} {flag}")
                self.assertNotIn(b"njected", done.stdout)
                self.assertNotIn(b"secret", done.stdout)
        self.assertTrue(eventually(lambda: "secret" in self.server.stderr(), 3))
        self.assertEqual(self.client.ask(get()).status, 200)

    def test_trailers(self) -> None:
        done = self.curl("/stream/3/100/trailer", "-i")
        self.assertTrue(b"X-Sum: 300" in done.stdout, done.stdout)
        raw = socket.create_connection(self.server.address, timeout=10)
        self.addCleanup(raw.close)
        raw.sendall(b"GET /stream/1/3/trailer HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        got = b""
        while data := raw.recv(65536):
            got += data
        self.assertTrue(got.endswith(b"3\r\nxxx\r\n0\r\nX-Sum: 3\r\n\r\n"), got)

    def test_a_trailer_behind_the_end_is_a_fault_of_the_handler(self) -> None:
        response = self.client.ask(get("/stream/3/100/late-trailer"))
        self.assertEqual((response.status, response.body), (200, b"x" * 300))
        self.assertTrue(eventually(lambda: "a stream got a trailer after its end" in self.server.stderr(), 3))
        self.assertEqual(self.client.ask(get()).body, b"hello")

    def test_head(self) -> None:
        self.client.reader.methods = ("HEAD",)
        response = self.client.ask("HEAD /stream/3/100/- HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual((response.status, response.body), (200, b""))
        self.client.reader.methods = ("HEAD", "GET")
        self.assertEqual(self.client.ask(get()).body, b"hello")

    def test_streams_among_pipelined_replies_keep_the_order(self) -> None:
        paths = ["/fast/1", "/stream/5/10/slow", "/fast/2", "/stream/2/100000/-", "/order/3/1", "/stream/1/1/-"]
        self.client.send("".join(get(path) for path in paths * 5))
        wanted = [b"1", b"x" * 50, b"2", b"x" * 200_000, b"3", b"x"] * 5
        self.assertEqual([self.client.response().body for _ in wanted], wanted)

    def test_a_client_that_does_not_read_suspends_the_writer(self) -> None:
        before = rss_kib(self.server.process.pid)
        slow = [Client(self.server.address, receive_buffer=4096) for _ in range(10)]
        for client in slow:
            self.addCleanup(client.close)
            client.send(get("/stream/20000/10000/-"))  # 200 MB each.
        self.assertTrue(eventually(lambda: self.counts()["running"] == len(slow), 5))
        time.sleep(0.5)
        self.assert_grown_less(before, 16 * 1024)
        self.assertEqual(self.client.ask(get()).body, b"hello")
        for client in slow:
            client.close()
        self.assertTrue(eventually(lambda: self.counts()["running"] == 0, 5))
        self.assertEqual(self.counts()["cancelled"], len(slow))

    def test_a_handler_that_gives_nothing(self) -> None:
        self.assertEqual(self.client.ask(get("/nothing")).status, 204)

    def test_a_stream_outside_of_a_coroutine_is_a_fault_of_the_handler(self) -> None:
        self.assertEqual(self.client.ask(get("/no-coroutine")).status, 500)
        self.assertTrue(eventually(lambda: "only a coroutine" in self.server.stderr(), 3))

    def test_a_reply_behind_a_stream_is_a_fault_of_the_handler(self) -> None:
        self.assertNotEqual(self.curl("/twice").returncode, 0)
        self.assertTrue(eventually(lambda: "streamed its reply, and gave another" in self.server.stderr(), 3))

    # --- server-sent events ---

    def test_events(self) -> None:
        done = self.curl("/events", "-N")
        events = [f"event: count\nid: {n}\nretry: 1000\ndata: line\ndata: {n}\n\n" for n in range(3)]
        self.assertTrue(done.stdout.decode().startswith("".join(events)), done.stdout)
        heartbeats = done.stdout.decode()[len("".join(events)) :]
        self.assertRegex(heartbeats, r"^(:\n\n){2,3}$")
        again = self.curl("/events", "-N", "-H", "Last-Event-ID: 6").stdout.decode()
        self.assertIn("id: 7\n", again)
        self.assertNotIn("id: 6\n", again)
        head = self.curl("/events", "-i", "-N").stdout.decode().lower()
        self.assertIn("content-type: text/event-stream\r\n", head)
        self.assertIn("cache-control: no-cache\r\n", head)

    # --- bodies ---

    def test_an_upload_by_length_and_in_chunks(self) -> None:
        body = bytes(range(256)) * 40_000
        wanted = f"{len(body)} {sum(body)} -".encode()
        self.assertEqual(self.curl("/upload", "--data-binary", "@-", stdin=body).stdout, wanted)
        chunked = ("-T", "-", "-X", "POST", "-H", "Transfer-Encoding: chunked")
        self.assertEqual(self.curl("/upload", *chunked, stdin=body).stdout, wanted)
        self.assertEqual(self.curl("/upload", "--http1.0", "--data-binary", "@-", stdin=body).stdout, wanted)

    def test_trailers_of_an_upload(self) -> None:
        head = "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.client.send(head + "3\r\nabc\r\n")
        response = self.client.ask("0\r\nX-Sum: 7\r\n\r\n" + get("/fast/1"))
        self.assertEqual(response.body, b"3 294 7")
        self.assertEqual(self.client.response().body, b"1")

    def test_a_slow_reader_holds_back_the_sender(self) -> None:
        before = rss_kib(self.server.process.pid)
        body = b"u" * (32 * MIB)
        raw = socket.create_connection(self.server.address, timeout=20)
        self.addCleanup(raw.close)
        raw.sendall(f"POST /upload?slow HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        raw.settimeout(0.2)
        sent = 0
        try:
            while sent < len(body):
                sent += raw.send(body[sent : sent + 65536])
        except TimeoutError:
            pass
        self.assert_grown_less(before, 8 * 1024)
        raw.settimeout(20)
        raw.sendall(body[sent:])
        self.assertIn(f"{len(body)} {len(body) * 117} -".encode(), raw.recv(65536))

    def test_a_client_that_leaves_within_its_body_cancels_the_handler(self) -> None:
        for leave in ("end", "reset"):
            before = self.counts()["cancelled"]
            client = Client(self.server.address)
            self.addCleanup(client.close)
            client.send("POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
            self.assertTrue(eventually(lambda: self.counts()["running"] == 1, 5))
            if leave == "end":
                client.sock.shutdown(socket.SHUT_WR)
            else:
                client.reset()
            self.assertTrue(eventually(lambda: self.counts()["cancelled"] == before + 1, 5), leave)
            self.assertEqual(self.counts()["running"], 0)

    def test_a_faulty_body_is_answered_and_the_handler_cancelled(self) -> None:
        head = "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.client.send(head + "3\r\nabc\r\n")
        self.assertTrue(eventually(lambda: self.counts()["running"] == 1, 5))
        self.assertEqual(self.client.ask("zz\r\n").status, 400)
        self.assertTrue(self.client.closed_within(5))
        self.assertTrue(eventually(lambda: self.counts()["running"] == 0, 5))

    def test_an_upload_past_the_limit(self) -> None:
        connection = self.http()
        connection.putrequest("POST", "/upload")
        connection.putheader("Content-Length", str(65 * MIB))
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)

    def test_expect_continue(self) -> None:
        body = b"c" * 10_000
        expect = ("-H", "Expect: 100-continue", "--expect100-timeout", "15", "-v")
        started = time.monotonic()
        done = self.curl("/upload", *expect, "--data-binary", "@-", stdin=body)
        self.assertEqual(done.stdout, f"10000 {10_000 * 99} -".encode())
        self.assertIn(b"100 Continue", done.stderr)
        self.assertLess(time.monotonic() - started, 10)

    def test_an_echo_in_parts(self) -> None:
        body = bytes(range(256)) * 20_000
        done = self.curl("/echo-parts", "-T", "-", "-X", "POST", stdin=body)
        self.assertEqual((done.returncode, done.stdout == body), (0, True), done.stderr)

    def test_the_whole_body_in_a_coroutine(self) -> None:
        for size in (0, 1, 1000, 5 * MIB):
            done = self.curl("/whole", "--data-binary", "@-", stdin=b"w" * size)
            self.assertEqual(done.stdout, f"{size} same".encode())

    def test_a_body_that_was_not_awaited_is_a_fault_of_the_handler(self) -> None:
        self.assertEqual(self.client.ask("POST /careless HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc").status, 500)
        self.assertTrue(eventually(lambda: "co_await request.body()" in self.server.stderr(), 3))


if __name__ == "__main__":
    main()
