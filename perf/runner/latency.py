"""W5: latencies in an open loop, at half of the rate that the server reached in W2; beside the null server at its own
half. `./dev bench --peers` holds them against other servers."""

from runner import peer_latency
from runner.processes import Server, free_port
from runner.report import Line
from runner.speed import NULLS, median, null_shape, run_load, sample_of

TITLE = "W5: latency at half of its own maximum, {}: p50, p99, p99.9 in us"


def measure(programs, backend, server_cpu, load_cpu, rounds, seconds, details):
    port = free_port()
    with Server([programs.server, "--port", port, "--cores", 1], server_cpu, port) as own:
        shape = null_shape(run_load(programs.load, port, "W2", load_cpu, requests=1))
        with Server([getattr(programs, NULLS[backend]), *shape], server_cpu) as null:
            servers = {"Millrace": own, "the null server": null}
            rates = {name: half_rate(programs, server, load_cpu, seconds) for name, server in servers.items()}
            details["W5"] = peer_latency.measure(programs.engine, servers, rates, load_cpu, rounds, seconds)
    return lines_of(details["W5"])


def half_rate(programs, server, load_cpu, seconds):
    samples = []
    for _ in range(3):
        before = server.cpu_count()
        load = run_load(programs.load, server.port, "W2", load_cpu, seconds=seconds, any_body=True)
        samples.append(sample_of(server.cpu_count() - before, load))
    return round(median(samples).rate / 2)


def lines_of(measured):
    lines = []
    for name, of in peer_latency.medians(measured).items():
        figures = [of[percentile] for percentile in peer_latency.PERCENTILES]
        text = ", ".join(f"{figure:,.0f}" for figure in figures)
        lines.append(Line(TITLE.format(name), figures[1], f"{text} (at {measured[name]['rate']:,} a second)"))
    return lines
