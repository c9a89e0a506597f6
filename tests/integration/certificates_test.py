#!/usr/bin/env python3
"""certificates_test.py: whose certificate is shown, whose is asked for, what is resumed and reloaded, and what
is said of files that are no good."""

from __future__ import annotations

import http.client
import os
import signal
import ssl
import subprocess
import threading
import unittest
from pathlib import Path

from harness import binary, eventually, field, main
from tls_support import Authority, TlsTest


def shown(sock: ssl.SSLSocket) -> str:
    """The name the server's certificate is for."""
    return dict(part[0] for part in sock.getpeercert()["subject"])["commonName"]


class NamesTest(TlsTest):
    def test_a_certificate_for_each_name(self) -> None:
        for name, host in (("a", "a.example"), ("wild", "*.wild.example"), ("rsa", "rsa.example")):
            self.authority.make(name, host, rsa=name == "rsa")
        server = self.start_tls(
            "engine",
            tls="""cert = "localhost.pem"
            key = "localhost.key"
            certificates = [
              { cert = "a.pem", key = "a.key", hosts = ["a.example", "other.example"] },
              { cert = "wild.pem", key = "wild.key" },
              { cert = "rsa.pem", key = "rsa.key" },
            ]""",
        )
        context = self.context()
        context.check_hostname = False
        for name, want in (
            ("localhost", "localhost"),
            ("a.example", "a.example"),
            ("A.EXAMPLE", "a.example"),
            ("other.example", "a.example"),
            ("x.wild.example", "*.wild.example"),
            ("x.y.wild.example", "localhost"),
            ("rsa.example", "rsa.example"),
            ("unknown.example", "localhost"),
        ):
            self.assertEqual(shown(self.open(server, context, name=name)), want, name)
        plain = context.wrap_socket(self.connect(server).sock)  # No name at all.
        self.assertEqual(shown(plain), "localhost")

    def test_only_one_three(self) -> None:
        server = self.start_tls(tls='min_version = "1.3"')
        with self.assertRaises(ssl.SSLError):
            self.open(server, self.context(ssl.TLSVersion.TLSv1_2))
        self.assertEqual(self.ask(self.open(server)), b"hello")

    def test_plain_and_secure_side_by_side(self) -> None:
        server = self.start_tls("app", config='[server]\nlisten = ["127.0.0.1:0"]\n')
        self.assertEqual(len(server.urls), 2)
        plain, secure = server.urls
        self.assertIn(f"http://127.0.0.1:{plain[1]} https://127.0.0.1:{secure[1]} ", server.stdout())
        self.assertEqual(self.connect(server).ask("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n").body, b"plain ")
        server.urls.reverse()
        self.assertEqual(self.ask(self.open(server), "/peer"), b"secure ")


class RedirectTest(TlsTest):
    def test_plain_requests_are_sent_to_https(self) -> None:
        server = self.start_tls("app", tls="redirect = true", config='[server]\nlisten = ["127.0.0.1:0"]\n')
        secure = server.urls[1][1]
        client = self.connect(server)
        for target, want in (
            ("/", "/"),
            ("/a/b?x=1&y=%20", "/a/b?x=1&y=%20"),
            ("/a%20b%2Fc/%C3%A4?q", "/a%20b%2Fc/%C3%A4?q"),
            ("/a%0d%0aX-Injected:%20b", "/a%0D%0AX-Injected:%20b"),
            ("http://localhost:80/abs?x", "/abs?x"),
        ):
            answer = client.ask(f"GET {target} HTTP/1.1\r\nHost: localhost:80\r\n\r\n")
            self.assertEqual(answer.status, 308)
            self.assertEqual(field(answer, "location"), f"https://localhost:{secure}{want}")
            self.assertIsNone(field(answer, "x-injected"))
        self.assertEqual(client.ask("POST /mark HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").status, 308)
        self.assertEqual(client.ask("GET /slow/1 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").status, 308)
        self.assertEqual(client.ask("GET / HTTP/1.0\r\n\r\n").status, 400)
        # What the protocol refuses is not sent to HTTPS either.
        self.assertEqual(self.connect(server).ask("GET / HTTP/1.1\r\n\r\n").status, 400)
        server.urls.reverse()
        self.assertEqual(self.ask(self.open(server), "/marks"), b"0")


