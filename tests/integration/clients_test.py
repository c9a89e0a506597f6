#!/usr/bin/env python3
"""clients_test.py: the clients people use: curl, Python's, wrk."""

from __future__ import annotations

import http.client
import random
import re
import shutil
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

from harness import IntegrationTest, main

PIPELINE = """
init = function(args)
  local requests = {}
  for i = 1, 16 do requests[i] = wrk.format(nil, "/") end
  pipeline = table.concat(requests)
end
request = function() return pipeline end
"""


class ClientTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("echo")
        self.url = "http://127.0.0.1:%d" % self.server.address[1]


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class CurlTest(ClientTest):
    def curl(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["curl", "-sS", "--max-time", "20", *arguments], capture_output=True, check=True
        )

    def data_file(self, size: int) -> tuple[str, bytes]:
        data = random.Random(size).randbytes(size)
        path = self.directory / f"data-{size}"
        path.write_bytes(data)
        return f"@{path}", data

    def test_get(self) -> None:
        self.assertEqual(self.curl(self.url + "/").stdout, b"hello")
        self.assertEqual(
            self.curl("-o", "/dev/null", "-w", "%{http_code}", self.url + "/nope").stdout, b"404"
        )

    def test_head(self) -> None:
        self.assertRegex(
            self.curl("-I", self.url + "/").stdout, rb"(?is)^HTTP/1.1 200 .*content-length: 5\r\n.*\r\n$"
        )

    def test_http_1_0(self) -> None:
        self.assertRegex(
            self.curl("-0", "-i", self.url + "/").stdout, rb"(?s)^HTTP/1.[01] 200 .*\r\n\r\nhello$"
        )

    def test_post(self) -> None:
        for size in (0, 1, 100, 16384, 900_000):
            name, data = self.data_file(size)
            self.assertEqual(self.curl("--data-binary", name, self.url + "/echo").stdout, data)

    def test_chunked_upload(self) -> None:
        for size in (0, 100, 900_000):
            name, data = self.data_file(size)
            done = self.curl("-H", "Transfer-Encoding: chunked", "--data-binary", name, self.url + "/echo")
            self.assertEqual(done.stdout, data)

    def test_expect_100_continue(self) -> None:
        name, data = self.data_file(3_000_000)
        done = self.curl(
            "-v",
            "-H",
            "Expect: 100-continue",
            "--expect100-timeout",
            "15",
            "--data-binary",
            name,
            self.url + "/echo",
        )
        self.assertIn(b"HTTP/1.1 100", done.stderr)
        self.assertEqual(done.stdout, data)

    def test_one_connection_for_many_requests(self) -> None:
        done = self.curl("-w", " %{num_connects}\n", *[self.url + "/"] * 5)
        self.assertEqual(done.stdout.decode(), "hello 1\n" + "hello 0\n" * 4)

    def test_parallel(self) -> None:
        done = self.curl("-Z", "--parallel-max", "50", self.url + "/?[1-300]")
        self.assertEqual(done.stdout, b"hello" * 300)

    def test_ipv6(self) -> None:
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        server = self.start("echo", listen="[::1]:0")
        host, port = server.address
        self.assertEqual(host, "::1")
        self.assertEqual(self.curl("-g", f"http://[::1]:{port}/").stdout, b"hello")

    def test_unix_socket(self) -> None:
        path = self.directory / "socket"
        self.start("echo", "--listen", f"unix:{path}")
        self.assertEqual(self.curl("--unix-socket", str(path), "http://localhost/").stdout, b"hello")
        name, data = self.data_file(900_000)
        self.assertEqual(
            self.curl("--unix-socket", str(path), "--data-binary", name, "http://x/echo").stdout, data
        )


class PythonTest(ClientTest):
    def test_http_client(self) -> None:
        connection = http.client.HTTPConnection(*self.server.address, timeout=10)
        self.addCleanup(connection.close)
        for number in range(200):
            body = str(number).encode() * (number % 50)
            connection.request("POST", "/echo", body)
            response = connection.getresponse()
            self.assertEqual((response.status, response.read()), (200, body))
            self.assertIsNotNone(connection.sock)  # Kept.

    def test_http_client_chunked(self) -> None:
        connection = http.client.HTTPConnection(*self.server.address, timeout=10)
        self.addCleanup(connection.close)
        parts = [bytes([number]) * (number * 37) for number in range(1, 100)]
        connection.request(
            "POST", "/echo", iter(parts), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        self.assertEqual(connection.getresponse().read(), b"".join(parts))

    def test_urllib(self) -> None:
        with urllib.request.urlopen(self.url + "/", timeout=10) as response:
            self.assertEqual(response.read(), b"hello")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(self.url + "/nope", timeout=10)
        self.assertEqual(caught.exception.code, 404)
        caught.exception.close()


@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class WrkTest(ClientTest):
    def wrk(self, *arguments: str) -> int:
        done = subprocess.run(
            ["wrk", "-t1", "-c50", "-d2s", *arguments, self.url + "/"],
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        )
        self.assertNotRegex(done.stdout, "Socket errors|Non-2xx")
        requests = re.search(r"(\d+) requests in", done.stdout)
        assert requests is not None
        return int(requests.group(1))

    def test_plain(self) -> None:
        self.assertGreater(self.wrk(), 1000)

    def test_pipelined(self) -> None:
        self.assertGreater(self.wrk("-s", str(self.write("pipeline.lua", PIPELINE))), 1000)


if __name__ == "__main__":
    main()
