"""Two builds of Millrace beside each other: the CPU time of a request, and its instructions.

Both servers stay up; a round asks each once, and every second round in the other order, so that neither always
comes behind the same neighbour.
"""

from runner import instructions
from runner.processes import Server, free_port
from runner.report import Line
from runner.speed import TITLES, bottleneck, median, run_load, sample_of

WORKLOADS = ["W1", "W1v", "W2", "W3"]
TOLERANCE = instructions.TOLERANCE  # Instructions hold still; time does not, and is never judged.


def interleave(names, rounds):
    """Who is asked when: A B, B A, A B ..."""
    for index in range(rounds):
        yield from names if index % 2 == 0 else reversed(names)


def measure(programs, load, workload, server_cpu, load_cpu, rounds, seconds):
    """{name: samples} of two servers, by name."""
    servers = {}
    for name, program in programs.items():
        port = free_port()
        servers[name] = Server([program, "--port", port, "--cores", 1], server_cpu, port)
    samples = {name: [] for name in servers}
    first, second = servers.values()
    with first, second:
        for server in servers.values():
            run_load(load, server.port, workload, load_cpu, requests=10_000)
        for name in interleave(list(servers), rounds):
            before = servers[name].cpu_count()
            load_run = run_load(load, servers[name].port, workload, load_cpu, seconds=seconds)
            samples[name].append(sample_of(servers[name].cpu_count() - before, load_run))
    return samples


def speed_line(workload, samples):
    (old_name, old), (new_name, new) = samples.items()
    ratio = median(new).cpu / median(old).cpu
    rounds = sorted(one.cpu / other.cpu for one, other in zip(new, old))
    return Line(f"{TITLES[workload]}: CPU a request, {new_name} / {old_name}", round(ratio, 4),
                f"{ratio:.3f} ({rounds[0]:.2f}..{rounds[-1]:.2f}; {median(new).cpu:.3f} us, {median(old).cpu:.3f} us; "
                f"at the limit: {bottleneck(median(new))})")


def instruction_line(workload, figures):
    (old_name, old), (new_name, new) = figures.items()
    return Line(f"instructions a request, {workload}: {new_name} / {old_name}", round(new / old, 4),
                f"{new / old:.3f} ({new:.1f}, {old:.1f})", at_most=1 + TOLERANCE)


def slower(lines):
    """A sentence where instructions went up by more than the tolerance; nothing where they did not."""
    grown = [line for line in lines if line.verdict == "short"]
    if not grown:
        return ""
    return "; ".join(f"{line.what} is {line.measured:.3f}, more than {line.at_most:g}" for line in grown)
