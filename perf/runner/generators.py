"""What a request costs its sender: `millrace bench` beside wrk, in interleaved rounds against one server.

The figure is the generator's own CPU time, user and system, divided by the answers it counted.
"""

import json
import os
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from runner.processes import RunError, Server, free_port, prepare_child
from runner.report import Line
from runner.wrk import PIPELINE, parse

DEPTHS = {"W1": 24, "W2": 1}


def run(command, cpu):
    """Standard output, and the seconds of CPU that the command took."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT,
                                 preexec_fn=prepare_child(cpu))
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if child.returncode != 0:
        raise RunError(f"{' '.join(map(str, command))}: {text.strip()}")
    return text, usage.ru_utime + usage.ru_stime


def by_wrk(url, depth, cpu, seconds, directory):
    script = directory / "pipeline.lua"
    script.write_text(PIPELINE)
    more = ["-s", script] if depth != 1 else []
    text, cpu_seconds = run(["wrk", "-t1", "-c100", f"-d{max(1, round(seconds))}s", *more, url], cpu)
    parse(text)
    return int(re.search(r"(\d+) requests in", text)[1]) / cpu_seconds


def by_bench(engine, url, depth, cpu, seconds, directory):
    result = directory / "bench.json"
    _, cpu_seconds = run([engine, "bench", url, "-c", 100, "-p", depth, "-d", f"{round(seconds * 1000)}ms",
                          "--json", result], cpu)
    return json.loads(result.read_text())["answered"] / cpu_seconds


def measure(engine, server, server_cpu, load_cpu, rounds, seconds, details):
    port = free_port()
    url = f"http://localhost:{port}/"
    lines = []
    with Server([server, "--port", port, "--cores", 1], server_cpu, port), \
            tempfile.TemporaryDirectory() as name:
        for workload, depth in DEPTHS.items():
            pairs = [(by_wrk(url, depth, load_cpu, seconds, Path(name)),
                      by_bench(engine, url, depth, load_cpu, seconds, Path(name))) for _ in range(rounds)]
            details[f"generators {workload}"] = pairs
            wrk, own = (statistics.median(side) for side in zip(*pairs))
            ratios = [ours / theirs for theirs, ours in pairs]
            print(f"{workload}: requests a CPU second: wrk {wrk:,.0f}, millrace bench {own:,.0f}")
            lines.append(Line(f"{workload}: requests a CPU second of `millrace bench`, of wrk", round(own / wrk, 4),
                              f"{own / wrk:.2f} ({min(ratios):.2f}..{max(ratios):.2f})", at_least=1))
    return lines
