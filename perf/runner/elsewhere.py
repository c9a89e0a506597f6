"""Servers that Debian does not package, from a run of their own: perf/peers/elsewhere.json.

Two runs are not compared; but each had its null server, and what a server takes of that one's CPU can be.
"""

import json
from pathlib import Path

from runner import speed
from runner.peers import NULL, OWN
from runner.report import Line

FIGURES = Path(__file__).resolve().parent.parent / "peers" / "elsewhere.json"


def times_null():
    """By workload and server: its CPU a request, times the null server's of the same run."""
    known = json.loads(FIGURES.read_text())
    return {workload: {name: cpu[workload] / null for name, cpu in known["servers"].items()}
            for workload, null in known["null"].items()}


def own_times_null(samples):
    return speed.median(samples[OWN]).cpu / speed.median(samples[NULL]).cpu


def lines_of(workload, samples):
    servers = times_null().get(workload)
    if not servers:
        return []
    best = min(servers, key=servers.get)
    own = own_times_null(samples)
    return [Line(f"{workload}: CPU a request of the best that Debian does not package ({best}), times Millrace's, "
                 "each by the null server of its run", round(servers[best] / own, 4),
                 f"{servers[best] / own:.2f} ({servers[best]:.2f} and {own:.2f} times the null server's)", at_least=1)]
