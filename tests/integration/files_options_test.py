#!/usr/bin/env python3
"""files_options_test.py: a directory served with its options, asked by curl and by Python's own clients."""

from __future__ import annotations

import email
import gzip
import html.parser
import os
import shutil
import subprocess
import unittest
import urllib.parse
from email.message import Message

from harness import Client, IntegrationTest, eventually, field, get, main, rss_kib
from response import Response

SCRIPT = "export const text = 'abc';\n" * 40
CONFIG = """[[route]]
path = "/*"
files = "{root}"
listing = true
cache_control = [
  {{ match = "assets/*", value = "public, max-age=31536000, immutable" }},
  {{ match = "*.html", value = "no-cache" }},
]
types = {{ weird = "application/x-weird" }}

[[route]]
path = "/app/*"
files = "{root}/app"
fallback = "index.html"
cache_bytes = 0
"""


class Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links.append(dict(attrs)["href"] or "")


class FilesOptionsTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.directory / "public"
        self.write("public/assets/code.js", SCRIPT)
        (self.root / "assets/code.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
        self.write("public/page.html", "<p>page")
        self.write("public/a.weird", "w")
        self.write("public/app/index.html", "application")
        self.write("secret.txt", "secret")
        self.server = self.start("engine", config=CONFIG.format(root=self.root))
        self.client = self.connect(self.server)
        self.url = "http://127.0.0.1:%d" % self.server.address[1]

    def ask(self, path: str, *fields: str, method: str = "GET") -> Response:
        return self.client.ask(get(path, *fields, method=method))

    def curl(self, *arguments: str) -> bytes:
        command = ["curl", "-sS", "--max-time", "30", *arguments]
        return subprocess.run(command, capture_output=True, check=True).stdout

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_takes_the_compressed_form(self) -> None:
        raw = self.curl("-H", "Accept-Encoding: gzip", f"{self.url}/assets/code.js")
        self.assertEqual(gzip.decompress(raw).decode(), SCRIPT)
        self.assertEqual(self.curl("--compressed", f"{self.url}/assets/code.js").decode(), SCRIPT)
        self.assertEqual(self.curl(f"{self.url}/assets/code.js").decode(), SCRIPT)
        head = self.curl("--compressed", "-I", f"{self.url}/assets/code.js").decode().lower()
        self.assertIn("content-encoding: gzip", head)
        self.assertIn("vary: accept-encoding", head)
        self.assertIn("content-type: text/javascript", head)

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_asks_for_several_ranges(self) -> None:
        answer = self.curl("-i", "-r", "0-3,10-12,-2", f"{self.url}/assets/code.js")
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertIn(b"206", head.split(b"\r\n")[0])
        message = email.message_from_bytes(head.split(b"\r\n", 1)[1] + b"\r\n\r\n" + body)
        self.assertEqual(message.get_content_type(), "multipart/byteranges")
        self.assertNotIn("Content-Range", message)
        self.assertEqual(int(message["Content-Length"]), len(body))
        parts = message.get_payload()
        assert isinstance(parts, list)
        found = [(part["Content-Range"], part.get_payload()) for part in parts if isinstance(part, Message)]
        size = len(SCRIPT)
        self.assertEqual(
            found,
            [
                (f"bytes 0-3/{size}", SCRIPT[:4]),
                (f"bytes 10-12/{size}", SCRIPT[10:13]),
                (f"bytes {size - 2}-{size - 1}/{size}", SCRIPT[-2:]),
            ],
        )

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_resumes(self) -> None:
        data = os.urandom(3_000_000)
        (self.root / "big.bin").write_bytes(data)
        part = self.directory / "part"
        part.write_bytes(data[:1_234_567])
        self.curl("-C", "-", "-o", str(part), f"{self.url}/big.bin")
        self.assertEqual(part.read_bytes(), data)

    def test_cache_control_and_types(self) -> None:
        self.assertEqual(
            field(self.ask("/assets/code.js"), "cache-control"), "public, max-age=31536000, immutable"
        )
        self.assertEqual(field(self.ask("/page.html"), "cache-control"), "no-cache")
        self.assertIsNone(field(self.ask("/a.weird"), "cache-control"))
        self.assertEqual(field(self.ask("/a.weird"), "content-type"), "application/x-weird")

    def test_fallback(self) -> None:
        for path in ("/app/", "/app/users/7", "/app/x/y/"):
            self.assertEqual(self.ask(path).body, b"application", path)
        for path in ("/app/missing.js", "/app/%2e%2e/page.html", "/app/.x", "/app/a%2fb", "/app/%252e%252e/x.y"):
            self.assertEqual(self.ask(path).status, 404, path)

    def test_every_link_of_a_listing_leads_to_its_file(self) -> None:
        names = ["plain.txt", "a b.txt", "<i>&'\".txt", "50%.txt", "a?b#c.txt", "c:d", "ü.txt", "javascript:x", "~x"]
        for name in names:
            self.write(f"public/odd/{name}", f"this is {name}")
        raw = os.fsencode(self.root / "odd") + b"/latin-\xe9\n.txt"
        with open(raw, "wb") as file:
            file.write(b"latin")
        os.mkfifo(self.root / "odd" / "fifo")
        (self.root / "odd" / "leak").symlink_to(self.directory / "secret.txt")
        page = self.ask("/odd/")
        self.assertEqual((page.status, field(page, "content-type")), (200, "text/html; charset=utf-8"))
        self.assertNotIn(b"<i>", page.body)
        links = Links()
        links.feed(page.body.decode("utf-8", "replace"))
        bodies = set()
        for link in links.links:
            target = urllib.parse.urljoin("/odd/", link)
            self.assertTrue(target.startswith("/"), link)
            if target == "/":
                continue
            answer = self.ask(target)
            self.assertEqual(answer.status, 200, link)
            bodies.add(answer.body.decode())
        self.assertEqual(bodies, {f"this is {name}" for name in names} | {"latin"})
        self.assertIn("../", links.links)

    def test_what_leaves_the_root_is_not_there(self) -> None:
        (self.root / "link").symlink_to("../secret.txt")
        (self.root / "dir").symlink_to(self.directory)
        for path in (
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/.%2e/secret.txt",
            "/%252e%252e/secret.txt",
            "/..%2fsecret.txt",
            "/..%252fsecret.txt",
            "/..%5csecret.txt",
            "/assets/../../secret.txt",
            "/assets/..;/secret.txt",
            "/link",
            "/dir/secret.txt",
            "/dir/",
            "//etc/passwd",
            "/%2fetc/passwd",
            "/....//secret.txt",
            "/%c0%ae%c0%ae/secret.txt",
            "/assets/code.js/..",
            "/assets/.",
        ):
            self.assertEqual(self.ask(path).status, 404, path)
        # A NUL is refused before there is a name.
        self.assertIn(self.ask("/assets/code.js%00.html").status, (400, 404))

    def test_unreadable(self) -> None:
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        self.write("public/closed.txt", "x").chmod(0)
        self.assertEqual(self.ask("/closed.txt").status, 403)

    def test_a_slow_reader_of_a_large_file_costs_no_memory(self) -> None:
        size = 100 << 20
        with open(self.root / "huge.bin", "wb") as file:
            file.truncate(size)
        self.ask("/page.html")
        before = rss_kib(self.server.process.pid)
        slow = [Client(self.server.address, receive_buffer=4096) for _ in range(8)]
        for client in slow:
            self.addCleanup(client.close)
            client.send(get("/huge.bin"))
        for client in slow:
            self.assertEqual(client.sock.recv(9), b"HTTP/1.1 ")
        for _ in range(20):
            self.assertEqual(self.ask("/page.html").status, 200)
        self.assertLess(rss_kib(self.server.process.pid) - before, 16 * 1024)
        whole = int(self.curl("-o", os.devnull, "-w", "%{size_download}", f"{self.url}/huge.bin"))
        self.assertEqual(whole, size)

    def cut(self, name: str, size: int, change: str) -> tuple[int, bool]:
        """Bytes of the body that came, and whether they were the file's, where it changes after the head."""
        path = self.root / name
        path.write_bytes(b"x" * size)
        client = Client(self.server.address, receive_buffer=65_536)
        self.addCleanup(client.close)
        client.send(get(f"/{name}"))
        self.assertEqual(client.sock.recv(9), b"HTTP/1.1 ")
        if change == "truncate":
            os.truncate(path, size // 2)
        elif change == "rewrite":
            path.write_bytes(b"y" * size)
        else:
            (self.root / "new").write_bytes(b"z" * (size // 3))
            os.rename(self.root / "new", path)
        received = bytearray()
        body_at = 0
        try:
            while not body_at or len(received) < body_at + size:
                data = client.sock.recv(1 << 20)
                if not data:
                    break
                received += data
                body_at = received.find(b"\r\n\r\n", 0, 4096) + 4
        except ConnectionError:
            pass
        body = received[body_at:]
        return len(body), body == b"x" * len(body)

    def test_a_file_that_changes_while_it_is_sent(self) -> None:
        size = 24 << 20  # More than any socket's buffers hold.
        length, _ = self.cut("shrinks.bin", size, "truncate")
        self.assertLess(length, size)
        length, _ = self.cut("rewritten.bin", size, "rewrite")
        self.assertLess(length, size)
        self.assertEqual(self.cut("replaced.bin", size, "replace"), (size, True))
        self.assertTrue(eventually(lambda: len(self.ask("/replaced.bin").body) == size // 3))


if __name__ == "__main__":
    main()
