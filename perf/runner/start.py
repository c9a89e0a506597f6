"""From starting the binary to its first answer, and how large it is.

The time begins before the fork and ends with the answer's first bytes; a client that finds nobody listening asks
again after a fifth of a millisecond.
"""

import socket
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from runner.processes import RunError, free_port
from runner.report import Line

BOUND_MS = 20
BOUND_MIB = 3
STARTS = 20
PATIENCE_S = 10
AGAIN_S = 0.0002
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def first_answer(port, deadline):
    while time.monotonic() < deadline:
        with socket.socket() as client:
            try:
                client.connect(("127.0.0.1", port))
            except ConnectionRefusedError:
                time.sleep(AGAIN_S)
                continue
            client.settimeout(PATIENCE_S)
            client.sendall(REQUEST)
            return client.recv(4096)
    raise RunError(f"nobody listens on port {port}")


def start_once(program):
    port = free_port()
    begin = time.monotonic()
    process = subprocess.Popen([program, "--port", str(port), "--config", "/dev/null"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        answer = first_answer(port, begin + PATIENCE_S)
        took = time.monotonic() - begin
    finally:
        process.terminate()
        process.wait()
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RunError(f"the first answer is {answer!r}")
    return took * 1e3


def stripped_bytes(program):
    with tempfile.TemporaryDirectory() as directory:
        stripped = Path(directory) / "stripped"
        subprocess.run(["strip", "-o", stripped, program], check=True)
        return stripped.stat().st_size


def lines_of(times, size_bytes):
    middle = statistics.median(times)
    size = size_bytes / 2**20
    return [
        Line(f"start to the first answer, ms (median of {len(times)})", round(middle, 2),
             f"{middle:.1f} ({min(times):.1f}..{max(times):.1f})", at_most=BOUND_MS),
        Line("size of the stripped binary, MiB", round(size, 3), f"{size:.2f}", at_most=BOUND_MIB)]


def measure(program, starts=STARTS):
    return lines_of([start_once(program) for _ in range(starts)], stripped_bytes(program))
