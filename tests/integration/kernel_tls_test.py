#!/usr/bin/env python3
"""kernel_tls_test.py: files over TLS where the kernel makes the records: as curl, openssl and Python's ssl see them.

Most kernels have it as a module (modprobe tls); `./dev kernel` brings one along. Without it nothing is tested here."""

from __future__ import annotations

import os
import random
import re
import socket
import ssl
import subprocess
import sys
import time

from harness import SKIPPED, binary, eventually, main
from server import Server
from tls_support import TlsTest

CIPHERS = {
    "TLS_AES_128_GCM_SHA256": "1.3",
    "TLS_AES_256_GCM_SHA384": "1.3",
    "TLS_CHACHA20_POLY1305_SHA256": "1.3",
    "ECDHE-ECDSA-AES128-GCM-SHA256": "1.2",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "1.2",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "1.2",
}
LARGE = random.Random(1).randbytes(10 << 20)
SMALL = b"small"


def kernel_has_tls() -> bool:
    said = subprocess.run([binary("engine"), "version", "--features"], capture_output=True, text=True, check=True)
    found = re.search(r"^kernel TLS +(yes|no)$", said.stdout, re.MULTILINE)
    assert found is not None, said.stdout
    return found[1] == "yes"


class KernelTlsTest(TlsTest):
    backend = "uring"

    def setUp(self) -> None:
        super().setUp()
        for name, data in (("large", LARGE), ("small", SMALL)):
            path = self.directory / "public" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        self.server = self.serve()

    def serve(self, tls: str = "") -> Server:
        return self.start_tls(
            "engine", "--backend", self.backend, tls=tls,
            config='[[route]]\npath = "/metrics"\nmetrics = true\n[[route]]\npath = "/*"\nfiles = "public"\n',
        )  # fmt: skip

    def taken_over(self, server: Server | None = None) -> int:
        """Connections of which the kernel makes the records."""
        with self.open(server or self.server) as sock:
            found = re.search(rb"^millrace_tls_kernel_total (\d+)$", self.ask(sock, "/metrics"), re.MULTILINE)
        assert found is not None
        return int(found[1])

    def curl(self, *arguments: str) -> bytes:
        command = ["curl", "-sS", "--fail", "--max-time", "60", "--cacert", str(self.authority.cert), *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout

    def url(self, name: str) -> str:
        return f"https://localhost:{self.server.address[1]}/{name}"

    def assert_whole(self, reply: bytes | bytearray) -> None:
        body = reply.partition(b"\r\n\r\n")[2]
        same = next((i for i, (a, b) in enumerate(zip(body, LARGE)) if a != b), min(len(body), len(LARGE)))
        self.assertEqual((len(body), same), (len(LARGE), len(LARGE)), "bytes, and how many of them are right")

    def test_every_cipher(self) -> None:
        for count, (cipher, version) in enumerate(CIPHERS.items()):
            flags = ["--tls13-ciphers", cipher] if version == "1.3" else ["--tls-max", "1.2", "--ciphers", cipher]
            got = self.curl(*flags, self.url("small"), self.url("large"), self.url("small"), self.url("large"))
            self.assertEqual(got, (SMALL + LARGE) * 2, cipher)
            self.assertEqual(self.taken_over(), count + 1, cipher)

    def test_small_files_leave_it_alone(self) -> None:
        self.assertEqual(self.curl(self.url("small"), self.url("small")), SMALL * 2)
        self.assertEqual(self.taken_over(), 0)

    def test_switched_off(self) -> None:
        server = self.serve("kernel = false")
        with self.open(server) as sock:
            self.assertEqual(self.ask(sock, "/large"), LARGE)
        self.assertEqual(self.taken_over(server), 0)

    def test_ranges_and_head(self) -> None:
        self.assertEqual(self.curl("-r", "5000000-9000000", self.url("large")), LARGE[5000000:9000001])
        self.assertEqual(self.curl("-r", "-1", self.url("large")), LARGE[-1:])
        self.assertIn(b"Content-Length: 10485760", self.curl("-I", self.url("large")))

    def test_pipelined_among_others(self) -> None:
        with self.open(self.server) as sock:
            for name in ("small", "large", "small", "metrics", "large", "small"):
                sock.sendall(f"GET /{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            found = bytearray()
            while len(found) < 2 * len(LARGE) or not found.endswith(SMALL):
                part = sock.recv(1 << 20)
                self.assertNotEqual(part, b"")
                found += part
        self.assertEqual((found.count(b"HTTP/1.1 200 OK\r\n"), found.count(LARGE)), (6, 2))

    def test_the_end_is_told(self) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.open(self.server, self.context(version)) as sock:
                sock.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                found = bytearray()
                while part := sock.recv(1 << 20):  # ssl.SSLEOFError where no close_notify came.
                    found += part
            self.assert_whole(found)

    def test_who_reads_slowly_gets_it_whole(self) -> None:
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        plain.settimeout(30)
        plain.connect(self.server.address)
        with self.context().wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as sock:
            sock.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            time.sleep(1)  # What the server's socket takes is full.
            found = bytearray()
            while part := sock.recv(1 << 16):
                found += part
        self.assert_whole(found)

    def test_many_at_once_by_openssl(self) -> None:
        asks = b"GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.address[1]}", "-quiet",
                   "-servername", "localhost", "-CAfile", str(self.authority.cert)]  # fmt: skip
        clients = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            for _ in range(8)
        ]
        for client in clients:
            assert client.stdin is not None
            client.stdin.write(asks)
            client.stdin.flush()
        for client in clients:
            assert client.stdout is not None
            self.assertTrue(client.stdout.read().endswith(LARGE))
            client.communicate()
        self.assertEqual(self.taken_over(), 8)

    def test_a_file_that_changes_ends_the_connection(self) -> None:
        with self.open(self.server) as sock:
            sock.sendall(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            found = bytearray(sock.recv(1 << 14))
            os.truncate(self.directory / "public/large", 6 << 20)
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                while len(found) < len(LARGE):
                    part = sock.recv(1 << 16)
                    if not part:
                        raise ConnectionError
                    found += part
        self.assertLessEqual(len(found), 7 << 20)

    def test_new_keys_that_the_client_asks_for_end_the_connection(self) -> None:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{self.server.address[1]}", "-tls1_3",
                   "-servername", "localhost", "-CAfile", str(self.authority.cert)]  # fmt: skip
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as client:
            assert client.stdin is not None and client.stdout is not None
            client.stdin.write(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
            client.stdin.flush()
            left = len(LARGE)
            while left > 0:  # At least: a head, and what s_client says, came too.
                left -= len(client.stdout.read1(1 << 20))
            client.stdin.write(b"K\n")  # Asks for a key update of both.
            client.stdin.flush()
            client.stdout.read()  # To the end, which the server makes.
        eventually(lambda: self.taken_over() == 1)


class KernelTlsOnEpollTest(KernelTlsTest):
    backend = "epoll"


if __name__ == "__main__":
    if not kernel_has_tls():
        print("this kernel has no TLS (modprobe tls); ./dev kernel runs this on one that has")
        sys.exit(1 if os.environ.get("KERNEL_TLS") == "must" else SKIPPED)
    main()
