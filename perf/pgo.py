#!/usr/bin/env python3
"""The two halves of `./dev build --pgo` that are not building: train the instrumented programs, and compare the result.

Training is a second of each kind of traffic. What it must have is the branches of every kind, not their number.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import two_cpus
from runner import compare, instructions
from runner.processes import RunError, Server, free_port
from runner.report import table
from runner.revision import TARGETS
from runner.speed import NULLS, WORKLOADS, run_load

SECONDS = 1
ROUNDS = 5

CONFIG = """[server]
listen = ["127.0.0.1:{port}"]
cores = 1
[tls]
listen = ["127.0.0.1:{tls_port}"]
cert = "{directory}/cert.pem"
key = "{directory}/key.pem"
[[route]]
path = "/*"
files = "{directory}/files"
[[route]]
path = "/hello"
respond = {{ status = 200, type = "text/plain", body = "Hello world!" }}
"""


def train_workloads(options, cpus):
    for backend in NULLS:
        port = free_port()
        with Server([options.pgo / TARGETS["server"], "--port", port, "--cores", 1, "--backend", backend], cpus[0], port):
            for workload in WORKLOADS:
                run_load(options.build / "perf/load/load", port, workload, cpus[1], seconds=SECONDS)


def bench(options, *words):
    """By the instrumented binary too: the load generator is a part of it."""
    command = [str(word) for word in (options.pgo / "apps/millrace/millrace", "bench", "-c", 20, "-d", f"{SECONDS}s", *words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")


def make_certificate(directory):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-keyout", directory / "key.pem", "-out", directory / "cert.pem"],
                   check=True, capture_output=True)


def train_engine(options, cpus):
    """Files, fixed answers, and what is refused, plain and by TLS."""
    with tempfile.TemporaryDirectory(prefix="millrace-pgo-") as name:
        directory = Path(name)
        make_certificate(directory)
        (directory / "files").mkdir()
        (directory / "files" / "small.html").write_bytes(b"s" * 1024)
        (directory / "files" / "large.bin").write_bytes(b"l" * (256 << 10))
        port, tls_port = free_port(), free_port()
        config = directory / "millrace.toml"
        config.write_text(CONFIG.format(port=port, tls_port=tls_port, directory=directory))
        with Server([options.pgo / "apps/millrace/millrace", "--config", config], cpus[0], port):
            for path, *more in (("/small.html",), ("/large.bin",), ("/hello", "-p", 8), ("/small.html", "--no-keepalive"),
                                ("/absent", "--expect-status", 404), ("/small.html", "-H", "If-None-Match: *")):
                bench(options, f"http://127.0.0.1:{port}{path}", *more)
                bench(options, f"https://127.0.0.1:{tls_port}{path}", "--insecure", *more)


def train_websockets(options, cpus):
    port = free_port()
    with Server([options.pgo / "apps/echo/echo", "--listen", f"127.0.0.1:{port}", "--cores", 1], cpus[0], port):
        for size in (64, 5000):
            bench(options, f"ws://127.0.0.1:{port}/ws", "--message-bytes", size)


def train(options):
    cpus = two_cpus()
    train_workloads(options, cpus)
    train_engine(options, cpus)
    train_websockets(options, cpus)


def report(options):
    lines = []
    names = ("plain", "pgo")
    builds = (options.build, options.pgo)
    for workload in compare.WORKLOADS:
        programs = dict(zip(names, (build / TARGETS["server"] for build in builds)))
        samples = compare.measure(programs, options.build / "perf/load/load", workload, *two_cpus(), ROUNDS, 1)
        lines.append(compare.speed_line(workload, samples))
    for workload in instructions.WORKLOADS if instructions.available() else []:
        figures = [instructions.per_request(build / TARGETS["session"], workload) for build in builds]
        lines.append(compare.instruction_line(workload, dict(zip(names, figures))))
    print(f"{table(lines)}\n\nbuilt: {options.pgo / 'apps/millrace/millrace'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=["train", "report"])
    parser.add_argument("--build", type=Path, required=True, help="a plain build, for the load and to compare with")
    parser.add_argument("--pgo", type=Path, required=True, help="the build by a profile")
    options = parser.parse_args()
    try:
        {"train": train, "report": report}[options.step](options)
    except RunError as error:
        print(f"pgo: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
