"""tls_support.py: what the tests of TLS share: certificates made by openssl, and a client in plain sight."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

from harness import IntegrationTest
from server import Server


class Authority:
    """Makes certificates in a directory, signed by one of its own."""

    def __init__(self, directory: Path, name: str = "ca") -> None:
        self.directory = directory
        self.cert, self.key = directory / f"{name}.pem", directory / f"{name}.key"
        self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", f"/CN=Test authority {name}", "-keyout", str(self.key), "-out", str(self.cert),
        )  # fmt: skip

    def openssl(self, *arguments: str) -> None:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]}: {done.stderr}")

    def make(self, name: str, *hosts: str, subject: str = "", days: int = 2, rsa: bool = False) -> Path:
        """NAME.pem and NAME.key; with the authority's own certificate behind, as a chain."""
        key, request, cert = (self.directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.openssl(
            "req", "-newkey", *kind, "-nodes", "-subj", subject or f"/CN={hosts[0] if hosts else name}",
            "-keyout", str(key), "-out", str(request),
        )  # fmt: skip
        names = ",".join(f"DNS:{host}" for host in hosts) or f"DNS:{name}"
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names},IP:127.0.0.1\n", encoding="ascii")
        dates = ["-days", str(days)]
        self.openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.cert), "-CAkey", str(self.key),
            "-CAcreateserial", *dates, "-extfile", str(extensions), "-out", str(cert),
        )  # fmt: skip
        cert.write_text(cert.read_text(encoding="ascii") + self.cert.read_text(encoding="ascii"), encoding="ascii")
        return cert


class TlsTest(IntegrationTest):
    """A server on TLS with the certificate of localhost."""

    def setUp(self) -> None:
        super().setUp()
        self.authority = Authority(self.directory)
        self.authority.make("localhost", "localhost")

    def start_tls(self, name: str = "app", *flags: str, tls: str = "", config: str = "") -> Server:
        text = f'[tls]\nlisten = ["127.0.0.1:0"]\n{tls}\n'
        if "cert" not in tls:
            text += 'cert = "localhost.pem"\nkey = "localhost.key"\n'
        return self.start(name, *flags, config=text + config, listen="")

    def context(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.authority.cert))
        # Python has OpenSSL take an end without close_notify for one with it.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0x80)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def open(
        self, server: Server, context: ssl.SSLContext | None = None, *, name: str = "localhost",
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:  # fmt: skip
        plain = socket.create_connection(server.address, timeout=10)
        secure = (context or self.context()).wrap_socket(
            plain, server_hostname=name, session=session, suppress_ragged_eofs=False
        )
        self.addCleanup(secure.close)
        return secure

    def peer(self, server: Server, context: ssl.SSLContext) -> Peer:
        made = Peer(server, context)
        self.addCleanup(made.sock.close)
        return made

    def ask(self, sock: ssl.SSLSocket, path: str = "/", *fields: str) -> bytes:
        """The body of the answer, which has a Content-Length."""
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", ""]
        sock.sendall("\r\n".join(lines).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            if not byte:
                raise ConnectionError(f"closed inside a head: {head!r}")
            head += byte
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = b""
        while len(body) < size:
            body += sock.recv(size - len(body))
        return body


class Peer:
    """TLS over memory: every byte on the socket is the test's to send, to cut and to look at."""

    def __init__(self, server: Server, context: ssl.SSLContext, timeout_s: float = 10) -> None:
        self.sock = socket.create_connection(server.address, timeout=timeout_s)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def flight(self) -> bytes:
        """What the client wants to send now."""
        return self.outgoing.read()

    def begin(self) -> bytes:
        """The client's hello."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.flight()

    def shake_hands(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
                self.sock.sendall(self.flight())
                return
            except ssl.SSLWantReadError:
                self.sock.sendall(self.flight())
                self.feed()

    def feed(self) -> bool:
        data = self.sock.recv(65536)
        self.incoming.write(data) if data else self.incoming.write_eof()
        return bool(data)

    def read(self, size: int = 65536) -> bytes:
        """Content; empty at the peer's close_notify. SSLEOFError where the socket ended without one."""
        while True:
            try:
                return self.tls.read(size)
            except ssl.SSLWantReadError:
                self.feed()
            except ssl.SSLZeroReturnError:
                return b""

    def read_all(self) -> bytes:
        found = b""
        while part := self.read():
            found += part
        return found

    def close_notify(self) -> bytes:
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        return self.flight()
