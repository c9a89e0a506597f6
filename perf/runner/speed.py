"""CPU time per request of Millrace and of the null servers, in interleaved rounds.

The figure is the server's CPU time, user and system, divided by its requests: it is steady to 2 or 3 %
where requests a second are not, and stays true where the load generator is the bottleneck.
"""

import json
import statistics
import subprocess
from dataclasses import dataclass

from runner.processes import RunError, Server, free_port, prepare_child
from runner.report import Line

BOUNDS = {"W1": 0.85, "W1v": 0.75, "W2": 0.97, "W3": 0.75}  # Of the null server, on io_uring.
NULLS = {"uring": "limit_uring", "epoll": "limit_epoll"}  # By backend.
WORKLOADS = ["W1", "W1v", "W2", "W3", "W4"]
TITLES = {
    "W1": "W1: 100 connections, 24 pipelined",
    "W1v": "W1v: as W1, all requests differ",
    "W2": "W2: 100 connections, not pipelined",
    "W3": "W3: 256 connections, 16 pipelined, 450 bytes",
    "W4": "W4: 100 connections, POST of 4 KiB",
}
ROUNDS, SECONDS = 15, 1
ROUNDS_A_START = 5  # Then the servers start anew: where its memory came to lie moves a process's figure for good.
BUSY = 0.95  # From this share of its CPU on, a side is the bottleneck.


@dataclass(frozen=True)
class Sample:
    """One run of the load generator. Times per request are in microseconds."""

    cpu: float
    user: float
    system: float
    load_cpu: float
    busy: float  # Share of the time that the server's CPU ran it.
    load_busy: float
    rate: float  # Requests a second.


def run_load(program, port, workload, cpu, seconds=None, requests=None, any_body=False, prefix=()):
    command = [*prefix, str(program), "--port", str(port), "--workload", workload]
    command += ["--seconds", str(seconds)] if seconds else []
    command += ["--requests", str(requests)] if requests else []
    command += ["--any-body"] if any_body else []
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=prepare_child(cpu), check=False)
    if done.returncode != 0:
        raise RunError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout)


def sample_of(cpu_time, load):
    if cpu_time.total <= 0:
        raise RunError("the server got too little CPU time to be counted: give the rounds more --seconds")
    scale = 1e6 / load["requests"]
    load_seconds = load["user_seconds"] + load["system_seconds"]
    return Sample(
        cpu=cpu_time.total * scale, user=cpu_time.user * scale, system=cpu_time.system * scale,
        load_cpu=load_seconds * scale, busy=cpu_time.total / load["seconds"],
        load_busy=load_seconds / load["seconds"], rate=load["requests"] / load["seconds"])


def median(samples):
    values = {name: statistics.median(getattr(sample, name) for sample in samples)
              for name in Sample.__dataclass_fields__}
    return Sample(**values)


def bottleneck(sample):
    """Which side was at its limit; figures per request hold in any case."""
    if sample.busy >= BUSY:
        return "server"
    return "load" if sample.load_busy >= BUSY else "neither"


def null_shape(load):
    """The flags that make a null server answer as many bytes for as many as Millrace did."""
    pipeline = load["pipeline"]
    # Requests of different lengths are counted by the batch: the load generator sends nothing smaller.
    by_batch = load["workload"] == "W1v"
    request_bytes = load["batch_request_bytes"] // (1 if by_batch else pipeline)
    return ["--request-bytes", request_bytes, "--answers", pipeline if by_batch else 1,
            "--response-bytes", load["batch_answer_bytes"] // pipeline]


def other_server(programs, backend, shape, cpu):
    """What else is worth a look: the null server on epoll, or for Millrace on epoll the same on io_uring."""
    if backend == "uring":
        return "epoll", Server([programs.limit_epoll, *shape], cpu)
    port = free_port()
    return "uring", Server([programs.server, "--port", port, "--cores", 1, "--backend", "uring"], cpu, port)


def measure(programs, workload, backend, server_cpu, load_cpu, rounds, seconds):
    """Samples by server: A B C A B C ..., on servers that start anew now and then."""
    samples = {}
    for done in range(0, rounds, ROUNDS_A_START):
        part = measure_once(programs, workload, backend, server_cpu, load_cpu, min(ROUNDS_A_START, rounds - done), seconds)
        for name, of in part.items():
            samples.setdefault(name, []).extend(of)
    return samples


def measure_once(programs, workload, backend, server_cpu, load_cpu, rounds, seconds):
    port = free_port()
    # The bench has set the backend in the environment, so that older applications are measured too.
    millrace = Server([programs.server, "--port", port, "--cores", 1], server_cpu, port)
    with millrace:
        learned = run_load(programs.load, port, workload, load_cpu, requests=1)
        shape = null_shape(learned)
        other_name, other_process = other_server(programs, backend, shape, server_cpu)
        with Server([getattr(programs, NULLS[backend]), *shape], server_cpu) as null, other_process as other:
            servers = {"null": null, "millrace": millrace, other_name: other}
            samples = {name: [] for name in servers}
            for _ in range(rounds):
                for name, server in servers.items():
                    before = server.cpu_count()
                    load = run_load(programs.load, server.port, workload, load_cpu, seconds=seconds,
                                    any_body=name in ("null", "epoll"))
                    samples[name].append(sample_of(server.cpu_count() - before, load))
    return samples


def ratio_line(what, of, own, bound):
    """The ratio of the medians, and how far the ratios of single rounds are apart."""
    ratio = median(of).cpu / median(own).cpu
    rounds = [one.cpu / another.cpu for one, another in zip(of, own)]
    return Line(what, round(ratio, 4), f"{ratio:.3f} ({min(rounds):.2f}..{max(rounds):.2f})", at_least=bound)


def ratio_lines(workload, backend, samples):
    null, own, title = samples["null"], samples["millrace"], TITLES[workload]
    if backend == "uring":
        return [ratio_line(f"{title}: of the null server", null, own, BOUNDS.get(workload)),
                ratio_line(f"{workload}: the null server on epoll: its CPU a request, times that on io_uring",
                           samples["epoll"], null, None)]
    return [ratio_line(f"{title}, on epoll: of the null server on epoll", null, own, None),
            ratio_line(f"{title}, on epoll: of Millrace on io_uring", samples["uring"], own, None)]


def describe(workload, samples):
    """One row a server, for people who want to know where the time goes."""
    rows = [f"{TITLES[workload]}"]
    for name, of in samples.items():
        middle = median(of)
        low, high = min(s.cpu for s in of), max(s.cpu for s in of)
        rows.append(
            f"  {name:9} {middle.cpu:8.3f} us CPU a request (user {middle.user:.3f}, {low:.3f}..{high:.3f}), "
            f"{middle.rate / 1e6:.3f} M/s; bottleneck: {bottleneck(middle)} "
            f"(server {middle.busy:.0%}, load {middle.load_busy:.0%}, {middle.load_cpu:.3f} us)")
    return "\n".join(rows)
