"""devtools.py: a headless Chromium that tests can talk to: the DevTools protocol over its pipe."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path


class Browser:
    """Use it with `with`: the process is gone afterwards."""

    def __init__(self, directory: Path, timeout_s: float = 60.0) -> None:
        self.timeout_s = timeout_s
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()
        self.buffer = b""
        self.number = 0
        self.session: str | None = None

        def place() -> None:  # The browser reads from 3 and writes to 4; the ends may have these numbers already.
            reads, writes = os.dup(to_browser), os.dup(from_browser)
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self.process = subprocess.Popen(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--remote-debugging-pipe", f"--user-data-dir={directory / 'browser'}", "about:blank",
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=place, start_new_session=True,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        os.set_blocking(self.read_end, False)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.call("Browser.close", session=False)
        except (OSError, TimeoutError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.read_end)
        os.close(self.write_end)

    def call(self, method: str, session: bool = True, **parameters: object) -> dict:
        self.number += 1
        message: dict[str, object] = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        until = time.monotonic() + self.timeout_s
        while time.monotonic() < until:
            whole, _, rest = self.buffer.partition(b"\0")
            if len(whole) < len(self.buffer):
                self.buffer = rest
                answer = json.loads(whole)
                if answer.get("id") != self.number:
                    continue
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            try:
                data = os.read(self.read_end, 1 << 16)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not data:
                raise OSError("the browser has ended")
            self.buffer += data
        raise TimeoutError(f"{method}: no answer in {self.timeout_s:g} s")

    def open(self, url: str) -> None:
        target = self.call("Target.createTarget", session=False, url=url)["targetId"]
        attached = self.call("Target.attachToTarget", session=False, targetId=target, flatten=True)
        self.session = attached["sessionId"]

    def evaluate(self, expression: str) -> object:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"].get("value")
