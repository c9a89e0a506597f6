#!/usr/bin/env python3
"""tls_test.py: HTTPS as curl, openssl and Python's ssl see it: what is spoken, and what is refused."""

from __future__ import annotations

import random
import socket
import ssl
import subprocess

from harness import eventually, main
from tls_support import TlsTest

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class SpeaksTest(TlsTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start_tls("app", config='[timeouts]\nlinger = "300ms"\n')

    def curl(self, *arguments: str) -> bytes:
        url = f"https://localhost:{self.server.address[1]}"
        arguments = tuple(argument.replace("URL", url) for argument in arguments)
        command = ["curl", "-sS", "--max-time", "20", "--cacert", str(self.authority.cert), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def s_client(self, *arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        address = f"127.0.0.1:{self.server.address[1]}"
        command = ["openssl", "s_client", "-connect", address, "-servername", "localhost",
                   "-CAfile", str(self.authority.cert), *arguments]  # fmt: skip
        return subprocess.run(command, input=text, capture_output=True, timeout=20)

    def test_curl(self) -> None:
        self.assertEqual(self.curl("URL/"), b"hello")
        self.assertEqual(self.curl("--tls-max", "1.2", "URL/"), b"hello")
        self.assertEqual(self.curl("--tlsv1.3", "URL/peer"), b"secure ")

    def test_large_bodies_both_ways(self) -> None:
        data = random.Random(3).randbytes(3_000_000)
        path = self.directory / "data"
        path.write_bytes(data)
        for version in ("1.2", "1.3"):
            echoed = self.curl("--tls-max", version, "--data-binary", f"@{path}", "URL/echo")
            self.assertEqual(echoed, data)

    def test_pipelined(self) -> None:
        sock = self.open(self.server)
        count = 300
        sock.sendall(GET * count)
        found = b""
        while found.count(b"hello") < count:
            part = sock.recv(65536)
            self.assertNotEqual(part, b"")
            found += part
        self.assertEqual(found.count(b"HTTP/1.1 200 OK"), count)

    def test_what_openssl_negotiates(self) -> None:
        for version, protocol in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            done = self.s_client(version, "-alpn", "h2,http/1.1", "-ign_eof", "-verify_return_error", text=LAST)
            said = done.stdout.decode()
            self.assertEqual(done.returncode, 0, said + done.stderr.decode())
            self.assertIn(f"New, {protocol}, Cipher is", said)
            self.assertIn("ALPN protocol: http/1.1", said)
            self.assertIn("Compression: NONE", said)
            self.assertIn("Server Temp Key: X25519", said)
            self.assertIn("Verification: OK", said)
            self.assertIn("hello", said)

    def test_old_versions_and_weak_ciphers_are_refused(self) -> None:
        weak = "DEFAULT:@SECLEVEL=0"
        for arguments in (
            ("-tls1", "-cipher", weak),
            ("-tls1_1", "-cipher", weak),
            ("-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"),  # No forward secrecy.
            ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"),  # CBC.
            ("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"),
        ):
            done = self.s_client(*arguments, text=LAST)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(b"alert", done.stderr, arguments)
        self.assertEqual(self.curl("URL/"), b"hello")

    def test_renegotiation_is_refused(self) -> None:
        done = self.s_client("-tls1_2", text=b"R\n")
        self.assertIn(b"RENEGOTIATING", done.stdout + done.stderr)
        self.assertIn(b"no renegotiation", done.stderr)
        self.assertIn(b"Secure Renegotiation IS supported", done.stdout)

    def test_protocols_by_alpn(self) -> None:
        context = self.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.assertEqual(self.open(self.server, context).selected_alpn_protocol(), "http/1.1")
        context.set_alpn_protocols(["h2"])
        with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
            self.open(self.server, context)
        self.assertIsNone(self.open(self.server).selected_alpn_protocol())

    def test_close_notify_comes_behind_the_last_reply(self) -> None:
        peer = self.peer(self.server, self.context())
        peer.shake_hands()
        peer.tls.write(LAST)
        peer.sock.sendall(peer.flight())
        self.assertTrue(peer.read_all().endswith(b"hello"))  # SSLEOFError without one.

    def test_a_cut_without_close_notify_runs_nothing_that_is_not_whole(self) -> None:
        peer = self.peer(self.server, self.context())
        peer.shake_hands()
        peer.tls.write(b"POST /mark HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabc")
        peer.sock.sendall(peer.flight())
        peer.sock.shutdown(socket.SHUT_WR)
        self.assertEqual(peer.read_all(), b"")  # And close_notify, though it sent none.
        self.assertEqual(self.ask(self.open(self.server), "/marks"), b"0")

    def test_a_request_that_came_whole_is_answered_though_cut(self) -> None:
        peer = self.peer(self.server, self.context())
        peer.shake_hands()
        peer.tls.write(GET)
        peer.sock.sendall(peer.flight())
        peer.sock.shutdown(socket.SHUT_WR)
        self.assertTrue(peer.read_all().endswith(b"hello"))

    def test_a_slow_reader_gets_all_of_it(self) -> None:
        sock = self.open(self.server)
        body = random.Random(5).randbytes(2_000_000)
        head = f"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.sendall(head.encode() + body)
        found = b""
        while len(found) < len(body):
            part = sock.recv(3000)
            self.assertNotEqual(part, b"")
            found += part
        self.assertTrue(found.split(b"\r\n\r\n", 1)[1].startswith(body[:100]))


class RefusesTest(TlsTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start_tls("app", tls='handshake = "400ms"', config='[timeouts]\nlinger = "200ms"\n')

    def raw(self) -> socket.socket:
        sock = socket.create_connection(self.server.address, timeout=10)
        self.addCleanup(sock.close)
        return sock

    def read_to_end(self, sock: socket.socket) -> bytes:
        found = b""
        try:
            while part := sock.recv(65536):
                found += part
        except ConnectionResetError:
            pass
        return found

    def still_serves(self) -> None:
        self.assertEqual(self.ask(self.open(self.server)), b"hello")

    def test_plain_http_gets_a_400_that_says_why(self) -> None:
        for request in (GET, b"BREW / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            sock = self.raw()
            sock.sendall(request)
            answer = self.read_to_end(sock)
            self.assertTrue(answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), answer)
            head, _, body = answer.partition(b"\r\n\r\n")
            self.assertIn(b"https://", body)
            self.assertIn(b"Content-Length: %d\r\n" % len(body), head + b"\r\n")
        self.still_serves()

    def test_garbage_gets_an_alert_and_a_close(self) -> None:
        garbage = random.Random(7)
        for size in (1, 5, 11, 100, 5000, 50_000):
            sock = self.raw()
            data = bytes([0x16]) + garbage.randbytes(size)
            try:
                sock.sendall(data)
            except ConnectionError:
                continue
            self.assertLess(len(self.read_to_end(sock)), 100)
        self.still_serves()

    def test_a_record_that_is_too_long(self) -> None:
        sock = self.raw()
        sock.sendall(b"\x16\x03\x01\xff\xff" + b"a" * 65535)
        self.assertEqual(self.read_to_end(sock)[:1], b"\x15")  # An alert.
        peer = self.peer(self.server, self.context())
        peer.shake_hands()
        peer.sock.sendall(b"\x17\x03\x03\xff\xff" + b"a" * 65535)
        self.assertLess(len(self.read_to_end(peer.sock)), 1000)
        self.still_serves()

    def test_a_record_that_was_changed(self) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            peer = self.peer(self.server, self.context(version))
            peer.shake_hands()
            peer.tls.write(b"POST /mark HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
            record = bytearray(peer.flight())
            record[-1] ^= 1
            peer.sock.sendall(record)
            with self.assertRaisesRegex(ssl.SSLError, "(?i)bad record mac"):
                peer.read_all()
        self.assertEqual(self.ask(self.open(self.server), "/marks"), b"0")

    def test_who_never_ends_the_handshake_is_closed(self) -> None:
        silent, begun = self.raw(), self.peer(self.server, self.context())
        hello = begun.begin()
        begun.sock.sendall(hello[: len(hello) // 2])
        half = self.raw()
        half.sendall(hello)  # And never answers the server's part.
        for sock in (silent, begun.sock, half):
            self.read_to_end(sock)  # It ends; a hang is a TimeoutError.
        self.still_serves()

    def test_a_handshake_cut_at_every_point(self) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            hello = self.peer(self.server, self.context(version)).begin()
            for cut in range(len(hello)):
                with socket.create_connection(self.server.address, timeout=10) as sock:
                    sock.sendall(hello[:cut])
        self.still_serves()
        probe = self.open(self.server)
        self.assertTrue(eventually(lambda: self.ask(probe, "/counts").startswith(b"running=0")))

    def test_a_handshake_byte_by_byte(self) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            peer = self.peer(self.server, self.context(version))
            peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in peer.begin():
                peer.sock.send(bytes([byte]))
            peer.shake_hands()
            peer.tls.write(LAST)
            for byte in peer.flight():
                peer.sock.send(bytes([byte]))
            self.assertTrue(peer.read_all().endswith(b"hello"))


if __name__ == "__main__":
    main()
