"""harness.py: what the integration tests share: servers configured for a test, raw clients, a process's cost.

The binaries come by environment, set in meson.build: ECHO_BINARY (apps/echo), ENGINE_BINARY (apps/millrace)
and APP_BINARY (app/test_app.cpp, the handlers the tests need)."""

from __future__ import annotations

import os
import socket
import struct
import sys
import tempfile
import time
import unittest
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cases"))

from response import Reader, Response  # noqa: E402
from server import Server  # noqa: E402

Address = tuple[str, int]
# What a sanitizer needs for itself, memory and a thread, is not the engine's: bounds on those say nothing there.
SANITIZED = os.environ.get("SANITIZED") == "1"
SKIPPED = 77  # Meson's exit status for a test that could not be run here.


def binary(name: str) -> str:
    path = os.environ.get(f"{name.upper()}_BINARY", "")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{name.upper()}_BINARY is not set to a program: {path!r}")
    return path


class IntegrationTest(unittest.TestCase):
    """A directory of its own, and servers that end with the test, cleanly unless the test says otherwise."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="millrace-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(
        self,
        name: str,
        *flags: str,
        config: str = "",
        listen: str = "127.0.0.1:0",
        prefix: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> Server:
        command = [*prefix, binary(name), *flags]
        if listen:
            command += ["--listen", listen]
        # Always a file: one lying about on the machine must not matter.
        command += ["--config", str(self.write("millrace.toml", config))]
        server = Server(command, cwd=self.directory, environment=environment)
        self.addCleanup(self.end, server)
        return server

    def end(self, server: Server) -> None:
        """The test is over; whatever it did, the server is in one piece."""
        if server.process.poll() is None:
            faults = server.stop()
            server.kill()
            self.assertEqual(faults, [])

    def grown_at_most(self, server: Server, before_kib: int, kib_max: int) -> None:
        """The server's memory, since it was before_kib."""
        if not SANITIZED:
            self.assertLess(rss_kib(server.pid) - before_kib, kib_max, "KiB grown")

    def connect(self, server: Server) -> Client:
        client = Client(server.address)
        self.addCleanup(client.close)
        return client


class Client:
    """A connection in plain sight: bytes out, responses in."""

    def __init__(
        self, address: Address | str, methods: tuple[str, ...] = (), *, receive_buffer: int = 0
    ) -> None:
        family = (
            socket.AF_UNIX
            if isinstance(address, str)
            else socket.AF_INET6
            if ":" in address[0]
            else socket.AF_INET
        )
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(10)
        self.sock.connect(address)
        if family != socket.AF_UNIX:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(methods)
        self.taken = 0

    def send(self, data: bytes | str) -> None:
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def response(self, timeout_s: float = 10.0) -> Response | None:
        """The next one; None where the server closes first. TimeoutError where nothing comes."""
        self.receive_until(lambda: len(self.reader.responses) > self.taken, timeout_s)
        if len(self.reader.responses) == self.taken:
            return None
        self.taken += 1
        return self.reader.responses[self.taken - 1]

    def ask(self, data: bytes | str, timeout_s: float = 10.0) -> Response:
        self.send(data)
        response = self.response(timeout_s)
        if response is None:
            raise AssertionError(f"closed without a response to {data[:80]!r}")
        return response

    def closed_within(self, timeout_s: float) -> bool:
        """Reads on; True once the server has closed."""
        try:
            self.receive_until(lambda: False, timeout_s)
        except TimeoutError:
            return False
        return self.reader.eof

    def receive_until(self, enough: Callable[[], bool], timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while not self.reader.eof and not enough():
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"nothing in {timeout_s} s")
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(1 << 20)
            except ConnectionError:
                data = b""
            self.reader.feed(data) if data else self.reader.end()
            if self.reader.error:
                raise AssertionError(self.reader.error)

    def reset(self) -> None:
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        self.sock.close()


def get(path: str = "/", *fields: str, method: str = "GET", body: str | None = None) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: a", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines) + "\r\n\r\n" + (body or "")


def field(response: Response, name: str) -> str | None:
    values = response.values(name)
    return b", ".join(values).decode("latin-1") if values else None


def descriptors(pid: int) -> int:
    """Open descriptors, but for the files that the caches of the cores keep: each of them once."""
    files: Counter[str] = Counter()
    others = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except OSError:
            continue  # Closed meanwhile.
        if target.startswith("/") and os.path.isfile(target):
            files[target] += 1
        else:
            others += 1
    cores = len(os.sched_getaffinity(0))
    return others + sum(max(0, count - cores) for count in files.values())


def rss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def eventually(condition: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def main() -> None:
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    failed = len(result.failures) + len(result.errors)
    passed = result.testsRun - failed - len(result.skipped)
    print(f"{passed} passed, {failed} failed", flush=True)
    if passed == 0 and failed == 0:
        sys.exit(SKIPPED)
    sys.exit(1 if failed else 0)
