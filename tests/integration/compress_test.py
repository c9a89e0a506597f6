#!/usr/bin/env python3
"""compress_test.py: mr::compress() on the wire, decoded by curl, by Python's zlib, and by the tools brotli and zstd."""

from __future__ import annotations

import shutil
import subprocess
import zlib

from harness import Client, IntegrationTest, field, get, main
from response import Response

TOOLS = {"gzip": ["gzip", "-dc"], "br": ["brotli", "-dc"], "zstd": ["zstd", "-dcq"]}


def lines(count: int) -> bytes:
    return b"".join(b"line %d\n" % line for line in range(count))


def decode(coding: str, data: bytes) -> bytes:
    return subprocess.run(TOOLS[coding], input=data, capture_output=True, check=True).stdout


class CompressTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("app")
        self.url = "http://%s:%d/compressed" % self.server.address[:2]
        self.client = self.connect(self.server)

    def ask(self, path: str, accept: str = "gzip", *fields: str, client: Client | None = None) -> Response:
        accepted = [f"Accept-Encoding: {accept}"] if accept else []
        return (client or self.client).ask(get(f"/compressed{path}", *accepted, *fields))

    def coding(self, path: str, accept: str = "gzip", *fields: str) -> str | None:
        return field(self.ask(path, accept, *fields), "content-encoding")

    def codings(self) -> list[str]:
        """Those that the engine was built with and a tool decodes; gzip at least."""
        built = [coding for coding in TOOLS if self.coding("/lines/1000", coding) == coding and shutil.which(TOOLS[coding][0])]
        self.assertIn("gzip", built)
        print(f"codings tried: {', '.join(built)}", flush=True)
        return built

    def test_every_coding_in_memory_and_streamed(self) -> None:
        for coding in self.codings():
            for path in ("/lines/5000", "/lines/5000", "/stream/5000/0"):
                response = self.ask(path, coding)
                self.assertEqual((response.status, field(response, "content-encoding")), (200, coding))
                self.assertEqual(decode(coding, response.body), lines(5000), f"{coding} {path}")
            self.assertLess(len(self.ask("/lines/5000", coding).body), len(lines(5000)) // 2)

    def test_curl(self) -> None:
        for path in ("/lines/2000", "/stream/2000/0"):
            head = self.directory / "head"
            command = ["curl", "-sS", "--compressed", "--max-time", "20", "-D", str(head), self.url + path]
            done = subprocess.run(command, capture_output=True, check=True)
            self.assertEqual(done.stdout, lines(2000))
            self.assertRegex(head.read_bytes().lower(), rb"content-encoding: (gzip|br|zstd)")

    def test_what_the_client_likes(self) -> None:
        self.assertEqual(self.coding("/lines/1000", "gzip;q=0.1"), "gzip")
        for accept in ("", "identity", "gzip;q=0", "gzip;q=0.5, identity;q=0.6", "deflate, compress"):
            response = self.ask("/lines/1000", accept)
            self.assertEqual((field(response, "content-encoding"), response.body), (None, lines(1000)), accept)
            self.assertEqual(field(response, "vary"), "Origin, Accept-Encoding")
            self.assertEqual(field(response, "etag"), '"strong"')

    def test_what_is_said_of_it(self) -> None:
        response = self.ask("/lines/1000")
        self.assertEqual(field(response, "etag"), 'W/"strong"')
        self.assertEqual(field(response, "vary"), "Origin, Accept-Encoding")
        self.assertEqual(int(field(response, "content-length") or -1), len(response.body))
        head = Client(self.server.address, ("HEAD",))
        self.addCleanup(head.close)
        head.send(get("/compressed/lines/1000", "Accept-Encoding: gzip", method="HEAD"))
        answer = head.response()
        assert answer is not None
        self.assertEqual(answer.head(), response.head())

    def test_what_stays_as_it_is(self) -> None:
        for path in (
            "/lines/10", "/png/1000", "/kept/Content-Encoding/br", "/kept/Cache-Control/no-transform",
            "/kept/Content-Digest/x", "/events", "/nope",
        ):  # fmt: skip
            self.assertIn(self.coding(path), (None, "br"), path)
        self.assertEqual(self.ask("/kept/Content-Encoding/br").body, lines(1000))
        self.assertIsNone(self.coding("/lines/1000", "gzip", "Cache-Control: no-transform"))
        self.assertEqual(field(self.ask("/png/1000"), "vary"), None)

    def test_each_part_of_a_stream_can_be_decoded_when_it_comes(self) -> None:
        client = self.connect(self.server)
        client.send(get("/compressed/stream/2/60000", "Accept-Encoding: gzip"))
        received = b""
        decoded = b""
        while decoded != b"line 0\n":  # The second line comes in a minute.
            data = client.sock.recv(65536)
            self.assertTrue(data)
            received += data
            _, end, chunks = received.partition(b"\r\n\r\n")
            decoder = zlib.decompressobj(31)
            decoded = b"".join(decoder.decompress(chunk) for chunk in whole_chunks(chunks)) if end else b""

    def test_a_stream_that_was_declared(self) -> None:
        self.assertEqual(decode("gzip", self.ask("/declared/5000/5000").body), b"x" * 5000)
        for bytes_, written in ((5000, 4999), (5000, 5001), (5000, 0)):
            client = self.connect(self.server)
            client.send(get(f"/compressed/declared/{bytes_}/{written}", "Accept-Encoding: gzip"))
            self.assertTrue(client.closed_within(10))
            self.assertEqual(client.reader.responses, [])  # Cut: nobody takes it for whole.
        self.assertEqual(self.client.ask(get()).status, 200)

    def test_trailers_and_pipelines(self) -> None:
        request = get("/compressed/stream/100/0", "Accept-Encoding: gzip") + get("/compressed/lines/1000", "Accept-Encoding: gzip")
        self.client.send(request * 20)
        for _ in range(20):
            stream, text = self.client.response(), self.client.response()
            assert stream is not None and text is not None
            self.assertEqual(decode("gzip", stream.body), lines(100))
            self.assertEqual(decode("gzip", text.body), lines(1000))

    def test_a_body_that_is_read_while_the_reply_is_streamed(self) -> None:
        body = lines(20_000).decode()
        for path in ("/echo-parts", "/echo-whole"):
            response = self.client.ask(get(f"/compressed{path}", "Accept-Encoding: gzip", method="POST", body=body))
            self.assertEqual(field(response, "content-encoding"), "gzip")
            self.assertEqual(decode("gzip", response.body), body.encode(), path)

    def test_http_1_0(self) -> None:
        client = self.connect(self.server)
        client.send(b"GET /compressed/stream/1000/0 HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
        response = client.response()
        assert response is not None
        self.assertEqual(decode("gzip", response.body), lines(1000))

    def test_a_client_that_leaves_and_one_that_is_slow(self) -> None:
        for _ in range(50):
            leaving = Client(self.server.address)
            leaving.send(get("/compressed/stream/100000/0", "Accept-Encoding: gzip"))
            leaving.sock.recv(100)
            leaving.reset()
        slow = Client(self.server.address, receive_buffer=32768)
        self.addCleanup(slow.close)
        slow.send(get("/compressed/stream/20000/0", "Accept-Encoding: gzip"))
        response = slow.response(60)
        assert response is not None
        self.assertEqual(decode("gzip", response.body), lines(20_000))


def whole_chunks(data: bytes) -> list[bytes]:
    chunks = []
    while b"\r\n" in data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0 or len(data) < length + 2:
            break
        chunks.append(data[:length])
        data = data[length + 2 :]
    return chunks


if __name__ == "__main__":
    main()
