#!/usr/bin/env python3
"""bench_test.py: `millrace bench` against servers that are right, wrong, slow, absent, or not ours."""

from __future__ import annotations

import http.server
import json
import os
import pty
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from harness import IntegrationTest, binary, main

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class PythonServer:
    """A thread a connection, each run by `serve(connection, how_many_before)`."""

    def __init__(self, serve: Callable[[socket.socket, int], None]) -> None:
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        number = 0
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.run, args=(connection, number), daemon=True).start()
            number += 1

    def run(self, connection: socket.socket, number: int) -> None:
        with connection:
            try:
                self.serve(connection, number)
            except OSError:
                pass

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def heads(connection: socket.socket) -> Any:
    """Gives a number for each request without a body that comes, until the end."""
    data = b""
    count = 0
    while part := connection.recv(65536):
        data += part
        while b"\r\n\r\n" in data:
            data = data.split(b"\r\n\r\n", 1)[1]
            yield count
            count += 1


class BenchCase(IntegrationTest):
    def bench(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [binary("engine"), "bench", *map(str, arguments)],
            capture_output=True, text=True, timeout=60, cwd=self.directory,
        )  # fmt: skip

    def figures(self, *arguments: object, status: int = 0) -> dict[str, Any]:
        done = self.bench(*arguments, "--json", "out.json")
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads((self.directory / "out.json").read_text())

    def serve(self, serve: Callable[[socket.socket, int], None]) -> str:
        server = PythonServer(serve)
        self.addCleanup(server.close)
        return f"http://127.0.0.1:{server.port}/"

    def echo(self, *flags: str) -> str:
        server = self.start("echo", "--cores", "1", *flags)
        return f"http://127.0.0.1:{server.address[1]}"


