#!/usr/bin/env python3
"""uploads_test.py: apps/uploads by clients we did not write: curl -F, and Python's http.client and urllib."""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from harness import SANITIZED, Client, IntegrationTest, eventually, field, get, main, rss_kib

BOUNDARY = "XX"


def part(parameters: str, data: bytes, lines: str = "") -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {parameters}\r\n{lines}\r\n"
    return head.encode() + data + b"\r\n"


def post(body: bytes, *fields: str, boundary: str = BOUNDARY, length: int | None = None) -> bytes:
    head = get("/", f"Content-Type: multipart/form-data; boundary={boundary}", *fields, method="POST")
    framing = "" if "Transfer-Encoding: chunked" in fields else f"Content-Length: {len(body) if length is None else length}\r\n"
    return head[:-2].encode() + f"{framing}\r\n".encode() + body


END = f"--{BOUNDARY}--\r\n".encode()


class UploadsCase(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.stored = self.directory / "stored"
        self.serve()

    def serve(self, stored: Path | None = None, **options: object) -> None:
        environment = {**os.environ, "UPLOADS_DIRECTORY": str(stored or self.stored)}
        self.server = self.start("uploads", environment=environment, **options)  # type: ignore[arg-type]
        self.url = "http://%s:%d/" % self.server.address[:2]

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.stored.iterdir()}

    def curl(self, *arguments: str) -> str:
        command = ["curl", "-sS", "--max-time", "60", *arguments, self.url]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def refused(self, data: bytes) -> tuple[int, str]:
        response = self.connect(self.server).ask(data)
        self.assertEqual(self.files(), {})
        return response.status, response.body.decode()


