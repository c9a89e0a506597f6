#!/usr/bin/env python3
"""around_test.py: what the file alone puts around routes: compress, cors, security_headers, auth, hsts; by curl."""

from __future__ import annotations

import shutil
import subprocess
import unittest

from harness import binary, main
from server import Server
from tls_support import TlsTest

ROUTES = """
[[route]]
path = "/long"
respond = { type = "text/html", body = "%s" }
[[route]]
path = "/font"
compress = { min = 10, types = ["font/*"] }
respond = { type = "font/woff", body = "%s" }
[[route]]
path = "/secret"
auth = { users = "users", realm = "Staff" }
respond = { body = "come in" }
[[route]]
path = "/own"
cors = { origins = ["https://partner.example"], methods = ["GET"], max_age = "1h" }
auth = { tokens = "tokens" }
respond = { body = "for partners" }
[[route]]
path = "/apart"
cors = false
respond = { body = "for no page" }
[[route]]
path = "/moved"
cors = { origins = ["*"] }
redirect = "/long"
[[route]]
path = "/token"
auth = { tokens = "tokens" }
respond = { body = "a machine" }
[[route]]
path = "/pages/*"
files = "pages"
""" % ("a" * 2000, "b" * 200)
AROUND = """
[compress]
types = ["text/*"]
[cors]
origins = ["https://page.example"]
credentials = true
[security_headers]
content_security_policy = "default-src 'self'"
frame_options = ""
"""


