"""Fills the generated parts of docs/PERFORMANCE.md, and makes docs/plots, from perf/results/performance.json.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; all else is written by hand.
"""

import json
import re
from pathlib import Path

from runner import elsewhere, peer_latency, plots, speed
from runner.peers import NULL, OWN
from runner.processes import RunError

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = "performance"  # Of perf/results: the name that --save takes.
DOCUMENT = Path("docs/PERFORMANCE.md")
PLOTS = Path("docs/plots")
NAMES = {OWN: "Millrace", NULL: "null server", "net/http": "Go net/http", "node": "Node",
         "aiohttp": "aiohttp, uvloop"}
KINDS = {OWN: "own", NULL: "limit"}


def name_of(server):
    return NAMES.get(server, server)


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def digits(value, count=3):
    """Rounded to so many digits, without an exponent."""
    rounded = float(f"{value:.{count}g}")
    return f"{rounded:,.0f}" if rounded >= 10**(count - 1) else f"{rounded:.9f}".rstrip("0").rstrip(".")


class Samples:
    """The rounds of one workload, by server, cheapest first."""

    def __init__(self, measured):
        of = {name: [speed.Sample(**one) for one in rounds] for name, rounds in measured["samples"].items()}
        self.medians = {name: speed.median(rounds) for name, rounds in of.items()}
        self.order = sorted(of, key=lambda name: self.medians[name].cpu)
        self.rounds = of


def workload_table(measured):
    samples = Samples(measured)
    own = samples.medians[OWN].cpu
    rows = []
    for name in samples.order:
        middle = samples.medians[name]
        every = [one.cpu for one in samples.rounds[name]]
        calls = measured["system_calls"].get(name)
        rows.append((name_of(name), digits(middle.cpu), digits(middle.user), digits(middle.system),
                     f"{digits(min(every))} to {digits(max(every))}", digits(middle.cpu / own), digits(middle.rate),
                     f"{speed.bottleneck(middle)} ({middle.busy:.0%}, {middle.load_busy:.0%})",
                     "" if calls is None else digits(calls, 2)))
    rows += [(name_of(name), "no", "", "", "", "", "", reason.split("\n")[0].replace("|", "/"), "")
             for name, reason in measured["failed"].items()]
    return table(("", "CPU us a request", "user", "system", "rounds", "times Millrace's", "requests a second",
                  "bottleneck (server's CPU, load's)", "system calls a request"), rows)


def workload_plot(workload, measured):
    samples = Samples(measured)
    rows = []
    for name in samples.order:
        every = sorted(1e6 / one.cpu for one in samples.rounds[name])
        value = 1e6 / samples.medians[name].cpu
        rows.append(plots.Bar(name_of(name), KINDS.get(name, "peer"), value, every[0], every[-1], digits(value)))
    return plots.bars(f"{speed.TITLES[workload]}: requests a second of the server's CPU time", rows)


def elsewhere_table(workloads):
    """Times the null server's CPU, Millrace's of this run among the others."""
    columns = {workload: dict(others) for workload, others in elsewhere.times_null().items()}
    for workload, servers in columns.items():
        servers[OWN] = elsewhere.own_times_null(Samples(workloads[workload]).rounds)
    first, *_ = columns.values()
    return table(("", *columns), [(name_of(name), *(f"{column[name]:.2f}" for column in columns.values()))
                                  for name in sorted(first, key=first.get)])


def profile_table(workloads):
    """Microseconds a request by where Millrace spends them; the shares are of samples, the whole is the median."""
    rows = []
    for workload, measured in workloads.items():
        shares = measured["profile"]
        if shares is not None:
            cpu = Samples(measured).medians[OWN].cpu
            rows.append((workload, *(f"{digits(cpu * shares[kind], 2)} ({shares[kind]:.0%})" for kind in
                                     ("own", "sending", "delivery", "receiving", "rest"))))
    return table(("", "its own code, libraries included", "TCP: sending", "of that: delivery to the load's socket",
                  "TCP: receiving", "the rest of the kernel"), rows)


def latency_order(latency):
    medians = peer_latency.medians(latency)
    return medians, sorted(medians, key=lambda name: medians[name]["p99"])


def latency_table(latency):
    medians, order = latency_order(latency)
    rows = [(name_of(name), digits(latency[name]["rate"]),
             *(digits(medians[name][percentile]) for percentile in peer_latency.PERCENTILES),
             f"{medians[name]['unsent']:.1%}") for name in order]
    return table(("", "asked a second", "p50, us", "p99, us", "p99.9, us", "due and never sent"), rows)