class UploadsTest(UploadsCase):
    def test_curl_uploads_and_fetches(self) -> None:
        content = os.urandom(3_000_000)
        (self.directory / "a b.bin").write_bytes(content)
        self.write("text.txt", "hello\n")
        page = self.curl(
            "-L", "-F", f"file=@{self.directory / 'a b.bin'}", "-F", "note=passed over",
            "-F", f"file=@{self.directory / 'text.txt'};type=text/plain;filename=J\u00f6rg.txt",
        )  # fmt: skip
        self.assertEqual(self.files(), {"a b.bin": content, "J\u00f6rg.txt": b"hello\n"})
        self.assertIn('href="/files/a%20b.bin">a b.bin</a><small>2.9 MiB', page)
        fetched = urllib.request.urlopen(self.url + "files/J%C3%B6rg.txt", timeout=10)
        self.assertEqual(fetched.read(), b"hello\n")
        self.assertEqual(
            fetched.headers["Content-Disposition"], "attachment; filename=\"J_rg.txt\"; filename*=UTF-8''J%C3%B6rg.txt"
        )
        self.assertEqual(urllib.request.urlopen(self.url + "files/a%20b.bin", timeout=10).read(), content)

    def test_a_large_upload_costs_little_memory(self) -> None:
        pieces = [os.urandom(1_000_000) for _ in range(4)]
        before, count = rss_kib(self.server.pid), 120

        def body():
            yield part('name="file"; filename="large"', b"")[:-2]
            for number in range(count):
                yield pieces[number % 4]
            yield b"\r\n" + END

        connection = http.client.HTTPConnection(*self.server.address[:2], timeout=60)
        self.addCleanup(connection.close)
        connection.request(
            "POST", "/", body(), {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, encode_chunked=True
        )
        self.assertEqual(connection.getresponse().status, 303)
        if not SANITIZED:
            self.assertLess(rss_kib(self.server.pid) - before, 16 * 1024)
        want = hashlib.sha256(b"".join(pieces[number % 4] for number in range(count)))
        self.assertEqual(hashlib.sha256((self.stored / "large").read_bytes()).digest(), want.digest())

    def test_names_that_would_leave_the_directory(self) -> None:
        names = ["../../evil", "/etc/evil", r"..\\..\\evil", r"C:\\dir\\evil", "..", ".hidden", "a%2F..%2Fb", "same", "same"]
        body = b"".join(part(f'name="file"; filename="{name}"', b"x") for name in names) + END
        self.assertEqual(self.connect(self.server).ask(post(body)).status, 303)
        self.assertEqual(
            sorted(self.files()),
            sorted(["evil", "evil-2", "evil-3", "evil-4", "file", "hidden", "a%2F..%2Fb", "same", "same-2"]),
        )
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["millrace.toml", "stored"])
        for path in ("..%2Fmillrace.toml", "%2e%2e%2fmillrace.toml", ".hidden", "missing", "..%5Cmillrace.toml"):
            self.assertEqual(self.connect(self.server).ask(get(f"/files/{path}")).status, 404, path)

    def test_a_filename_that_is_script(self) -> None:
        name = "<img src=x onerror=alert(1)>&"
        self.connect(self.server).ask(post(part(f'name="file"; filename="{name}"', b"x") + END))
        page = self.curl()
        self.assertNotIn("<img", page)
        self.assertIn("_img src=x onerror=alert(1)_&amp;", page)

    def test_no_file_chosen(self) -> None:
        response = self.connect(self.server).ask(post(part('name="file"; filename=""', b"") + END))
        self.assertEqual((response.status, self.files()), (303, {}))

    def test_what_is_refused(self) -> None:
        good = part('name="file"; filename="a"', b"data")
        nul = part('name="file"; filename="a\0b"', b"x") + END
        split = part('name="file"; filename="a\r\nX: b"', b"x") + END
        bomb = part('name="file"; filename="a"', b"x", "X: " + "x" * 10_000 + "\r\n") + END
        cases = [
            (post(good), 400, "the closing boundary is missing"),
            (post(b""), 400, "the closing boundary is missing"),
            (post(nul), 400, "a line in the head of a part is malformed"),
            (post(split), 400, "the Content-Disposition of a part is malformed"),
            (post(bomb), 413, "the head of a part is too large"),
            (post(part('name="a"', b"") * 1_001 + END), 413, "it has too many parts"),
            (post(good + END, boundary=""), 400, "the boundary of the Content-Type is missing or not valid"),
            (post(good + END, boundary="x" * 71), 400, "the boundary of the Content-Type is missing or not valid"),
        ]
        for data, status, reason in cases:
            self.assertEqual(self.refused(data), (status, f"form: {reason}"))
        response = self.connect(self.server).ask(get("/", "Content-Type: text/plain", method="POST", body="x"))
        self.assertEqual(response.status, 415)

    def test_a_million_parts(self) -> None:
        one = part('name="a"', b"")
        client = self.connect(self.server)
        try:
            client.send(post(b"", length=len(one) * 1_000_000 + len(END)))
            for _ in range(100):
                client.send(one * 10_000)
        except ConnectionError:
            pass  # It has been answered by now, and closed.
        response = client.response()
        assert response is not None
        self.assertEqual((response.status, response.body), (413, b"form: it has too many parts"))
        self.assertEqual(self.connect(self.server).ask(get()).status, 200)

    def test_a_body_shorter_than_declared(self) -> None:
        body = part('name="file"; filename="a"', b"data") + END
        client = self.connect(self.server)
        client.send(post(body, length=len(body) + 100))
        client.sock.shutdown(1)
        self.assertTrue(client.closed_within(10))
        self.assertEqual([response.status for response in client.reader.responses if response.status < 400], [])
        client = Client(self.server.address)
        client.send(post(body, length=len(body) + 100))
        client.reset()
        self.assertEqual(self.connect(self.server).ask(get()).status, 200)
        self.assertTrue(eventually(lambda: descriptors_of_stored(self.server.pid, self.stored) == 0))

    def test_a_body_longer_than_declared(self) -> None:
        body = part('name="file"; filename="a"', b"data") + END
        client = self.connect(self.server)
        client.send(post(body + b"GARBAGE\r\n\r\n", length=len(body)))
        first, second = client.response(), client.response()
        assert first is not None and second is not None
        self.assertEqual((first.status, second.status), (303, 400))

    def test_a_body_past_the_limit(self) -> None:
        client = self.connect(self.server)
        client.send(post(part('name="file"; filename="a"', b""), length=2_000_000_000))
        response = client.response()
        assert response is not None
        self.assertEqual(response.status, 413)
        self.assertEqual(self.files(), {})

    def test_an_upload_that_is_cut_leaves_nothing(self) -> None:
        client = Client(self.server.address)
        client.send(post(part('name="file"; filename="a"', b"x" * 200_000), length=500_000))
        self.assertTrue(eventually(lambda: descriptors_of_stored(self.server.pid, self.stored) > 0))
        client.reset()
        self.assertTrue(eventually(lambda: descriptors_of_stored(self.server.pid, self.stored) == 0))
        self.assertEqual(self.files(), {})

    def test_a_directory_that_cannot_be_written(self) -> None:
        environment = {**os.environ, "UPLOADS_DIRECTORY": "/proc/uploads"}
        command = [os.environ["UPLOADS_BINARY"]]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=10, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "the directory /proc/uploads cannot be made or written to")


