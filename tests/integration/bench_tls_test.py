#!/usr/bin/env python3
"""bench_tls_test.py: `millrace bench` by TLS and over WebSockets, against our servers, others', and wrong ones."""

from __future__ import annotations

import http.server
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "websocket"))

import debian_python  # noqa: E402
import frames  # noqa: E402
from bench_test import HELLO, BenchCase, heads  # noqa: E402
from harness import main  # noqa: E402
from tls_support import TlsTest  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


class SecureBenchCase(TlsTest, BenchCase):
    def ours(self, *flags: str) -> int:
        return self.start_tls("echo", "--cores", "1", *flags).address[1]

    def serve_tls(self, serve: Callable[[ssl.SSLSocket], None]) -> int:
        """A server in Python: the port. Each connection is run by `serve`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "localhost.pem", self.directory / "localhost.key")

        def secure(connection: socket.socket, _: int) -> None:
            with context.wrap_socket(connection, server_side=True) as wrapped:
                serve(wrapped)

        return int(self.serve(secure).rsplit(":", 1)[1].strip("/"))


class HttpsTest(SecureBenchCase):
    def test_every_request_is_asked_and_answered(self) -> None:
        url = f"https://localhost:{self.ours()}/"
        trusted = ("--cacert", str(self.authority.cert))
        for more in (trusted, ("-k",), (*trusted, "-p", 8, "-t", 2), (*trusted, "-r", 5000),
                     (*trusted, "--backend", "epoll"), (*trusted, "--no-keepalive")):  # fmt: skip
            figures = self.figures(url, "-n", 160, "-c", 8, "--expect-length", 5, *more)
            self.assertEqual((figures["answered"], figures["wrong"], figures["protocol"]), (160, 0, "https"), more)
            self.assertEqual(figures["connected"], 160 if "--no-keepalive" in more else 8)

    def test_large_bodies_in_many_records(self) -> None:
        body = self.write("body.txt", "x" * 300_000)
        figures = self.figures(f"https://localhost:{self.ours()}/echo", "-k", "-n", 30, "-c", 3, "-b", f"@{body}",
                               "--expect-body", body)  # fmt: skip
        self.assertEqual(figures["answered"], 30)

    def test_whom_it_trusts(self) -> None:
        port = self.ours()
        for url, more, what in (
            (f"https://localhost:{port}/", (), "self-signed certificate in certificate chain"),
            (f"https://127.0.0.2:{port}/", ("--cacert", str(self.authority.cert)), "IP address mismatch"),
        ):
            if "127.0.0.2" in url:
                url = f"https://127.0.0.2:{self.relay('127.0.0.2', port)}/"
            done = self.bench(url, "-n", 4, "-c", 2, *more)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(what, done.stderr)
            self.assertIn("wrong: 4 of 4", done.stderr)
        done = self.bench(f"https://localhost:{port}/", "--cacert", "absent.pem")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("absent.pem", done.stderr)

    def relay(self, address: str, port: int) -> int:
        """Our server at another address, whose name is not in the certificate."""
        listener = socket.create_server((address, 0))
        self.addCleanup(listener.close)

        def pump(one: socket.socket, other: socket.socket) -> None:
            try:
                while data := one.recv(65536):
                    other.sendall(data)
                other.shutdown(socket.SHUT_WR)
            except OSError:
                pass

        def accept() -> None:
            while True:
                try:
                    one, _ = listener.accept()
                except OSError:
                    return
                other = socket.create_connection(("127.0.0.1", port))
                for end in (one, other):
                    self.addCleanup(end.close)
                for pair in ((one, other), (other, one)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return listener.getsockname()[1]

    def test_the_name_is_told_to_the_server(self) -> None:
        told: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "localhost.pem", self.directory / "localhost.key")
        context.sni_callback = lambda _, name, __: told.append(name)

        def hello(connection: socket.socket, _: int) -> None:
            with context.wrap_socket(connection, server_side=True) as wrapped:
                for _ in heads(wrapped):
                    wrapped.sendall(HELLO)

        port = self.serve(hello).rsplit(":", 1)[1]
        for host in ("localhost", "127.0.0.1"):
            self.figures(f"https://{host}:{port}", "-k", "-n", 1, "-c", 1)
        self.assertEqual(told, ["localhost", None])  # An address is never told (RFC 6066 section 3).

    def test_a_plain_server(self) -> None:
        done = self.bench(self.echo().replace("http", "https"), "-k", "-n", 2, "-c", 1)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("2 times: TLS: wrong version number", done.stderr)

    def test_an_end_that_nobody_announced_is_no_end_of_a_body(self) -> None:
        def cut(wrapped: ssl.SSLSocket) -> None:
            next(heads(wrapped), None)
            wrapped.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf of the bo")
            wrapped.shutdown(socket.SHUT_RDWR)  # Of the socket: no close_notify.

        def whole(wrapped: ssl.SSLSocket) -> None:
            next(heads(wrapped), None)
            wrapped.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nthe body")
            wrapped.unwrap()

        done = self.bench(f"https://localhost:{self.serve_tls(cut)}", "-k", "-n", 2, "-c", 1)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("2 times: closed in the middle of an answer", done.stderr)
        figures = self.figures(f"https://localhost:{self.serve_tls(whole)}", "-k", "-n", 2, "-c", 1, "--expect-length", 8)
        self.assertEqual((figures["answered"], figures["connected"]), (2, 2))

    def test_openssl_s_server(self) -> None:
        self.write("page.txt", "a page\r\n")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = subprocess.Popen(
            ["openssl", "s_server", "-quiet", "-WWW", "-accept", f"127.0.0.1:{port}", "-cert", "localhost.pem",
             "-key", "localhost.key"], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)  # fmt: skip
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        self.await_port(port)
        figures = self.figures(f"https://localhost:{port}/page.txt", "--cacert", self.authority.cert, "-n", 20, "-c", 1,
                               "--expect-length", 8)  # fmt: skip
        self.assertEqual((figures["answered"], figures["wrong"]), (20, 0))
        self.assertEqual(figures["connected"], 20)  # It answers by HTTP/1.0.

    def test_python_s_server(self) -> None:
        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

        self.write("page.html", "a page")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "localhost.pem", self.directory / "localhost.key")
        with http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), lambda *a: Handler(*a, directory=str(self.directory))  # type: ignore[arg-type]
        ) as server:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"https://localhost:{server.server_port}/page.html"
            for more in ((), ("--no-keepalive",)):
                self.assertEqual(self.figures(url, "-k", "-n", 30, "-c", 1, *more)["answered"], 30)
            server.shutdown()

    def await_port(self, port: int) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        self.fail("nobody listens")


class WebSocketBenchTest(SecureBenchCase):
    def test_every_message_comes_back(self) -> None:
        plain = self.echo().replace("http", "ws")
        secure = f"wss://localhost:{self.ours()}"
        for url, more in ((plain, ()), (plain, ("-p", 6, "-t", 2)), (plain, ("--message-bytes", 70_000)),
                          (plain, ("-r", 3000)), (plain, ("--backend", "epoll")), (secure, ("-k",)),
                          (secure, ("-k", "-p", 4, "--message-bytes", 40_000))):  # fmt: skip
            figures = self.figures(f"{url}/ws", "-n", 300, "-c", 5, *more)
            self.assertEqual((figures["answered"], figures["wrong"], figures["connected"]), (300, 0, 5), more)
            self.assertEqual((figures["protocol"], figures["statuses"]), (url.split(":")[0], {"101": 5}))

    def test_python_s_websockets(self) -> None:
        if not debian_python.is_there("websockets"):
            self.skipTest("python3-websockets is not installed: ./dev setup")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = subprocess.Popen([debian_python.PYTHON, ROOT / "perf/peers/websocket_echo.py", str(port)])
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        HttpsTest.await_port(self, port)  # type: ignore[arg-type]
        for more in ((), ("-p", 5, "--message-bytes", 30_000)):
            figures = self.figures(f"ws://127.0.0.1:{port}/", "-n", 200, "-c", 4, *more)
            self.assertEqual((figures["answered"], figures["wrong"]), (200, 0))

    def by_hand(self, answers: Callable[[bytes], bytes], *, secure: bool = False, closes: bool = False) -> str:
        """A server that gives, for each frame, what `answers` makes of its payload; once, where it closes then."""

        def serve(connection: socket.socket, _: int) -> None:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(4096)
            head, _, data = data.partition(b"\r\n\r\n")
            key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()
            connection.sendall(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                f"Sec-WebSocket-Accept: {frames.accept_of(key)}\r\n\r\n").encode())  # fmt: skip
            while part := connection.recv(4096):
                data += part
                while len(data) >= 6 + (size := data[1] & 0x7F if len(data) > 1 else 0):
                    payload = frames.masked(data[6 : 6 + size], data[2:6])
                    opcode, data = data[0] & 15, data[6 + size :]
                    connection.sendall(answers(payload) if opcode == frames.TEXT else b"")
                    if opcode == frames.PONG:
                        self.pongs.append(payload)
                    if closes:
                        return

        self.pongs: list[bytes] = []
        if secure:
            return f"wss://localhost:{self.serve_tls(lambda connection: serve(connection, 0))}"
        return self.serve(serve).replace("http", "ws")

    def test_pings_are_answered_and_fragments_put_together(self) -> None:
        def answers(payload: bytes) -> bytes:
            ping = frames.frame(frames.PING, b"are you there", mask=None)
            half = len(payload) // 2
            first = frames.frame(frames.TEXT, payload[:half], fin=False, mask=None)
            return first + ping + frames.frame(frames.CONTINUATION, payload[half:], mask=None)

        for secure, more in ((False, ()), (True, ("-k",))):
            figures = self.figures(self.by_hand(answers, secure=secure), "-n", 40, "-c", 1, *more)
            self.assertEqual((figures["answered"], figures["wrong"]), (40, 0))
            # The last ones are still on their way when the run ends.
            self.assertGreaterEqual(len(self.pongs), 30)
            self.assertEqual(set(self.pongs), {b"are you there"})

    def test_what_is_no_echo_ends_it_with_1(self) -> None:
        def plain(payload: bytes) -> bytes:
            return frames.frame(frames.TEXT, payload, mask=None)

        for answers, what in (
            (lambda payload: plain(payload.upper()), "10 times: an echo of 64 bytes that is not the message of 64"),
            (lambda payload: plain(payload[1:]), "an echo of 63 bytes"),
            (lambda payload: plain(payload) * 2, "an echo of 64 bytes that is not the message of 64"),
            (lambda payload: frames.frame(frames.TEXT, payload), "a broken frame"),
            (lambda payload: frames.frame(frames.CLOSE, b"", mask=None), "closed by the server before the echo"),
        ):
            done = self.bench(self.by_hand(answers), "-n", 10, "-c", 1)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(what, done.stderr)
        done = self.bench(self.by_hand(lambda payload: plain(payload) * 2), "-n", 1, "-c", 1)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("1 times: a message that echoes none", done.stderr)
        goodbye = frames.frame(frames.CLOSE, b"", mask=None)
        figures = self.figures(self.by_hand(lambda payload: plain(payload) + goodbye), "-n", 1, "-c", 1)
        self.assertEqual((figures["answered"], figures["wrong"]), (1, 0))  # Nothing was owed any more.
        for answer, what in ((b"", "closed before the answer"), (b"\x81", "closed in the middle of an answer")):
            done = self.bench(self.by_hand(lambda _, answer=answer: answer, closes=True), "-n", 2, "-c", 1)
            self.assertEqual(done.returncode, 1, done.stdout)
            self.assertIn(f"2 times: {what}", done.stderr)
        done = self.bench(self.echo().replace("http", "ws") + "/", "-n", 3, "-c", 1)
        self.assertEqual(done.returncode, 1)
        self.assertIn("3 times: no WebSocket: status 200", done.stderr)


if __name__ == "__main__":
    main()
