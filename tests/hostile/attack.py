"""attack.py: what the hostile tests share: slowhttptest, and how much of a server is in use."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

from harness import get  # noqa: E402
from server import Server  # noqa: E402

from good_clients import Question  # noqa: E402

TOOL = "slowhttptest"
# The receive buffers of two cores: memory the server has, and touches when it first needs it.
RINGS_KIB = 2 * 512 * 8

# For `echo`: a plain request, and one with content.
ECHO_QUESTIONS = [
    Question(get().encode(), b"hello"),
    Question(get("/echo", method="POST", body="x" * 3000).encode(), b"x" * 3000),
]


def established(port: int) -> int:
    """Connections to a port of this machine that are open on the server's side, whoever made them."""
    count = 0
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table.readlines()[1:]:
            _, local, _, state = line.split()[:4]
            count += int(local.rpartition(":")[2], 16) == port and state == "01"
    return count


def tool_missing() -> bool:
    return shutil.which(TOOL) is None


class SlowAttack:
    """slowhttptest: -H heads, -B bodies, -R ranges, -X reads. It ends by itself, or with the `with`."""

    def __init__(self, mode: str, server: Server, path: str, seconds: int, connections: int) -> None:
        self.directory = tempfile.TemporaryDirectory(prefix="slowhttptest-")
        command = slow_command(mode, server, path, seconds, connections)
        command += ["-g", "-o", f"{self.directory.name}/stats"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> SlowAttack:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()

    def opened(self) -> int:
        """Waits for the end; how many connections it had opened, by its own count."""
        self.process.wait(30)
        with open(f"{self.directory.name}/stats.csv", encoding="ascii") as stats:
            rows = list(csv.reader(stats))[1:]
        return max((int(closed) + int(connected) for _, closed, _, connected, *_ in rows), default=0)


def slow_command(mode: str, server: Server, path: str, seconds: int, connections: int) -> list[str]:
    host, port = server.address
    command = [TOOL, mode, "-c", str(connections), "-r", str(connections), "-l", str(seconds), "-i", "1"]
    command += ["-u", f"http://{host}:{port}{path}", "-p", str(seconds), "-v", "0"]
    if mode == "-B":
        command += ["-s", "8192", "-t", "POST", "-x", "10"]
    if mode == "-R":
        command += ["-t", "GET", "-a", "5", "-b", "1500"]
    if mode == "-X":
        command += ["-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"]
    return command
