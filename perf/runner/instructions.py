"""Instructions per request by callgrind: the same total in every run on the same machine.

The session program runs a batch of requests again and again through a core in memory. Two runs of
different length are counted; their difference, divided by the requests between, is free of start-up.
"""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from runner.processes import RunError
from runner.report import Line

BOUND = 200
TOLERANCE = 0.02
WORKLOADS = {"W1": 24, "W1v": 24, "W3": 16}
TITLES = {
    "W1": "instructions a request, W1: the same head 24 times",
    "W1v": "instructions a request, W1v: 24 different heads",
    "W3": "instructions a request, W3: the same 450 bytes 16 times",
}
BATCHES = (200, 1200)
FIGURES = Path(__file__).resolve().parent.parent / "instructions.json"


def available():
    return shutil.which("valgrind") is not None


def parse_total(text):
    """The total of a callgrind file."""
    total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
    if not total:
        raise RunError("callgrind counted nothing")
    return int(total.group(1))


def count(program, workload, batches):
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory) / "callgrind.out"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", str(program),
                   "--workload", workload, "--batches", str(batches)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RunError(f"{' '.join(command)}: {done.stderr.strip()}")
        return parse_total(out.read_text())


def per_request(program, workload):
    few, many = (count(program, workload, batches) for batches in BATCHES)
    return (many - few) / ((BATCHES[1] - BATCHES[0]) * WORKLOADS[workload])


def committed():
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}


def lines_of(figures, known):
    """W1 against the bound of the engine; each against the figure it had when it was committed."""
    lines = []
    for workload, figure in figures.items():
        lines.append(Line(TITLES[workload], round(figure, 1), f"{figure:.1f}",
                          at_most=BOUND if workload == "W1" else None))
        if workload in known:
            lines.append(Line(f"instructions, {workload}: of those committed", round(figure / known[workload], 4),
                              f"{figure / known[workload]:.3f}", at_most=1 + TOLERANCE))
    return lines


def measure(program, workloads):
    return {workload: per_request(program, workload) for workload in workloads}


def commit(figures):
    FIGURES.write_text(json.dumps({name: round(figure, 1) for name, figure in figures.items()}, indent=2) + "\n")
