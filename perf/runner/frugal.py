"""What a request does without: system calls, counted in the kernel while W1 runs, and allocations, by a test that
counts them over a million requests."""

import subprocess
import tempfile
from pathlib import Path

from runner import system_calls
from runner.processes import RunError, Server, free_port
from runner.report import Line
from runner.speed import run_load

CALLS_MAX = 0.02
ALLOCATIONS = Path("tests") / "unit" / "serve" / "unit_serve_allocation"


def measure_calls(programs, server_cpu, load_cpu, seconds):
    why_not = system_calls.why_not()
    if why_not:
        print(f"system calls are not counted: {why_not}")
        return []
    port = free_port()
    with Server([programs.server, "--port", port, "--cores", 1], server_cpu, port) as server, \
            tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report"
        load = run_load(programs.load, port, "W1", load_cpu, seconds=seconds,
                        prefix=system_calls.prefix(server.pids(), report))
        count = system_calls.parse(report.read_text())
    if count is None:
        raise RunError("perf has counted no system calls")
    each = count / load["requests"]
    return [Line("W1: system calls a request", round(each, 5), f"{each:.4f}", at_most=CALLS_MAX)]


def measure_allocations(build):
    program = build / ALLOCATIONS
    if not program.exists():
        print("allocations are not counted: the tests were not built")
        return []
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"a steady core allocates: {done.stdout.strip()}")
    return [Line("allocations a request, over a million of every kind", 0, "0", at_most=0)]
