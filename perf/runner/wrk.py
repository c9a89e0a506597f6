"""A second opinion on requests a second, from a load generator that is not ours."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from runner.processes import RunError, Server, free_port, prepare_child
from runner.report import Line

PIPELINE = """
local batch = string.rep("GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n", 24)
request = function() return batch end
"""


def available():
    return shutil.which("wrk") is not None


def parse(output):
    """Requests a second; an error or another status than 2xx is a failure."""
    wrong = re.search(r"(Socket errors:.*|Non-2xx.*)", output)
    if wrong:
        raise RunError(f"wrk: {wrong.group(1)}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    if not rate:
        raise RunError(f"wrk: {output.strip()}")
    return float(rate.group(1))


def measure(programs, server_cpu, load_cpu, seconds):
    port = free_port()
    lines = []
    with Server([programs.server, "--port", port, "--cores", 1], server_cpu, port), \
            tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "pipeline.lua"
        script.write_text(PIPELINE)
        for workload, more in (("W1", ["-s", str(script)]), ("W2", [])):
            command = ["wrk", "-t1", "-c100", f"-d{max(1, round(seconds))}s", *more, f"http://localhost:{port}/"]
            done = subprocess.run(command, capture_output=True, text=True, preexec_fn=prepare_child(load_cpu),
                                  check=False)
            rate = parse(done.stdout + done.stderr)
            lines.append(Line(f"{workload} by wrk, requests a second", rate, f"{rate:,.0f}"))
    return lines
