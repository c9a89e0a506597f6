#!/usr/bin/env python3
"""middleware_test.py: middleware, groups, hosts, limits and the access log, by curl and raw sockets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import unittest
from typing import Any

from harness import IntegrationTest, eventually, field, get, main
from response import Response

NOSNIFF = "nosniff"


class MiddlewareTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.log = self.directory / "access.log"
        self.server = self.start(
            "middleware", "--cores", "1", environment={**os.environ, "MIDDLEWARE_LOG": str(self.log)}
        )

    def ask(self, request: str | bytes) -> Response:
        return self.connect(self.server).ask(request)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def logged(self, count: int) -> list[dict[str, Any]]:
        self.assertTrue(eventually(lambda: self.log.exists() and len(self.lines()) >= count, 10))
        return self.lines()


class AnswersTest(MiddlewareTest):
    def test_every_kind_of_answer_is_seen(self) -> None:
        for target, status in (("/", 200), ("/fixed", 200), ("/throw", 500), ("/none", 404), ("/stream", 200)):
            with self.subTest(target):
                response = self.ask(get(target))
                self.assertEqual(response.status, status)
                self.assertEqual(field(response, "x-content-type-options"), NOSNIFF)
                self.assertEqual(len(field(response, "x-request-id") or ""), 32)
        self.assertEqual(len(self.ask(get("/stream")).body), 10_000)

    def test_what_the_engine_refuses_is_seen(self) -> None:
        for request, status in (
            (b"GET / HTTP/1.1\r\n\r\n", 400),
            (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
            (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
        ):
            with self.subTest(request):
                response = self.ask(request)
                self.assertEqual(response.status, status)
                self.assertEqual(field(response, "x-content-type-options"), NOSNIFF)

    def test_pipelined_requests_keep_their_order(self) -> None:
        client = self.connect(self.server)
        targets = ("/around/text", "/", "/stream", "/around/stream", "/fixed", "/none") * 3
        client.send("".join(get(target) for target in targets))
        client.receive_until(lambda: len(client.reader.responses) == len(targets), 20)
        sizes = {"/around/text": 4, "/": 12, "/stream": 10_000, "/around/stream": 10_000, "/fixed": 5, "/none": 14}
        self.assertEqual([len(one.body) for one in client.reader.responses], [sizes[target] for target in targets])

    def test_an_injected_field_is_a_500_with_nothing_of_it(self) -> None:
        for target in ("/injected", "/injected-stream"):
            with self.subTest(target):
                response = self.ask(get(target))
                self.assertEqual(response.status, 500)
                self.assertIsNone(field(response, "x-bad"))
                self.assertIsNone(field(response, "x-injected"))
                self.assertEqual(field(response, "x-content-type-options"), NOSNIFF)
                self.assertNotIn(b"never seen", response.body)

    def test_the_body_of_a_stream_cannot_be_replaced(self) -> None:
        response = self.ask(get("/replaced-stream"))
        self.assertEqual((response.status, b"another" in response.body), (500, False))
        self.assertTrue(eventually(lambda: "cannot replace the body of a streamed reply" in self.server.stderr(), 3))

    def test_a_coroutine_around_text_streams_and_bodies_in_parts(self) -> None:
        self.assertEqual(field(self.ask(get("/around/text")), "x-around"), "200")
        self.assertEqual(self.ask(get("/around/text?stop")).status, 403)
        self.assertEqual(field(self.ask(get("/around/none")), "x-around"), "404")
        streamed = self.ask(get("/around/stream"))
        self.assertEqual((streamed.status, len(streamed.body)), (200, 10_000))
        self.assertIsNone(field(streamed, "x-around"))  # Its head had left by then.
        body = b"x" * 100_000
        head = f"POST /around/count HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
        counted = self.ask(head.encode() + body)
        self.assertEqual((counted.body, field(counted, "x-around")), (b"100000", "200"))

    def test_expect_100_continue_of_a_path_without_a_route(self) -> None:
        head = "Host: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        self.assertEqual(self.ask("POST /none HTTP/1.1\r\n" + head).status, 404)


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class CurlTest(MiddlewareTest):
    def curl(self, path: str, *arguments: str) -> str:
        url = "http://127.0.0.1:%d%s" % (self.server.address[1], path)
        done = subprocess.run(
            ["curl", "-sS", "-i", "--max-time", "20", *arguments, url], capture_output=True, check=True
        )
        return done.stdout.decode()

    def test_basic_authentication(self) -> None:
        self.assertIn(" 401 ", self.curl("/admin"))
        self.assertIn("\r\nWWW-Authenticate: Basic realm=\"admin\"", self.curl("/admin"))
        self.assertIn(" 401 ", self.curl("/admin", "-u", "ada:wrong"))
        self.assertTrue(self.curl("/admin", "-u", "ada:lovelace").endswith("\r\n\r\nsecret"))

    def test_cors(self) -> None:
        preflight = self.curl(
            "/api/items", "-X", "OPTIONS", "-H", "Origin: https://page.example", "-H", "Access-Control-Request-Method: GET"
        )
        self.assertIn(" 204 ", preflight)
        self.assertIn("\r\nAccess-Control-Allow-Origin: https://page.example\r\n", preflight)
        self.assertNotIn("Allow-Origin", self.curl("/api/items", "-H", "Origin: https://evil.example"))
        self.assertIn("Allow-Origin", self.curl("/api/items", "-H", "Origin: https://page.example"))

    def test_hosts(self) -> None:
        for host, body in (("other.test", "other"), ("OTHER.test:81", "other"), ("x.other.test", "below"), ("a", "Hello world!")):
            self.assertTrue(self.curl("/", "-H", f"Host: {host}").endswith("\r\n\r\n" + body), host)
        self.assertIn(" 404 ", self.curl("/fixed", "-H", "Host: other.test"))
        self.assertIn("nosniff", self.curl("/fixed", "-H", "Host: other.test"))

    def test_a_large_body_is_refused_before_it_is_sent(self) -> None:
        path = self.directory / "large"
        path.write_bytes(b"x" * 2_000_000)
        for target in ("/small", "/small-parts"):
            refused = self.curl(target, "--data-binary", f"@{path}", "-H", "Expect: 100-continue")
            self.assertIn(" 413 ", refused)
            self.assertNotIn("100 Continue", refused)
            self.assertIn(" 413 ", self.curl(target, "--data-binary", "12345678901"))
            self.assertIn(" 413 ", self.curl(target, "--data-binary", "12345678901", "-H", "Transfer-Encoding: chunked"))
        self.assertTrue(self.curl("/small", "--data-binary", "1234567890").endswith("\r\n\r\n1234567890"))
        self.assertTrue(self.curl("/small-parts", "--data-binary", "1234567890").endswith("\r\n\r\n10"))


class LimitsTest(MiddlewareTest):
    def test_rate_limit(self) -> None:
        statuses = [self.ask(get("/limited")).status for _ in range(2)]
        self.assertEqual(statuses, [200, 200])
        refused = self.ask(get("/limited"))
        self.assertEqual(refused.status, 429)
        self.assertGreater(int(field(refused, "retry-after") or 0), 50)
        self.assertEqual(self.ask(get("/")).status, 200)

    def test_a_late_coroutine_is_answered_with_503(self) -> None:
        client = self.connect(self.server)
        client.send(get("/late") + get("/"))
        client.receive_until(lambda: len(client.reader.responses) == 2, 10)
        late, next_one = client.reader.responses
        self.assertEqual((late.status, field(late, "x-content-type-options")), (503, NOSNIFF))
        self.assertEqual(next_one.body, b"Hello world!")

    def test_a_late_stream_is_cut(self) -> None:
        client = self.connect(self.server)
        client.send(get("/late-stream"))
        with self.assertRaisesRegex(AssertionError, "cut off"):  # Begun, and never complete.
            client.closed_within(10)


class AccessLogTest(MiddlewareTest):
    def test_each_request_has_its_line(self) -> None:
        kept = "GET /fixed?a=%22b HTTP/1.1\r\nHost: h:81\r\nUser-Agent: me\r\nReferer: r\r\nX-Request-Id: r-1\r\n\r\n"
        self.ask(kept)
        self.ask(get("/stream"))
        self.ask(get("/none"))
        self.ask(b"GET / HTTP/1.1\r\n\r\n")
        self.ask(get("/late"))
        fixed, stream, none, refused, late = self.logged(5)
        expected = {
            "status": 200, "bytes": 5, "remote": "127.0.0.1", "method": "GET", "target": "/fixed?a=%22b",
            "host": "h", "referer": "r", "agent": "me", "route": "/fixed", "id": "r-1",
        }  # fmt: skip
        self.assertEqual({key: fixed[key] for key in expected}, expected)
        self.assertEqual((stream["status"], stream["bytes"]), (200, 10_000))
        self.assertEqual((none["status"], none.get("route")), (404, None))
        self.assertEqual((refused["status"], refused.get("target")), (400, None))
        self.assertEqual(late["status"], 503)
        self.assertGreater(late["duration_us"], 90_000)

    def test_a_client_that_leaves_is_499(self) -> None:
        client = self.connect(self.server)
        client.send(get("/wait"))
        client.close()
        lines = self.logged(1)
        self.assertEqual((lines[0]["status"], lines[0]["bytes"]), (499, 0))

    def test_usr1_opens_it_again(self) -> None:
        self.ask(get("/"))
        self.logged(1)
        old = self.log.with_suffix(".old")
        self.log.rename(old)
        self.server.send(signal.SIGUSR1)
        self.assertTrue(eventually(self.log.exists, 10))
        self.ask(get("/fixed"))
        self.assertEqual(self.logged(1)[0]["target"], "/fixed")
        self.assertEqual(len(old.read_text().splitlines()), 1)

    def test_nothing_is_lost_at_the_end(self) -> None:
        client = self.connect(self.server)
        client.send(get("/") * 2000)
        client.receive_until(lambda: len(client.reader.responses) == 2000, 30)
        self.server.send(signal.SIGTERM)
        self.assertEqual(self.server.wait(10), 0)
        self.assertEqual(len(self.lines()), 2000)


class BadLogTest(IntegrationTest):
    def test_a_full_disk_does_not_hurt(self) -> None:
        server = self.start("middleware", environment={**os.environ, "MIDDLEWARE_LOG": "/dev/full"})
        client = self.connect(server)
        for _ in range(3):
            self.assertEqual(client.ask(get("/")).body, b"Hello world!")


FILE = """
[access_log]
path = "access.log"
[headers]
X-Served-By = "one"
[[route]]
path = "/static/*"
files = "public"
headers = { Cache-Control = "max-age=60" }
[[route]]
path = "/limited"
respond = { body = "let in" }
rate_limit = { per_second = 0.01, burst = 1 }
[[route]]
path = "/"
respond = { body = "other" }
hosts = ["other.test", "*.other.test"]
"""


class FileTest(IntegrationTest):
    """The same from the configuration file."""

    def test_it_stands_around_the_routes_of_the_file(self) -> None:
        self.write("public/a.txt", "text")
        server = self.start("engine", "--cores", "1", config=FILE)
        client = self.connect(server)
        static = client.ask(get("/static/a.txt"))
        self.assertEqual((static.body, field(static, "cache-control")), (b"text", "max-age=60"))
        self.assertEqual(field(static, "x-served-by"), "one")
        self.assertEqual([client.ask(get("/limited")).status for _ in range(2)], [200, 429])
        self.assertEqual(client.ask("GET / HTTP/1.1\r\nHost: x.other.test\r\n\r\n").body, b"other")
        self.assertEqual(client.ask(get("/")).status, 404)
        self.assertTrue(eventually(lambda: len((self.directory / "access.log").read_text().splitlines()) == 5, 10))
        line = (self.directory / "access.log").read_text().splitlines()[0]
        self.assertRegex(line, r'^127\.0\.0\.1 - - \[.*\] "GET /static/a\.txt HTTP/1\.1" 200 4 "-" "-"$')

    def test_a_log_that_cannot_be_opened_is_told(self) -> None:
        config = self.write("bad.toml", '[access_log]\npath = "/nowhere/log"\n')
        done = subprocess.run(
            [os.environ["ENGINE_BINARY"], "--config", str(config), "--listen", "127.0.0.1:0"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertIn("the access log /nowhere/log cannot be opened (No such file or directory)", done.stderr)


if __name__ == "__main__":
    main()
