"""server.py: the server under test: started, asked where it listens, stopped, and looked at afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

URL = re.compile(r"https?://(\[[0-9a-f:]+\]|[0-9.]+|localhost):([0-9]+)")
# This check of UBSan's opens a pipe to look at an object; where no descriptor is left, it sees ghosts.
GHOST = re.compile(r".*which does not point to an object of type.*")
SANITIZER = re.compile(r"(Sanitizer|runtime error:|MR_ASSERT|assertion)", re.IGNORECASE)


class Server:
    """Use it with `with`: whatever happens, the process is gone afterwards."""

    def __init__(
        self,
        command: list[str],
        *,
        cwd: Path | None = None,
        environment: dict[str, str] | None = None,
        start_s: float = 20.0,
    ) -> None:
        self.output = tempfile.NamedTemporaryFile(prefix="server-out-")
        self.errors = tempfile.NamedTemporaryFile(prefix="server-err-")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.errors,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
        )
        self.urls: list[tuple[str, int]] = []
        self.await_url(start_s)

    def await_url(self, start_s: float) -> None:
        until = time.monotonic() + start_s
        while not self.urls:
            self.urls = [(host.strip("[]"), int(port)) for host, port in URL.findall(self.stdout())]
            if self.urls:
                return
            if self.process.poll() is not None or time.monotonic() > until:
                status = self.process.poll()
                self.kill()
                raise RuntimeError(
                    f"the server did not start (exit {status}): {self.stdout()} {self.stderr()}"
                )
            time.sleep(0.01)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def address(self) -> tuple[str, int]:
        return self.urls[0]

    @property
    def pid(self) -> int:
        return self.process.pid

    def stdout(self) -> str:
        return Path(self.output.name).read_text(encoding="utf-8", errors="replace")

    def stderr(self) -> str:
        return Path(self.errors.name).read_text(encoding="utf-8", errors="replace")

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, timeout_s: float) -> int | None:
        """The exit status; None: it still runs."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, timeout_s: float = 30.0, starved: bool = False) -> list[str]:
        """TERM. What is wrong with how it ended: nothing, for a good server. `starved`: of descriptors."""
        faults = []
        if self.process.poll() is not None:
            faults.append(
                f"the server died on the way (exit {self.process.returncode}): {self.stderr()[-2000:]}"
            )
        else:
            self.send(signal.SIGTERM)
            status = self.wait(timeout_s)
            if status != 0:
                faults.append(f"exit {status} on SIGTERM, not 0: {self.stderr()[-2000:]}")
        said = GHOST.sub("", self.stderr()) if starved else self.stderr()
        if SANITIZER.search(said):
            faults.append(f"stderr: {said[-4000:]}")
        return faults

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
