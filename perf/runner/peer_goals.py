"""What Millrace must be beside the peers: lines with a bound, from the data of peer_speed."""

from dataclasses import replace

from runner import elsewhere, peer_latency, speed
from runner.peers import NULL, OWN
from runner.report import Line

W1_TIMES = {"fasthttp": 4, "nginx": 15, "h2o": 15, "haproxy": 15, "node": 15}
BEST_SHARE = {"W2": 0.95, "W4": 0.95}
LIMITS = {"server": "Millrace", "load": "the load generator", "neither": "neither: the machine was busy"}


def lines_of(data):
    lines = []
    for workload, measured in data["workloads"].items():
        samples = {name: [speed.Sample(**sample) for sample in of] for name, of in measured["samples"].items()}
        lines += speed_lines(workload, samples) + elsewhere.lines_of(workload, samples)
    return lines + latency_lines(data["latency"])


def speed_lines(workload, samples):
    own = samples[OWN]
    others = {name: of for name, of in samples.items() if name not in (OWN, NULL)}
    lines = []
    if workload == "W1":
        for name, bound in W1_TIMES.items():
            if name in others:
                what = f"W1: CPU a request of {name}, times Millrace's"
                lines.append(speed.ratio_line(what, others[name], own, bound))
    if not others:
        return lines
    cpu = {name: speed.median(of).cpu for name, of in others.items()}
    best = min(cpu, key=cpu.get)
    if workload in BEST_SHARE:
        what = f"{workload}: CPU a request, of that of the best peer ({best})"
        lines.append(replace(speed.ratio_line(what, own, others[best], None), at_most=BEST_SHARE[workload]))
    else:
        lines.append(speed.ratio_line(f"{workload}: CPU a request of the best peer ({best}), times Millrace's",
                                      others[best], own, 1))
    rate = {name: speed.median(of).rate for name, of in others.items()}
    best = max(rate, key=rate.get)
    middle = speed.median(own)
    ratio = middle.rate / rate[best]
    lines.append(Line(f"{workload}: requests a second, times those of the best peer ({best})", round(ratio, 4),
                      f"{ratio:.3f} (the limit was {LIMITS[speed.bottleneck(middle)]})", at_least=1))
    return lines


def latency_lines(latency):
    figures = peer_latency.medians(latency)
    others = {name: of for name, of in figures.items() if name not in (OWN, NULL)}
    if OWN not in figures or not others:
        return []
    lines = []
    for percentile in peer_latency.PERCENTILES:
        best = min(others, key=lambda name: others[name][percentile])
        own, other = figures[OWN][percentile], others[best][percentile]
        lines.append(Line(f"latency at half of its own maximum, {percentile}: of that of the best peer ({best})",
                          round(own / other, 4), f"{own / other:.2f} ({own:.0f} us of {other:.0f})", at_most=1))
    return lines
