#!/usr/bin/env python3
"""files_test.py: a directory served by the engine binary: what is found and hidden, conditions, ranges."""

from __future__ import annotations

import os
import random
import time
from email.utils import formatdate, parsedate_to_datetime

from harness import Client, IntegrationTest, field, get, main
from response import Response

TEXT = "0123456789" * 3
TYPES = {
    "page.html": "text/html",
    "style.css": "text/css",
    "code.js": "text/javascript",
    "data.json": "application/json",
    "note.txt": "text/plain",
    "image.png": "image/png",
    "image.svg": "image/svg+xml",
    "photo.jpg": "image/jpeg",
    "font.woff2": "font/woff2",
    "app.wasm": "application/wasm",
    "odd.unknown": "application/octet-stream",
    "none": "application/octet-stream",
}


class FilesTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.root = self.directory / "public"
        for name in TYPES:
            self.write(f"public/{name}", TEXT)
        self.write("public/index.html", "front")
        self.write("public/sub/index.html", "sub")
        self.write("public/empty/file.txt", "x")
        self.write("public/.secret", "hidden")
        self.write("public/.git/config", "hidden")
        self.write("outside.txt", "outside")
        (self.root / "out").symlink_to(self.directory / "outside.txt")
        (self.root / "up").symlink_to("../outside.txt")
        (self.root / "inside").symlink_to("note.txt")
        (self.root / "etc").symlink_to("/etc")
        os.mkfifo(self.root / "pipe")
        self.server = self.start("engine", config=f'[[route]]\npath = "/*"\nfiles = "{self.root}"\n')
        self.client = self.connect(self.server)

    def ask(self, path: str, *fields: str, method: str = "GET") -> Response:
        return self.client.ask(get(path, *fields, method=method))

    def test_types(self) -> None:
        for name, kind in TYPES.items():
            response = self.ask(f"/{name}")
            self.assertEqual((response.status, response.body.decode()), (200, TEXT), name)
            self.assertEqual((field(response, "content-type") or "").partition(";")[0], kind, name)

    def test_index(self) -> None:
        self.assertEqual(self.ask("/").body, b"front")
        self.assertEqual(self.ask("/sub/").body, b"sub")
        moved = self.ask("/sub")
        self.assertIn(moved.status, (301, 308))
        self.assertRegex(field(moved, "location") or "", "/sub/$")

    def test_what_is_not_there(self) -> None:  # Row 42; each keeps the connection.
        for path in (
            "/nope",
            "/empty/",
            "/../../etc/passwd",
            "/%2e%2e/outside.txt",
            "/sub/../../outside.txt",
            "/sub/%2e%2e/%2e%2e/outside.txt",
            "/sub%2findex.html",
            "/sub%2Findex.html",
            "/out",
            "/up",
            "/etc/passwd",
            "/.secret",
            "/%2esecret",
            "/.git/config",
            "/pipe",
            "/note.txt/",
            "/note.txt/x",
            "/%5c..%5coutside.txt",
            "/..%2foutside.txt",
            "//etc/passwd",
            "/a" * 600,
            "/" + "a" * 300,
        ):
            self.assertEqual(self.ask(path).status, 404, path)
        self.assertIn(self.ask("/empty").status, (301, 404))
        self.assertEqual(self.ask("/note%00.txt").status, 400)
        self.assertEqual(self.ask("/inside").body.decode(), TEXT)
        self.assertEqual(self.ask("/no%74e.txt?x=1").body.decode(), TEXT)

    def test_methods(self) -> None:
        client = Client(self.server.address, ("HEAD", "GET"))
        self.addCleanup(client.close)
        head, whole = client.ask(get("/note.txt", method="HEAD")), client.ask(get("/note.txt"))
        self.assertEqual(head.head(), whole.head())
        posted = self.ask("/note.txt", method="POST")
        self.assertEqual(posted.status, 405)
        self.assertRegex(field(posted, "allow") or "", r"GET, HEAD")

    def test_if_none_match(self) -> None:  # Row 165.
        whole = self.ask("/note.txt")
        tag = field(whole, "etag") or ""
        self.assertRegex(tag, r'^(W/)?"[!#-~]+"$')
        for value in ("*", tag, f'"a", {tag}, "b"', "W/" + tag.removeprefix("W/")):
            response = self.ask("/note.txt", f"If-None-Match: {value}")
            self.assertEqual(
                (response.status, response.body, field(response, "etag")), (304, b"", tag), value
            )
        # It beats the date (RFC 9110 section 13.1.3).
        self.assertEqual(
            self.ask(
                "/note.txt", 'If-None-Match: "a"', f"If-Modified-Since: {field(whole, 'last-modified')}"
            ).status,
            200,
        )

    def test_if_modified_since(self) -> None:  # Row 166.
        modified = field(self.ask("/note.txt"), "last-modified") or ""
        seconds = parsedate_to_datetime(modified).timestamp()
        self.assertEqual(self.ask("/note.txt", f"If-Modified-Since: {modified}").status, 304)
        self.assertEqual(
            self.ask("/note.txt", f"If-Modified-Since: {formatdate(seconds - 5, usegmt=True)}").status, 200
        )
        for value in (
            "yesterday",
            "Thu, 32 Jan 2026 00:00:00 GMT",
            "",
            formatdate(time.time() + 86400, usegmt=True),
        ):
            self.assertEqual(self.ask("/note.txt", f"If-Modified-Since: {value}").status, 200, value)

    def test_a_changed_file_has_another_tag(self) -> None:
        before = field(self.ask("/note.txt"), "etag")
        self.write("public/note.txt", "new")
        # What is cached is looked at once a second: asked often enough, the old one ends.
        after = self.ask("/note.txt", f"If-None-Match: {before}")
        deadline = time.monotonic() + 30
        while after.status == 304 and time.monotonic() < deadline:
            time.sleep(0.05)
            after = self.ask("/note.txt", f"If-None-Match: {before}")
        self.assertEqual((after.status, after.body), (200, b"new"))

    def test_ranges(self) -> None:  # Row 160.
        size = len(TEXT)
        for value, first, last in (
            ("0-0", 0, 0),
            ("-1", size - 1, size - 1),
            ("5-", 5, size - 1),
            ("2-4", 2, 4),
            ("5-999", 5, size - 1),
            ("-999", 0, size - 1),
        ):
            response = self.ask("/note.txt", f"Range: bytes={value}")
            self.assertEqual(
                (response.status, response.body.decode(), field(response, "content-range")),
                (206, TEXT[first : last + 1], f"bytes {first}-{last}/{size}"),
                value,
            )

    def test_ranges_past_the_end(self) -> None:  # Row 161.
        for value in ("999999-", f"{len(TEXT)}-", "-0"):
            response = self.ask("/note.txt", f"Range: bytes={value}")
            self.assertEqual(
                (response.status, field(response, "content-range")), (416, f"bytes */{len(TEXT)}"), value
            )

    def test_ranges_that_are_none(self) -> None:  # Rows 162 and 163.
        many = ",".join(f"{at % 10}-{at % 10 + 9}" for at in range(1000))
        for value in (
            "bytes=5-2",
            "items=0-1",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes 0-1",
            f"bytes={many}",
            "bytes=0x1-",
            "bytes=99999999999999999999999-",
            "bytes=-5-",
        ):
            response = self.ask("/note.txt", f"Range: {value}")
            wanted = (200, 416) if "9999" in value else (200,)
            self.assertIn(response.status, wanted, value[:40])

    def test_if_range(self) -> None:  # Row 164.
        whole = self.ask("/note.txt")
        tag, modified = field(whole, "etag"), field(whole, "last-modified")
        self.assertEqual(self.ask("/note.txt", "Range: bytes=0-1", 'If-Range: "other"').status, 200)
        self.assertEqual(
            self.ask("/note.txt", "Range: bytes=0-1", "If-Range: Thu, 01 Jan 1970 00:00:00 GMT").status, 200
        )
        if tag and not tag.startswith("W/"):
            self.assertEqual(self.ask("/note.txt", "Range: bytes=0-1", f"If-Range: {tag}").status, 206)
        self.assertIn(self.ask("/note.txt", "Range: bytes=0-1", f"If-Range: {modified}").status, (200, 206))

    def test_large_files_come_whole(self) -> None:
        data = random.Random(3).randbytes(5_000_011)
        (self.root / "large.bin").write_bytes(data)
        self.client.send(get("/large.bin") + get("/large.bin", "Range: bytes=4000000-") + get("/note.txt"))
        whole, part, after = (self.client.response(30) for _ in range(3))
        assert whole and part and after
        self.assertEqual(whole.body, data)
        self.assertEqual(part.body, data[4_000_000:])
        self.assertEqual(after.body.decode(), TEXT)


if __name__ == "__main__":
    main()
