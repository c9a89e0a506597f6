"""The tokenizer beside llhttp: how many times faster a complete head is judged, input by input.

perf/micro measures both with Google Benchmark; each figure is the least of interleaved repetitions,
because what a neighbour takes can only be added to a time.
"""

import json
import subprocess

from runner.processes import RunError
from runner.report import Line

BOUNDS = {"35": 4.0, "700": 4.0}  # Of the others: not slower.
# How many times as fast as picohttpparser the tokenizer is to be, and what that takes for these shapes of request
# where it was built for the very processor (-march=native, AMD Zen 4): libh2o's copy has no SSE 4.2.
PICO_BOUNDS = {"35": 1.5, "703": 2.5}
PICO_NATIVE = {"35": 42.0, "703": 250.0}
KERNELS = ("avx512", "avx2", "sse4.2", "scalar")


def measure(program, repetitions, pattern="^head/.*/same$"):
    command = [str(program), "--benchmark_format=json", f"--benchmark_filter={pattern}",
               f"--benchmark_repetitions={repetitions}", "--benchmark_min_time=0.05",
               "--benchmark_enable_random_interleaving=true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"{' '.join(command)}: {done.stderr.strip()}")
    return times_of(json.loads(done.stdout))


def repetitions_of(report):
    """What Google Benchmark tells of each repetition, without the sums over them."""
    for run in report["benchmarks"]:
        if run.get("run_type") != "iteration":
            continue
        if run.get("error_occurred"):
            raise RunError(f"{run['name']}: {run.get('error_message')}")
        yield run


def times_of(report):
    """{who: {input: nanoseconds}}, the least of the repetitions."""
    times = {}
    for run in repetitions_of(report):
        _, who, shape = run["run_name"].split("/")[:3]
        of = times.setdefault(who, {})
        of[shape] = min(of.get(shape, run["cpu_time"]), run["cpu_time"])
    return times


def lines_of(times):
    """A line an input, of the best kernel that this processor has."""
    who = next((kernel for kernel in KERNELS if kernel in times), None)
    if who is None or "llhttp" not in times:
        raise RunError("the micro benchmark measured no kernel, or not llhttp")
    lines = []
    for shape, llhttp in sorted(times["llhttp"].items(), key=lambda one: int(one[0])):
        own = times[who][shape]
        lines.append(Line(f"tokenizer ({who}), {shape} bytes: times the speed of llhttp", llhttp / own,
                          f"{llhttp / own:.1f} ({own:.1f} ns; llhttp {llhttp:.0f})",
                          at_least=BOUNDS.get(shape, 1.0)))
    return lines + pico_lines(who, times)


def pico_lines(who, times):
    """Beside picohttpparser: its known time built for the processor, and libh2o's copy of it in the same run."""
    lines = []
    for shape, own in sorted(times[who].items(), key=lambda one: int(one[0])):
        compared = {"known time of picohttpparser": PICO_NATIVE, "picohttpparser of libh2o": times.get("picohttpparser", {})}
        for name, of in compared.items():
            if shape in of:
                lines.append(Line(f"tokenizer ({who}), {shape} bytes: {name}, divided by ours", of[shape] / own,
                                  f"{of[shape] / own:.2f} ({own:.1f} ns; {of[shape]:.1f})",
                                  at_least=PICO_BOUNDS.get(shape)))
    return lines