class SessionsTest(TlsTest):
    def test_resumed_on_every_core(self) -> None:
        server = self.start_tls("app", "--cores", "2")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(version)
            first = self.open(server, context)
            self.ask(first)
            self.assertFalse(first.session_reused)
            for _ in range(20):  # The kernel spreads them over both.
                again = self.open(server, context, session=first.session)
                self.assertEqual(self.ask(again), b"hello")
                self.assertTrue(again.session_reused)


class ClientsTest(TlsTest):
    def setUp(self) -> None:
        super().setUp()
        self.authority.make("alice", subject="/O=Example/CN=alice \\, \\\"the\\\" client")
        self.stranger = Authority(self.directory, "stranger")
        self.stranger.make("mallory")

    def with_certificate(self, name: str) -> ssl.SSLContext:
        context = self.context()
        context.load_cert_chain(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        return context

    def peer_of(self, mode: str, context: ssl.SSLContext) -> bytes:
        server = self.start_tls(tls=f'client_auth = "{mode}"\nclient_ca = "ca.pem"')
        return self.ask(self.open(server, context), "/peer")

    def test_middleware_around_sees_and_hides_nothing(self) -> None:
        server = self.start_tls(tls='client_auth = "required"\nclient_ca = "ca.pem"')
        with self.open(server, self.with_certificate("alice")) as client:
            self.assertTrue(self.ask(client, "/around/peer").startswith(b"secure CN=alice "))

    def test_off(self) -> None:
        self.assertEqual(self.peer_of("off", self.with_certificate("alice")), b"secure ")

    def test_optional(self) -> None:
        subject = self.peer_of("optional", self.with_certificate("alice"))
        self.assertTrue(subject.startswith(b"secure CN=alice "), subject)
        self.assertTrue(subject.endswith(b",O=Example"), subject)
        self.assertEqual(self.peer_of("optional", self.context()), b"secure ")

    def test_required(self) -> None:
        self.assertTrue(self.peer_of("required", self.with_certificate("alice")).startswith(b"secure CN=alice "))
        with self.assertRaisesRegex(ssl.SSLError, "(?i)certificate.required"):
            self.peer_of("required", self.context())

    def test_one_of_another_authority_is_refused(self) -> None:
        for mode in ("optional", "required"):
            with self.assertRaisesRegex(ssl.SSLError, "(?i)unknown.ca"):
                self.peer_of(mode, self.with_certificate("mallory"))

    def test_the_subject_of_a_resumed_session(self) -> None:
        server = self.start_tls(tls='client_auth = "required"\nclient_ca = "ca.pem"')
        context = self.with_certificate("alice")
        first = self.open(server, context)
        told = self.ask(first, "/peer")
        again = self.open(server, context, session=first.session)
        self.assertEqual(self.ask(again, "/peer"), told)
        self.assertTrue(again.session_reused)


class ReloadTest(TlsTest):
    def test_under_traffic(self) -> None:
        server = self.start_tls("app", "--cores", "2")
        faults: list[str] = []
        answered = [0]
        stop = threading.Event()

        def ask_on() -> None:
            try:
                kept = http.client.HTTPSConnection(*server.address, context=loose, timeout=10)
                while not stop.is_set():
                    kept.request("GET", "/")
                    fresh = http.client.HTTPSConnection(*server.address, context=loose, timeout=10)
                    fresh.request("GET", "/")
                    bodies = (kept.getresponse().read(), fresh.getresponse().read())
                    fresh.close()
                    if bodies != (b"hello", b"hello"):
                        faults.append(str(bodies))
                    answered[0] += 1
            except Exception as fault:
                faults.append(repr(fault))

        loose = self.context()
        loose.check_hostname = False
        threads = [threading.Thread(target=ask_on) for _ in range(4)]
        for thread in threads:
            thread.start()
        open_before = self.open(server)
        for round_number in range(5):
            self.authority.make("localhost", f"round{round_number}.example")
            server.send(signal.SIGHUP)
            done = eventually(lambda n=round_number: server.stderr().count("were read again") > n)
            self.assertTrue(done, server.stderr())
            self.assertEqual(shown(self.open(server, loose)), f"round{round_number}.example")
        before = answered[0]
        self.assertTrue(eventually(lambda: answered[0] > before + 20))
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])
        self.assertEqual(self.ask(open_before), b"hello")
        self.assertEqual(shown(open_before), "localhost")

    def test_bad_files_change_nothing(self) -> None:
        server = self.start_tls("engine")
        (self.directory / "localhost.key").write_text("no key", encoding="ascii")
        server.send(signal.SIGHUP)
        self.assertTrue(eventually(lambda: "goes on with the certificates it has" in server.stderr()))
        self.assertIn("localhost.key", server.stderr())
        self.assertEqual(shown(self.open(server)), "localhost")