class PartsTest(IntegrationTest):
    """The handler /parts of the test application: what it reads of each part, in pieces of any size."""

    def setUp(self) -> None:
        super().setUp()
        self.client = self.connect(self.start("app"))

    def ask(self, body: bytes) -> tuple[int, bytes]:
        request = post(body).replace(b"POST / ", b"POST /parts ", 1)
        response = self.client.ask(request)
        return response.status, response.body

    def test_parts_that_are_read_and_passed_over(self) -> None:
        body = (
            part('name="text"', b"0123456789") + part('name="skip"', b"x" * 100_000)
            + part('name="pieces"', b"y" * 100_000) + part('name="first"', b"z" * 100_000) + part('name="text"', b"") + END
        )  # fmt: skip
        want = b"text=0123456789 skip pieces=100000 first text= "
        self.assertEqual(self.ask(body), (200, want))
        self.assertEqual(self.ask(body + b"an epilogue"), (200, want))  # On the same connection.

    def test_a_field_past_what_the_handler_takes(self) -> None:
        self.assertEqual(self.ask(part('name="text"', b"0123456789a") + END), (413, b"form: a field is too large"))

    def test_byte_by_byte(self) -> None:
        for byte in post(part('name="text"', b"\r\n--X") + END).replace(b"POST / ", b"POST /parts ", 1):
            self.client.send(bytes([byte]))
        response = self.client.response()
        assert response is not None
        self.assertEqual((response.status, response.body), (200, b"text=\r\n--X "))


class FullDiskTest(UploadsCase):
    """The directory is a filesystem of 64 KiB, in a mount namespace of its own."""

    def serve(self, stored: Path | None = None, **options: object) -> None:
        self.stored.mkdir()
        mount = f'mount -t tmpfs -o size=64k none {self.stored} && exec "$@"'
        prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh")
        probe = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            self.skipTest(f"no mount namespace here: {probe.stderr.strip()}")
        super().serve(prefix=prefix)

    def test_a_full_disk_is_507(self) -> None:
        body = part('name="file"; filename="a"', b"x" * 200_000) + END
        response = self.connect(self.server).ask(post(body))
        self.assertEqual(response.status, 507)
        self.assertEqual(response.body, b"the upload cannot be stored: No space left on device\n")
        small = self.connect(self.server).ask(post(part('name="file"; filename="a"', b"x" * 1_000) + END))
        self.assertEqual(small.status, 303)  # What did not fit is gone.


def descriptors_of_stored(pid: int, directory: Path) -> int:
    """How many files of the directory the process has open, with a name or without."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            count += os.readlink(link).startswith(f"{directory}/")
        except OSError:
            continue
    return count


if __name__ == "__main__":
    main()
