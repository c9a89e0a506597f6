"""servers.py: starts what the soak talks to, each server with a configuration of its own."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import ssl
import subprocess
from pathlib import Path

from kinds import World
from logs import Logs
from watched import Server, Watched

FILE_SIZES = {"empty.txt": 1, "page.html": 3000, "image.png": 60_000, "large.bin": 3_000_000}
TIMEOUTS = '[timeouts]\nlinger = "500ms"\n'
TLS = '[tls]\nlisten = ["127.0.0.1:0"]\ncert = "localhost.pem"\nkey = "localhost.key"\n'
FILES = '[access_log]\npath = "{logs}/access.log"\n[[route]]\npath = "/*"\nfiles = "{public}"\n'


def serve(
    directory: Path, arguments: argparse.Namespace, stack: contextlib.ExitStack
) -> tuple[World, list[Watched]]:
    """They end with the stack."""
    choose = random.Random(arguments.seed)
    contents = {name: choose.randbytes(size) for name, size in FILE_SIZES.items()}
    public, logs, stored = (directory / name for name in ("public", "logs", "stored"))
    public.mkdir()
    logs.mkdir()
    for name, content in contents.items():
        (public / name).write_bytes(content)
    certificates = Certificates(directory)
    tls = TLS if takes(arguments.engine, directory, TLS) else ""
    servers = []
    for name, program, config in (
        ("app", arguments.app, tls),
        ("files", arguments.engine, FILES.format(logs=logs, public=public)),
        ("echo", arguments.echo, ""),
        ("uploads", arguments.uploads, ""),
    ):
        (directory / f"{name}.toml").write_text('[server]\nlisten = ["127.0.0.1:0"]\n' + TIMEOUTS + config)
        command = [os.path.abspath(program), "--config", f"{name}.toml"]
        server = Server(command, cwd=directory, environment={"UPLOADS_DIRECTORY": str(stored)})
        servers.append(Watched(name, stack.enter_context(server)))
    app, files, echo, uploads = (one.server for one in servers)
    for one in servers:
        one.idle = one.open_now()
    world = World(app.address, files.address, echo.address, contents, uploads.address, stored)
    world.logs = Logs(logs, files)
    if tls:
        # The plain address is told first.
        world.tls, world.trust = app.urls[1], certificates.trust()
        world.renew = lambda: certificates.renew(app)
    return world, servers


def takes(engine: str, directory: Path, config: str) -> bool:
    """Whether this build understands it."""
    (directory / "try.toml").write_text(config)
    command = [os.path.abspath(engine), "check", "--config", "try.toml"]
    return subprocess.run(command, cwd=directory, capture_output=True, check=False).returncode == 0


class Certificates:
    """Two for localhost, each signed by itself; localhost.pem and .key are one of them in turn."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.shown = directory, 0
        for number in range(2):
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-days", "2", "-subj", f"/CN=localhost {number}", "-addext", "subjectAltName=DNS:localhost",
                 "-keyout", directory / f"{number}.key", "-out", directory / f"{number}.pem"],
                check=True, capture_output=True,
            )  # fmt: skip
        self.lay_out()

    def lay_out(self) -> None:
        for end in ("pem", "key"):
            shutil.copyfile(self.directory / f"{self.shown}.{end}", self.directory / f"localhost.{end}")

    def trust(self) -> ssl.SSLContext:
        """What a client needs to believe both."""
        context = ssl.create_default_context(cafile=str(self.directory / "0.pem"))
        context.load_verify_locations(str(self.directory / "1.pem"))
        return context

    def renew(self, server: Server) -> bytes:
        """The other one, in DER, which the server is told to read."""
        self.shown = 1 - self.shown
        self.lay_out()
        server.send(signal.SIGHUP)
        return ssl.PEM_cert_to_DER_cert((self.directory / f"{self.shown}.pem").read_text())