def latency_plot(latency):
    medians, order = latency_order(latency)
    rows = [plots.Span(name_of(name), KINDS.get(name, "peer"),
                       {percentile: medians[name][percentile] for percentile in peer_latency.PERCENTILES})
            for name in order]
    return plots.spans("Latency at half of its own maximum: p50, p99, p99.9 (the dots grow)", rows)


def memory_table(peers):
    order = sorted(peers["memory_bytes"], key=peers["memory_bytes"].get)
    return table(("", "version", "MiB"),
                 [(name_of(name), peers["versions"].get(name, ""), digits(peers["memory_bytes"][name] / 2**20))
                  for name in order])


def machine_text(result):
    machine, peers = result["machine"], result["samples"]["peers"]
    near = peers["neighbours"]
    taken = f"{result['taken'][:4]}-{result['taken'][4:6]}-{result['taken'][6:8]}"
    text = [f"Taken on {taken}, on {machine['cpus']} CPUs of an {machine['cpu']}, Linux {machine['kernel']}, "
            f"TCP with {machine['congestion_control']}, "
            f"{machine['compiler']}, commit {machine['commit']}{' with changes' if machine['changed'] else ''}; "
            f"medians of {peers['rounds']} rounds of {peers['seconds']:g} s, beside the null server of "
            f"{len(result['samples']['W1'][OWN])}.",
            f"Meanwhile others kept {near['busy_cpus']:.2f} of the CPUs busy, the hypervisor took "
            f"{near['stolen_cpus']:.2f}, and the load average reached {near['load_average_max']:.1f}."]
    text += [f"{name_of(name)} is missing: {reason}." for name, reason in peers["skipped"].items()]
    if peers["why_no_system_calls"]:
        text.append(f"System calls are not counted: {peers['why_no_system_calls']}.")
    if peers["why_no_profile"]:
        text.append(f"There is no profile: {peers['why_no_profile']}.")
    return "\n".join(text)


def goals_table(lines):
    def bound(line):
        return (f"at least {line['at_least']:,.10g}" if line["at_least"] is not None else
                f"at most {line['at_most']:,.10g}" if line["at_most"] is not None else "")

    return table(("what", "measured", "bound", ""),
                 [(line["what"].strip(), line["text"], bound(line), line["verdict"]) for line in lines])


def parts_of(result):
    peers = result["samples"].get("peers")
    if peers is None or set(speed.WORKLOADS) - set(peers["workloads"]):
        raise RunError("these results are not of every workload beside the peers: take them with --peers")
    parts = {"machine": machine_text(result), "goals": goals_table(result["lines"]),
             "latency": latency_table(peers["latency"]), "memory": memory_table(peers),
             "profile": profile_table(peers["workloads"]), "elsewhere": elsewhere_table(peers["workloads"])}
    return parts | {workload: workload_table(of) for workload, of in peers["workloads"].items()}


def plots_of(result):
    peers = result["samples"]["peers"]
    made = {f"{workload}.svg": workload_plot(workload, of) for workload, of in peers["workloads"].items()}
    return made | {"latency.svg": latency_plot(peers["latency"])}


def filled(text, parts):
    """The document with each part in its place; every part must have one."""
    places = re.findall(r"<!-- generated: (\S+) -->", text)
    if sorted(places) != sorted(parts):
        raise RunError(f"{DOCUMENT} has the places {places}, not one for each of {sorted(parts)}")

    def part(found):
        return f"<!-- generated: {found[1]} -->\n{parts[found[1]]}\n<!-- end -->"

    text, count = re.subn(r"<!-- generated: (\S+) -->\n.*?<!-- end -->", part, text, flags=re.DOTALL)
    if count != len(parts):
        raise RunError(f"{DOCUMENT} has a place without an end")
    return text


def wanted(root=ROOT):
    """Every file that is made from the committed results, as it must be."""
    result = json.loads((root / "perf" / "results" / f"{SOURCE}.json").read_text())
    files = {DOCUMENT: filled((root / DOCUMENT).read_text(), parts_of(result))}
    return files | {PLOTS / name: text for name, text in plots_of(result).items()}


def stale(root=ROOT):
    return [str(path) for path, text in wanted(root).items()
            if not (root / path).exists() or (root / path).read_text() != text]


def write(root=ROOT):
    for path, text in wanted(root).items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(text)