@unittest.skipUnless(shutil.which("curl"), "curl is not installed")
class AroundTest(TlsTest):
    def setUp(self) -> None:
        super().setUp()
        # Of no password that is tried here.
        bcrypt = "$2y$04$abcdefghijklmnopqrstuu5Lo0g67CiD3M4RpN1BmBb4Crp5w7dbK"
        self.write("users", f"# who may come in\n\nada:{self.sha512()}\nold:{bcrypt}\n")
        self.write("tokens", "0123456789abcdef\nfedcba9876543210\n")
        self.text = "".join(f"line {line}\n" for line in range(20_000))
        self.write("pages/large.txt", self.text)
        self.write("pages/large.bin", self.text)

    def sha512(self) -> str:
        command = ["openssl", "passwd", "-6", "open sesame"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def serve(self, tls: str = "") -> Server:
        return self.start_tls("engine", tls=tls, config='[server]\nlisten = ["127.0.0.1:0"]\n' + AROUND + ROUTES)

    def curl(self, server: Server, path: str, *flags: str, secure: bool = False) -> tuple[int, dict[str, str], bytes]:
        host, port = server.urls[1 if secure else 0][:2]
        head = self.directory / "head"
        scheme = "https" if secure else "http"
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "-D", str(head), "--cacert", str(self.authority.cert), *flags,
             f"{scheme}://{host}:{port}{path}"], capture_output=True, check=True,
        )  # fmt: skip
        lines = head.read_text(encoding="latin-1").strip().splitlines()
        fields: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.lower().partition(": ")
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
        return int(lines[0].split()[1]), fields, done.stdout

    def test_compress(self) -> None:
        server = self.serve()
        status, fields, body = self.curl(server, "/long", "-H", "Accept-Encoding: gzip", "--compressed")
        self.assertEqual((status, body), (200, b"a" * 2000))
        self.assertIn("content-encoding", fields)
        self.assertLess(int(fields["content-length"]), 1000)
        _, fields, body = self.curl(server, "/font", "--compressed")
        self.assertIn("content-encoding", fields)
        self.assertEqual(body, b"b" * 200)
        _, fields, _ = self.curl(server, "/long")
        self.assertNotIn("content-encoding", fields)
        self.assertIn("accept-encoding", fields["vary"])

    def test_compress_of_a_file_that_is_not_kept_in_memory(self) -> None:
        server = self.serve()
        for name, compressed in (("large.txt", True), ("large.bin", False)):
            status, fields, body = self.curl(server, f"/pages/{name}", "--compressed")
            self.assertEqual((status, body), (200, self.text.encode()), name)
            self.assertEqual("content-encoding" in fields, compressed, name)
            self.assertEqual(fields.get("content-length"), None if compressed else str(len(self.text)), name)
        _, fields, body = self.curl(server, "/pages/large.txt")
        self.assertEqual((fields["content-length"], body), (str(len(self.text)), self.text.encode()))

    def test_cors_and_security_headers(self) -> None:
        server = self.serve()
        _, fields, _ = self.curl(server, "/long", "-H", "Origin: https://page.example")
        self.assertEqual(fields["access-control-allow-origin"], "https://page.example")
        self.assertEqual(fields["access-control-allow-credentials"], "true")
        self.assertEqual(fields["content-security-policy"], "default-src 'self'")
        self.assertEqual(fields["x-content-type-options"], "nosniff")
        self.assertNotIn("x-frame-options", fields)
        _, fields, _ = self.curl(server, "/long", "-H", "Origin: https://other.example")
        self.assertNotIn("access-control-allow-origin", fields)
        preflight = ("-X", "OPTIONS", "-H", "Origin: https://page.example", "-H", "Access-Control-Request-Method: GET")
        status, fields, _ = self.curl(server, "/secret", *preflight)
        self.assertEqual((status, fields["access-control-max-age"]), (204, "600"))

    def test_cors_of_a_route(self) -> None:
        server = self.serve()
        page, partner = "https://page.example", "https://partner.example"

        def allowed(path: str, origin: str, *flags: str) -> tuple[int, str | None]:
            status, fields, _ = self.curl(server, path, "-H", f"Origin: {origin}", *flags)
            return status, fields.get("access-control-allow-origin")

        preflight = ("-X", "OPTIONS", "-H", "Access-Control-Request-Method: GET")
        token = ("-H", "Authorization: Bearer 0123456789abcdef")
        self.assertEqual(allowed("/own", partner, *token), (200, partner))
        self.assertEqual(allowed("/own", page, *token), (200, None))
        self.assertEqual(allowed("/own", partner), (401, partner))  # The page may see that a token is missing.
        self.assertEqual(allowed("/own", partner, *preflight), (204, partner))  # No preflight has a token.
        self.assertEqual(allowed("/own", page, *preflight), (204, None))
        _, fields, _ = self.curl(server, "/own", "-H", f"Origin: {partner}", *preflight)
        self.assertEqual((fields["access-control-allow-methods"], fields["access-control-max-age"]), ("get", "3600"))
        self.assertEqual(allowed("/apart", page), (200, None))
        self.assertEqual(allowed("/apart", page, *preflight), (204, None))
        self.assertEqual(allowed("/apart", page, "-X", "POST"), (405, None))
        self.assertEqual(allowed("/moved", partner), (301, "*"))
        self.assertEqual(allowed("/moved", partner, *preflight), (204, "*"))
        self.assertEqual(allowed("/long", page, *preflight), (204, page))
        self.assertEqual(allowed("/none", page), (404, page))

    def test_passwords(self) -> None:
        server = self.serve()
        for flags, want in (
            ((), 401),
            (("-u", "ada:open sesame"), 200),
            (("-u", "ada:open sesame"), 200),  # Known by its digest now.
            (("-u", "ada:open sesamE"), 401),
            (("-u", "nobody:open sesame"), 401),
            (("-u", "old:"), 401),
            (("-H", "Authorization: Basic !!!"), 401),
            # A password that ends before a zero byte is another one.
            (("-H", "Authorization: Basic YWRhOm9wZW4gc2VzYW1lAA=="), 401),
        ):
            status, fields, body = self.curl(server, "/secret", *flags)
            self.assertEqual(status, want, flags)
            self.assertEqual(body == b"come in", want == 200)
            if want == 401:
                self.assertEqual(fields["www-authenticate"], 'basic realm="staff", charset="utf-8"')

    @unittest.skipUnless(shutil.which("htpasswd"), "htpasswd is not installed")
    def test_a_file_of_htpasswd(self) -> None:
        command = ["htpasswd", "-cbB", "-C", "5", str(self.directory / "users"), "ada", "open sesame"]
        subprocess.run(command, capture_output=True, check=True)
        server = self.serve()
        self.assertEqual(self.curl(server, "/secret", "-u", "ada:open sesame")[0], 200)
        self.assertEqual(self.curl(server, "/secret", "-u", "ada:open")[0], 401)

    def test_tokens(self) -> None:
        server = self.serve()
        for token, want in (("fedcba9876543210", 200), ("0123456789abcdef", 200), ("fedcba987654321", 401), ("", 401)):
            self.assertEqual(self.curl(server, "/token", "-H", f"Authorization: Bearer {token}")[0], want)
        self.assertEqual(self.curl(server, "/token")[0], 401)

    def test_hsts_over_https_alone(self) -> None:
        server = self.serve(tls='hsts = "365d"')
        for path, want in (("/long", 200), ("/none", 404)):
            status, fields, _ = self.curl(server, path, secure=True)
            self.assertEqual((status, fields["strict-transport-security"]), (want, "max-age=31536000"))
            self.assertNotIn("strict-transport-security", self.curl(server, path)[1])
        self.assertNotIn("strict-transport-security", self.curl(self.serve(), "/long", secure=True)[1])

    def test_bad_files_are_told_before_anything_starts(self) -> None:
        route = '[[route]]\npath = "/"\nrespond = {}\nauth = { users = "u" }\n'
        for text, want in (
            (None, "u: cannot be read (No such file or directory)"),
            ("# nobody\n", "u: names nobody"),
            ("ada\n", "u:1: expected NAME:HASH, as `htpasswd -nB NAME` writes it"),
            ("\nada:$apr1$x$y\n", "u:2: the hash of ada is of no strong kind: make it by `htpasswd -nB ada`"),
            ("ada:open\n", "u:1: the hash of ada is of no strong kind"),
            (f"ada:{self.sha512()}\n" * 2, "u:2: ada is there twice"),
        ):
            if text is not None:
                self.write("u", text)
            config = self.write("bad.toml", route)
            done = subprocess.run(
                [binary("engine"), "check", "--config", str(config)], cwd=self.directory, capture_output=True,
                text=True, timeout=20,
            )  # fmt: skip
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"{config}:1: auth: {want}", done.stderr)


if __name__ == "__main__":
    main()
