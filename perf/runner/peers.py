"""The peers: servers that Debian packages, each in its best configuration, in one process on one CPU.

Their sources and configurations are in perf/peers. One that is not installed, does not start or answers
wrongly is left out, with a line that says why.
"""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from runner.processes import RunError, Server, free_port

SOURCES = Path(__file__).resolve().parent.parent / "peers"
PYTHON = "/usr/bin/python3"  # The one that Debian's packages are for.
FASTHTTP = Path("/usr/share/gocode/src/github.com/valyala/fasthttp")
PIPELINED = 24
OWN = "millrace"  # The names of the two in every comparison that are no peers.
NULL = "null"


@dataclass(frozen=True)
class Peer:
    name: str
    package: str  # Debian's; its version is the peer's.
    source: str  # In perf/peers.
    needs: tuple  # Commands and files.
    start: object  # Source, port and a directory of its own -> command.

    def missing(self):
        return [str(need) for need in self.needs if not (shutil.which(need) or os.path.exists(need))]

    def version(self):
        if self.package == "nodejs":  # Often not Debian's.
            return output_of("node", "--version").lstrip("v")
        if self.package == "golang-go":  # Its own version is not the language's.
            return output_of("go", "env", "GOVERSION").removeprefix("go")
        version = output_of("dpkg-query", "-W", "-f", "${Version}", self.package)
        return version.rpartition(":")[2].partition("-")[0].partition("+")[0]


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def configured(source, port, directory):
    """The configuration with its port and directory filled in."""
    (directory / "greeting.txt").write_text("Hello world!")
    text = source.read_text().replace("@PORT@", str(port)).replace("@DIRECTORY@", str(directory))
    target = directory / source.name
    target.write_text(text)
    return target


def compiled(source, directory):
    program = directory / source.stem
    environment = os.environ | {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                                "GOCACHE": str(directory.parent / "go")}
    done = subprocess.run(["go", "build", "-o", str(program), str(source)], cwd=directory, env=environment,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"go build {source.name}: {(done.stdout + done.stderr).strip()}")
    return program


PEERS = [
    Peer("nginx", "nginx-light", "nginx.conf", ("nginx",),
         lambda source, port, directory: ["nginx", "-p", directory, "-c", configured(source, port, directory)]),
    Peer("h2o", "h2o", "h2o.conf", ("h2o",),
         lambda source, port, directory: ["h2o", "-c", configured(source, port, directory)]),
    Peer("haproxy", "haproxy", "haproxy.cfg", ("haproxy",),
         lambda source, port, directory: ["haproxy", "-db", "-f", configured(source, port, directory)]),
    Peer("fasthttp", "golang-github-valyala-fasthttp-dev", "fasthttp.go", ("go", FASTHTTP),
         lambda source, port, directory: [compiled(source, directory), port]),
    Peer("net/http", "golang-go", "nethttp.go", ("go",),
         lambda source, port, directory: [compiled(source, directory), port]),
    Peer("node", "nodejs", "node.js", ("node",), lambda source, port, directory: ["node", source, port]),
    Peer("aiohttp", "python3-aiohttp", "aiohttp_uvloop.py",
         (PYTHON, "/usr/lib/python3/dist-packages/aiohttp", "/usr/lib/python3/dist-packages/uvloop"),
         lambda source, port, directory: [PYTHON, source, port]),
]


def started(peer, cpu, directory):
    """The running server; RunError where it does not start or answers wrongly."""
    missing = peer.missing()
    if missing:
        raise RunError(f"not installed ({peer.package}): {' and '.join(missing)} missing")
    own = directory / peer.source
    own.mkdir()
    for readable in (directory, own):  # h2o, started by root, goes on as nobody.
        readable.chmod(0o755)
    port = free_port()
    server = Server(peer.start(SOURCES / peer.source, port, own), cpu, port)
    server.__enter__()
    try:
        check(port)
    except (OSError, RunError) as error:
        server.__exit__()
        raise RunError(f"answers wrongly: {error}") from error
    return server


def check(port):
    """24 requests at once, all different, and then a body; each must be answered in its turn."""
    names = [chr(ord("a") + i) * (i + 1) for i in range(PIPELINED)]
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall("".join(f"GET /name/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n" for name in names).encode())
        answers = Answers(connection)
        for name in names:
            answers.expect(name)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * PIPELINED)
        for _ in names:
            answers.expect("Hello world!")
        connection.sendall(b"POST /length HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4096\r\n\r\n" + b"b" * 4096)
        answers.expect("4096")


class Answers:
    def __init__(self, connection):
        self.connection = connection
        self.bytes = b""

    def expect(self, body):
        while b"\r\n\r\n" not in self.bytes:
            self._more(body)
        head, _, self.bytes = self.bytes.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if not lines[0].startswith("HTTP/1.1 200 "):
            raise RunError(f"'{lines[0]}' in place of a 200 with '{body}'")
        lengths = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("content-length:")]
        if lengths != [str(len(body))]:
            raise RunError(f"content-length {lengths} in place of that of '{body}'")
        while len(self.bytes) < len(body):
            self._more(body)
        got, self.bytes = self.bytes[:len(body)].decode("latin-1"), self.bytes[len(body):]
        if got != body:
            raise RunError(f"'{got}' in place of '{body}'")

    def _more(self, body):
        part = self.connection.recv(65536)
        if not part:
            raise RunError(f"the connection was closed before '{body}' was answered")
        self.bytes += part