class FilesTest(TlsTest):
    def check(self, text: str, *flags: str) -> subprocess.CompletedProcess[str]:
        config = self.write("site.toml", text)
        command = [binary("engine"), "check", *flags, "--config", str(config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=self.directory)

    def refused(self, text: str, *words: str) -> None:
        done = self.check('[tls]\nlisten = ["127.0.0.1:0"]\n' + text)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_good_files(self) -> None:
        self.authority.make("b", "b.example")
        done = self.check(
            '[tls]\nlisten = ["127.0.0.1:0"]\ncert = "localhost.pem"\nkey = "localhost.key"\n'
            'certificates = [{ cert = "b.pem", key = "b.key", hosts = ["b.example"] }]\n',
            "--print",
        )  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn('{ cert = "b.pem", key = "b.key", hosts = ["b.example"] }', done.stdout)
        again = self.check(done.stdout.split("[[route]]")[0])  # What it prints, it reads.
        self.assertEqual((again.returncode, again.stderr), (0, ""))

    def test_what_is_wrong_and_what_mends_it(self) -> None:
        self.authority.make("other", "other.example")
        self.authority.openssl("ec", "-in", str(self.directory / "other.key"), "-aes128",
                               "-passout", "pass:secret", "-out", str(self.directory / "locked.key"))  # fmt: skip
        both = 'cert = "{}"\nkey = "{}"\n'
        self.refused(both.format("gone.pem", "localhost.key"), 'cert = "gone.pem"', "No such file", "check the path")
        self.refused(both.format("localhost.pem", "gone.key"), 'key = "gone.key"', "No such file")
        self.refused(both.format("localhost.key", "localhost.key"), "holds no certificate in PEM form")
        self.refused(both.format("localhost.pem", "localhost.pem"), "holds no private key", "openssl pkey")
        self.refused(both.format("localhost.pem", "locked.key"), "holds no private key", "without a passphrase")
        self.refused(both.format("localhost.pem", "other.key"), 'key = "other.key"', "does not belong", "localhost.pem")
        self.refused('cert = "localhost.pem"\n', "[tls] key is missing")
        self.refused(both.format(".", "localhost.key"), "Is a directory")
        good = both.format("localhost.pem", "localhost.key")
        self.refused(good + 'client_auth = "required"\n', "[tls] client_ca is missing")
        self.refused(good + 'client_auth = "required"\nclient_ca = "localhost.key"\n', "client_ca", "no certificate")

    @unittest.skipIf(os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), "needs setpriv to lose root")
    def test_unreadable(self) -> None:
        (self.directory / "localhost.key").chmod(0)
        self.directory.chmod(0o755)
        prefix = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        command = [*prefix, binary("engine"), "check", "--tls-listen", "127.0.0.1:0", "--tls-cert", "localhost.pem",
                   "--tls-key", "localhost.key", "--config", "/dev/null"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=self.directory)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("Permission denied", done.stderr)
        self.assertIn("let the user that the server runs as read it", done.stderr)

    def test_an_expired_certificate_is_warned_of_and_served(self) -> None:
        self.authority.make("localhost", "localhost", days=-1)
        done = self.check('[tls]\nlisten = ["127.0.0.1:0"]\ncert = "localhost.pem"\nkey = "localhost.key"\n')
        self.assertEqual((done.returncode, done.stdout), (0, "ok\n"))
        self.assertIn("has expired", done.stderr)
        server = self.start_tls("engine")
        with self.assertRaisesRegex(ssl.SSLError, "expired"):
            self.open(server)


if __name__ == "__main__":
    main()
