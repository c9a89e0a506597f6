"""Two cores against one: what it costs a request that two cores are one server.

One server of two cores is held against two servers of one core each, on the same two CPUs, under the same load: from
either CPU a generator asks on 100 connections, half of them to either core. So the only difference is what cores
share: the process, its memory, and the listening address, whose connections the kernel spreads.
"""

import json
import statistics
import subprocess

from runner.processes import CpuTime, RunError, Server, free_port, prepare_child
from runner.report import Line

BOUND = 1.05
CONNECTIONS = 100  # Of each generator, and so of each core.
WORKLOADS = ["W1", "W2"]


def load_together(program, ports, workload, cpus, seconds):
    """A generator on each CPU, for both ports; the count of their requests."""
    running = []
    for cpu in cpus:
        command = [str(program), "--port", str(ports[0]), "--other-port", str(ports[1]), "--workload", workload,
                   "--connections", str(CONNECTIONS), "--seconds", str(seconds)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        preexec_fn=prepare_child(cpu)))
    ended = [(process, *process.communicate()) for process in running]
    for process, _, problem in ended:
        if process.returncode != 0:
            raise RunError(f"{' '.join(process.args)}: {problem.strip() or process.returncode}")
    return sum(json.loads(output)["requests"] for _, output, _ in ended)


def spent(servers, before):
    times = [server.cpu_count() - count for server, count in zip(servers, before)]
    return CpuTime(sum(time.user for time in times), sum(time.system for time in times))


def start(program, cores, cpu):
    port = free_port()
    return Server([program, "--port", port, "--cores", cores], cpu, port)


def measure(programs, cpus, rounds, seconds, details):
    lines = []
    with start(programs.server, 2, None) as both, start(programs.server, 1, cpus[0]) as first, \
            start(programs.server, 1, cpus[1]) as second:
        for workload in WORKLOADS:
            costs = {"one": [], "two": []}  # Microseconds of CPU a request.
            for _ in range(rounds):
                for name, servers in (("one", [first, second]), ("two", [both, both])):
                    distinct = servers if name == "one" else [both]
                    before = [server.cpu_count() for server in distinct]
                    requests = load_together(programs.load, [server.port for server in servers], workload, cpus, seconds)
                    costs[name].append(spent(distinct, before).total * 1e6 / requests)
            details[f"{workload} of two cores"] = costs
            lines.append(line_of(workload, costs))
    return lines


def line_of(workload, costs):
    ratio = statistics.median(costs["two"]) / statistics.median(costs["one"])
    each = [two / one for one, two in zip(costs["one"], costs["two"])]
    return Line(f"{workload}: CPU a request of 2 cores, times that of 1 core", round(ratio, 4),
                f"{ratio:.3f} ({min(each):.2f}..{max(each):.2f})", at_most=BOUND)
