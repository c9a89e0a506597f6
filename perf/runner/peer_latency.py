"""W5: latencies in an open loop, each server at half of the rate that it reached in W2.

`millrace bench` asks at that rate whatever the server does, and counts from when a request was due. The requests
are those of W2, byte for byte, so that the null server knows where they end.
"""

import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from runner.peers import OWN
from runner.processes import RunError, prepare_child

CONNECTIONS = 100
PERCENTILES = ("p50", "p99", "p99.9")


def ask(engine, port, rate, cpu, seconds):
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "bench.json"
        command = [str(word) for word in (engine, "bench", f"http://127.0.0.1:{port}/", "-c", CONNECTIONS, "-r", rate,
                                          "-H", "Host: localhost", "-d", f"{round(seconds * 1000)}ms",
                                          "--json", result)]
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=prepare_child(cpu), check=False)
        if done.returncode != 0:
            raise RunError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
        return json.loads(result.read_text())


def figures_of(answer):
    """Percentiles in microseconds, and the share of the requests due that were never sent."""
    percentiles = answer["latency_us"]["percentiles"]
    return {name: percentiles[name] for name in PERCENTILES} | {
        "unsent": round(answer["unsent"] / (answer["unsent"] + answer["answered"]), 4)}


def measure(engine, servers, rates, cpu, rounds, seconds):
    measured = {name: {"rate": rates[name], "rounds": []} for name in servers}
    for number in range(rounds):
        print(f"latency, round {number + 1} of {rounds}", flush=True)
        for name in list(measured):
            try:
                answer = ask(engine, servers[name].port, rates[name], cpu, seconds)
                measured[name]["rounds"].append(figures_of(answer))
            except RunError as error:
                if name == OWN:
                    raise
                del measured[name]
                print(f"{name} is left out of the latencies: {error}", flush=True)
    return measured


def medians(measured):
    """Microseconds by server and percentile."""
    return {name: {key: statistics.median(one[key] for one in of["rounds"]) for key in (*PERCENTILES, "unsent")}
            for name, of in measured.items()}
