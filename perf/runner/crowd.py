"""W6: 10,000 connections, of which 100 are active: what the idle ones cost those that ask.

Two of the same server, one with 9,900 idle connections that each had a request answered: W2's load on the one and
the other, in interleaved rounds.
"""

from runner.million import Holders
from runner.processes import RunError, Server, free_port
from runner.report import Line
from runner.speed import median, run_load, sample_of

IDLE = 9_900
BOUND = 1.05
TITLE = "W6: as W2, beside 9,900 idle connections: CPU a request, times that without them"


def start(program, cpu):
    port = free_port()
    return Server([program, "--port", port, "--cores", 1], cpu, port)


def measure(programs, server_cpu, load_cpu, rounds, seconds, details):
    with start(programs.server, server_cpu) as alone, start(programs.server, server_cpu) as crowded, \
            Holders(programs.idle_load, crowded.port, IDLE) as holders:
        opened = holders.outcome()
        if opened["problem"]:
            raise RunError(f"W6: {opened['connections']:,} connections are open, then: {opened['problem']}")
        samples = {"W2": [], "W6": []}
        for _ in range(rounds):
            for name, server in (("W2", alone), ("W6", crowded)):
                before = server.cpu_count()
                load = run_load(programs.load, server.port, "W2", load_cpu, seconds=seconds)
                samples[name].append(sample_of(server.cpu_count() - before, load))
        swept = holders.ask("sweep")
        if swept["problem"]:
            raise RunError(f"W6: of the idle connections {swept['connections']:,} answer, then: {swept['problem']}")
    details["W6"] = {name: [vars(sample) for sample in of] for name, of in samples.items()}
    return [line_of(samples)]


def line_of(samples):
    ratio = median(samples["W6"]).cpu / median(samples["W2"]).cpu
    each = [crowded.cpu / alone.cpu for alone, crowded in zip(samples["W2"], samples["W6"])]
    return Line(TITLE, round(ratio, 4), f"{ratio:.3f} ({min(each):.2f}..{max(each):.2f})", at_most=BOUND)