class BenchTest(BenchCase):
    def test_every_request_is_asked_and_answered(self) -> None:
        url = self.echo()
        for more in (("-c", 10), ("-c", 7, "-p", 24), ("-c", 8, "-p", 3, "-t", 2), ("-c", 5, "-r", 100000),
                     ("-c", 5, "--backend", "epoll"), ("-c", 5, "--no-keepalive")):  # fmt: skip
            figures = self.figures(url + "/", "-n", 1000, "--expect-length", 5, *more)
            self.assertEqual((figures["answered"], figures["wrong"]), (1000, 0), more)
            self.assertEqual(figures["statuses"], {"200": 1000})
            self.assertEqual(figures["connected"], 1000 if "--no-keepalive" in more else figures["connections"])
            latency = figures["latency_us"]
            ranks = [latency["percentiles"][name] for name in ("p50", "p90", "p99", "p99.9")]
            self.assertEqual(ranks, sorted(ranks))
            self.assertLessEqual(latency["min"], latency["mean"])
            self.assertLessEqual(latency["mean"], latency["max"])

    def test_bodies_and_many_urls(self) -> None:
        url = self.echo()
        body = self.write("body.txt", "x" * 100_000)
        figures = self.figures(f"{url}/echo", "-n", 50, "-b", f"@{body}", "--expect-body", body)
        self.assertEqual(figures["answered"], 50)
        self.assertGreater(figures["received_bytes"], 50 * 100_000)
        urls = self.write("urls.txt", f"/\n/absent\n{url}/\n")
        figures = self.figures(url, "-n", 300, "-p", 4, "--urls", urls, "--expect-status", "200,404")
        self.assertEqual(sum(figures["statuses"].values()), 300)
        self.assertGreater(figures["statuses"]["404"], 90)

    def test_a_unix_socket(self) -> None:
        path = self.directory / "bench.sock"
        self.echo("--listen", f"unix:{path}")
        figures = self.figures(f"unix:{path}:/", "-n", 200, "-p", 2)
        self.assertEqual(figures["answered"], 200)

    def test_a_server_that_is_not_ours(self) -> None:
        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

        self.write("page.html", "a page")
        with http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *a: Handler(*a, directory=str(self.directory))  # type: ignore[arg-type]
        ) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"127.0.0.1:{server.server_port}/page.html"
            for more in ((), ("--no-keepalive",), ("-m", "HEAD", "--expect-length", 0)):
                self.assertEqual(self.figures(url, "-n", 60, "-c", 3, *more)["answered"], 60)
            server.shutdown()

    def test_wrong_answers_end_it_with_1(self) -> None:
        url = self.echo()
        for arguments, what in (
            (("/absent",), "20 times: status 404"),
            (("/", "--expect-status", "201"), "20 times: status 200"),
            (("/", "--expect-length", "4"), "a body of 5 bytes, not 4"),
            (("/", "--expect-body", self.write("other", "hullo")), "not the one expected"),
        ):
            done = self.bench(url + arguments[0], "-n", 20, *arguments[1:])
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn("wrong: 20 of 20", done.stderr)
            self.assertIn(what, done.stderr)

    def test_answers_that_make_no_sense(self) -> None:
        for answer, what in (
            (b"SSH-2.0-OpenSSH_9.2\r\n", "bad_status_line"),
            (HELLO + b"more", "bytes behind the last answer"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "bad_content_length"),
        ):
            url = self.serve(lambda c, _, a=answer: [c.sendall(a) for _ in heads(c)] and None)  # type: ignore[misc]
            done = self.bench(url, "-n", 4, "-c", 2)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(what, done.stderr)

    def test_a_close_in_the_middle(self) -> None:
        def half(connection: socket.socket, _: int) -> None:
            if next(heads(connection), None) is not None:
                connection.sendall(HELLO[:-2])

        done = self.bench(self.serve(half), "-n", 3, "-c", 1)
        self.assertEqual(done.returncode, 1)
        self.assertIn("3 times: closed in the middle of an answer", done.stderr)

    def test_an_announced_close_is_no_fault(self) -> None:
        def one_in_three(connection: socket.socket, _: int) -> None:
            for number in heads(connection):
                last = number == 2
                connection.sendall(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") if last else HELLO)
                if last:
                    return

        figures = self.figures(self.serve(one_in_three), "-n", 60, "-c", 2, "-p", 5)
        self.assertEqual((figures["answered"], figures["wrong"]), (60, 0))
        self.assertGreaterEqual(figures["connected"], 20)

    def test_an_announced_close_that_does_not_come(self) -> None:
        over = threading.Event()
        self.addCleanup(over.set)

        def stays(connection: socket.socket, _: int) -> None:
            connection.recv(65536)
            connection.sendall(HELLO.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            over.wait(30)

        figures = self.figures(self.serve(stays), "-n", 2, "-c", 1)
        self.assertEqual((figures["answered"], figures["wrong"], figures["connected"]), (2, 0, 2))

    def test_faults_of_many_kinds_are_told_in_part_and_counted_all(self) -> None:
        def every_status(connection: socket.socket, _: int) -> None:
            for number in heads(connection):
                connection.sendall(HELLO.replace(b"200", str(400 + number).encode()))

        done = self.bench(self.serve(every_status), "-n", 20, "-c", 1)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("8 times: of other kinds", done.stderr)

    def test_figures_that_cannot_be_written(self) -> None:
        done = self.bench(self.echo(), "-n", 10, "--json", "/nowhere/out.json")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("cannot write /nowhere/out.json: No such file or directory", done.stderr)

    def test_more_connections_than_descriptors(self) -> None:
        command = ["prlimit", "--nofile=64", binary("engine"), "bench", "http://127.0.0.1:1/", "-c", "100"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("100 connections need more descriptors than the 64 allowed", done.stderr)

    def test_a_terminal_is_told_how_far_it_is(self) -> None:
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        url = self.serve(lambda c, _: [time.sleep(0.3) or c.sendall(HELLO) for _ in heads(c)] and None)  # type: ignore[misc]
        command = [binary("engine"), "bench", url, "-n", "8", "-c", "1"]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=end, timeout=60)
        os.close(end)
        self.assertEqual(done.returncode, 0)
        self.assertRegex(os.read(terminal, 65536), rb"\d s: [1-8] answered, 0 wrong")

    def test_an_answer_that_does_not_come(self) -> None:
        done = self.bench(self.serve(lambda c, _: list(heads(c)) and None), "-n", 2, "-c", 2, "--timeout", "300ms")
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 times: no answer within 300 ms", done.stderr)

    def test_a_server_that_is_not_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        for url, what in ((f"127.0.0.1:{port}", "refused"), (f"unix:{self.directory}/no.sock", "No such file")):
            done = self.bench(url)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertIn("cannot connect to", done.stderr)
            self.assertIn(what, done.stderr)

    def test_bad_flags_end_it_with_2(self) -> None:
        for arguments in ((), ("a", "-c", "x"), ("ftp://a/",), ("a", "--ruls", "x"), ("a", "--backend", "x")):
            done = self.bench(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)

    def test_an_interrupt_ends_it_with_the_table(self) -> None:
        process = subprocess.Popen(
            [binary("engine"), "bench", self.echo(), "-d", "60s"], stdout=subprocess.PIPE, text=True
        )
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 0, out)
        self.assertIn("interrupted", out)
        self.assertIn("p99.9", out)


class LatencyTest(BenchCase):
    """Percentiles against servers whose delays are known. A loaded machine only adds to a latency, so the
    lower bounds are exact; above, they are held to what the server itself saw."""

    def test_delays_come_back_as_percentiles(self) -> None:
        # Of every ten requests on a connection, nine take 10 ms and one 200 ms.
        def tenth(connection: socket.socket, _: int) -> None:
            for number in heads(connection):
                time.sleep(0.2 if number % 10 == 9 else 0.01)
                connection.sendall(HELLO)

        figures = self.figures(self.serve(tenth), "-n", 200, "-c", 4)
        latency = figures["latency_us"]
        slow = latency["percentiles"]
        self.assertGreaterEqual(latency["min"], 10_000)
        self.assertGreaterEqual(slow["p99"], 200_000)
        self.assertLess(slow["p50"], 200_000)
        self.assertGreaterEqual(latency["mean"], 0.9 * 10_000 + 0.1 * 200_000)

    def test_the_server_s_own_record(self) -> None:
        record: list[float] = []

        def recorded(connection: socket.socket, _: int) -> None:
            for number in heads(connection):
                began = time.monotonic()
                time.sleep(0.005 * (number % 8))
                connection.sendall(HELLO)
                record.append((time.monotonic() - began) * 1e6)

        latency = self.figures(self.serve(recorded), "-n", 100, "-c", 1)["latency_us"]
        # Every answer took the client at least the delay before it, so each rank did.
        delays = sorted(5000 * (number % 8) for number in range(100))
        for name, rank in (("p50", 50), ("p75", 75), ("p90", 90), ("p99", 99)):
            self.assertGreaterEqual(latency["percentiles"][name], delays[rank - 1], name)
        self.assertEqual(len(record), 100)
        self.assertGreaterEqual(latency["mean"], sum(delays) / 100)

    def test_a_stall_is_not_hidden_by_requests_that_were_not_sent(self) -> None:
        # One connection, a request due every 10 ms, and one answer in a hundred that takes a second: in a
        # closed loop one latency is slow, but for a second's worth of requests the service was not there.
        def stalls(connection: socket.socket, _: int) -> None:
            for number in heads(connection):
                if number == 50:
                    time.sleep(1)
                connection.sendall(HELLO)

        figures = self.figures(self.serve(stalls), "-n", 200, "-c", 1, "-r", 100)
        self.assertEqual((figures["answered"], figures["unsent"]), (200, 0))
        # The requests due during the stall waited 1,000, 990, 980 ... ms: of 200, 50 waited 500 ms or more.
        self.assertGreaterEqual(figures["latency_us"]["percentiles"]["p99"], 980_000)
        self.assertGreaterEqual(figures["latency_us"]["percentiles"]["p75"], 480_000)
        self.assertGreaterEqual(figures["backlog_max"], 90)

    def test_a_rate_that_cannot_be_kept_is_told(self) -> None:
        def slow(connection: socket.socket, _: int) -> None:
            for _ in heads(connection):
                time.sleep(0.1)
                connection.sendall(HELLO)

        done = self.bench(self.serve(slow), "-d", "500ms", "-c", 1, "-r", 1000)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"backlog +4\d\d requests were due and never sent")


if __name__ == "__main__":
    main()
