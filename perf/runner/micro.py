"""What single functions take: every benchmark of perf/micro but those of JSON, as a table of nanoseconds.

Each figure is the least of interleaved repetitions, as perf/runner/tokenizer.py explains. Where a benchmark counts
items (replies, requests, chunks), the figure is of one of them.
"""

import json
import subprocess

from runner import tokenizer
from runner.processes import RunError
from runner.report import Line

REPETITIONS = {False: 9, True: 3}  # By whether it is a quick run.


def times_of(report):
    """{name: (label, nanoseconds)}, the least of the repetitions."""
    times = {}
    for run in tokenizer.repetitions_of(report):
        name, label = run["run_name"], run.get("label", "")
        took = 1e9 / run["items_per_second"] if "items_per_second" in run else run["cpu_time"]
        times[name] = (label, min(took, times.get(name, (label, took))[1]))
    return times


def in_order(name):
    """Numbers by their size, so that 2000 stands behind 700."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split("/")]


def lines_of(times):
    """A line a benchmark, by name; then the tokenizer beside other parsers."""
    lines = []
    for name, (label, took) in sorted(times.items(), key=lambda one: in_order(one[0])):
        lines.append(Line(f"{name} ({label})" if label else name, took, f"{took:,.1f} ns"))
    heads = {}
    for name, (_, took) in times.items():
        if name.startswith("head/") and name.endswith("/same"):
            _, who, shape, _ = name.split("/")
            heads.setdefault(who, {})[shape] = took
    return lines + tokenizer.lines_of(heads)


def measure(program, repetitions):
    command = [str(program), "--benchmark_format=json", "--benchmark_filter=-^json_",
               f"--benchmark_repetitions={repetitions}", "--benchmark_min_time=0.02",
               "--benchmark_enable_random_interleaving=true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"{' '.join(command)}: {done.stderr.strip()}")
    return times_of(json.loads(done.stdout))
