#!/usr/bin/env python3
"""Measures Millrace and prints one table: what | measured | bound | pass or short.

Ends with 0 unless something failed to run or was answered wrongly; figures alone fail nothing, but
with --strict. See perf/README.md for the method.
"""

import argparse
import datetime
import json
import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from runner import (
    cores,
    crowd,
    document,
    files,
    frugal,
    generators,
    idle,
    instructions,
    json_speed,
    latency,
    micro,
    million,
    peer_goals,
    speed,
    start,
    tls,
    tokenizer,
    websocket,
    wrk,
)
from runner.peer_speed import Comparison
from runner.peers import PEERS as OTHERS
from runner.processes import RunError
from runner.report import as_data, table

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["speed", "latency", "crowd", "cores", "frugal", "wrk", "tokenizer", "json", "instructions", "idle", "start"]
ASKED = ["peers", "tls", "ws", "files", "generators", "million", "micro"]  # Only when asked for.


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="the build directory (build)")
    parser.add_argument("--server", type=Path, help="another application in place of perf/server")
    parser.add_argument("--backend", choices=speed.NULLS, default="uring",
                        help="of Millrace (uring); the null server is the one on the same")
    parser.add_argument("--quick", action="store_true", help="one minute in all: shows the order of things only")
    parser.add_argument("--strict", action="store_true", help="end with 3 where a figure is short of its bound")
    parser.add_argument("--peers", action="store_true",
                        help="also compare with nginx, h2o, haproxy, Go, fasthttp, Node and aiohttp: 15 minutes")
    parser.add_argument("--tls", action="store_true", help="also compare HTTPS with nginx")
    parser.add_argument("--ws", action="store_true",
                        help="also compare WebSockets with libwebsockets, ws on Node and Python's websockets")
    parser.add_argument("--files", action="store_true", help="also compare static files with nginx")
    parser.add_argument("--idle-million", dest="million", action="store_true",
                        help="also hold 1,000,000 idle connections: takes two minutes and 10 GiB of memory")
    parser.add_argument("--connections", type=int, default=million.CONNECTIONS, metavar="N",
                        help="of --idle-million (1000000)")
    parser.add_argument("--only", choices=PARTS + ASKED, action="append", help="only that part; repeatable")
    parser.add_argument("--workload", choices=speed.WORKLOADS, action="append", help="only that one; repeatable")
    parser.add_argument("--rounds", type=int, help="rounds of each workload (5; beside the null server, and of TLS, 15)")
    parser.add_argument("--seconds", type=float, help="of each round and server (2; beside the null server, and of TLS, 1)")
    parser.add_argument("--save", metavar="NAME", help="also write perf/results/NAME.json, to be committed")
    parser.add_argument("--report", action="store_true",
                        help=f"measure nothing: make {document.DOCUMENT} and its plots from "
                             f"perf/results/{document.SOURCE}.json, which --save {document.SOURCE} writes")
    parser.add_argument("--commit-instructions", action="store_true",
                        help="make the instructions counted now those that later runs are held against")
    parser.add_argument("--generators", action="store_true", help="also compare `millrace bench` with wrk")
    parser.add_argument("--micro", action="store_true", help="also time single functions, and list them all")
    options = parser.parse_args()
    if options.save and not re.fullmatch(r"[\w-]+", options.save):
        parser.error(f"--save {options.save}: takes a name, of letters, digits, _ and -; the file is perf/results/NAME.json")
    return options


def programs_of(options):
    perf = options.build / "perf"
    programs = SimpleNamespace(
        engine=options.build / "apps" / "millrace" / "millrace",
        server=options.server or perf / "server" / "server", load=perf / "load" / "load",
        limit_uring=perf / "limit" / "limit_uring", limit_epoll=perf / "limit" / "limit_epoll",
        session=perf / "instructions" / "session",
        idle_load=perf / "load" / "idle_load",
        echo=options.build / "apps" / "echo" / "echo")
    for program in vars(programs).values():
        if not program.exists():
            raise RunError(f"{program} is missing: run `./dev build`, or name the directory by --build")
    programs.websocket_lws = perf / "peers" / "websocket_echo_lws"  # Only where libwebsockets is installed.
    return programs


def two_cpus():
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        raise RunError("two CPUs are needed: one for the server, one for the load")
    return cpus[0], cpus[1]


def output_of(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def machine():
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    return {"cpu": cpu, "cpus": os.cpu_count(), "kernel": platform.release(),
            "congestion_control": Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip(),
            "compiler": output_of("c++", "--version").split("\n")[0],
            "commit": output_of("git", "rev-parse", "--short=12", "HEAD"),
            "changed": bool(output_of("git", "status", "--porcelain", "--untracked-files=no"))}


def run_speed(options, programs, cpus, details):
    lines = []
    rounds = options.rounds or (3 if options.quick else speed.ROUNDS)
    seconds = options.seconds or (0.4 if options.quick else speed.SECONDS)
    for workload in options.workload or speed.WORKLOADS:
        samples = speed.measure(programs, workload, options.backend, *cpus, rounds, seconds)
        print(speed.describe(workload, samples), flush=True)
        details[workload] = {name: [vars(sample) for sample in of] for name, of in samples.items()}
        lines += speed.ratio_lines(workload, options.backend, samples)
    return lines


def run_instructions(options, programs):
    if not instructions.available():
        print("instructions are not counted: valgrind is not installed")
        return []
    figures = instructions.measure(programs.session, ["W1"] if options.quick else instructions.WORKLOADS)
    if options.commit_instructions:
        instructions.commit(figures)
    return instructions.lines_of(figures, instructions.committed())


def run_micro(options, part, effort):
    program = options.build / "perf" / "micro" / "micro"
    if not program.exists():
        print(f"{part.__name__} is not measured: Google Benchmark was not found when this was built")
        return []
    return part.lines_of(part.measure(program, effort))


def run_files(options, programs, cpus, details):
    missing = files.missing()
    if missing:
        print(f"files are not compared: {' and '.join(missing)} not installed")
        return []
    rounds = options.rounds or (3 if options.quick else 5)
    seconds = options.seconds or (1 if options.quick else 2)
    lines, more = files.measure(programs.engine, *cpus, rounds, seconds)
    details.update(more)
    return lines


def run_scale(options, programs, cpus, parts, details):
    rounds = options.rounds or (3 if options.quick else 5)
    seconds = options.seconds or (0.4 if options.quick else 2)
    lines = []
    if "latency" in parts:
        lines += latency.measure(programs, options.backend, *cpus, rounds, seconds, details)
    if "crowd" in parts:
        lines += crowd.measure(programs, *cpus, rounds, seconds, details)
    if "cores" in parts:
        lines += cores.measure(programs, cpus, rounds, seconds, details)
    if "frugal" in parts:
        lines += frugal.measure_calls(programs, *cpus, seconds) + frugal.measure_allocations(options.build)
    return lines


def run_wrk(options, programs, cpus):
    if not wrk.available():
        print("there is no second opinion: wrk is not installed")
        return []
    return wrk.measure(programs, *cpus, 1 if options.quick else 5)


def run_generators(options, programs, cpus, details):
    if not wrk.available():
        print("the load generators are not compared: wrk is not installed")
        return []
    rounds = options.rounds or (3 if options.quick else 5)
    seconds = options.seconds or (1 if options.quick else 2)
    return generators.measure(programs.engine, programs.server, *cpus, rounds, seconds, details)


def run_peers(options, programs, cpus, details):
    rounds = options.rounds or (3 if options.quick else 5)
    comparison = Comparison(programs, options.backend, cpus, rounds, options.seconds or (0.4 if options.quick else 2))
    details["peers"] = comparison.run(options.workload or speed.WORKLOADS, OTHERS)
    return peer_goals.lines_of(details["peers"])


def run_tls(options, programs, cpus, details):
    if not tls.available():
        print("HTTPS is not compared: nginx, wrk or openssl is not installed (apt install nginx-light wrk openssl)")
        return []
    rounds = options.rounds or (3 if options.quick else speed.ROUNDS)
    seconds = options.seconds or speed.SECONDS
    return tls.measure(programs, *cpus, rounds, seconds, details)


def run_ws(options, programs, cpus, details):
    rounds = options.rounds or (3 if options.quick else 5)
    samples = websocket.measure(programs, *cpus, rounds, options.seconds or (0.4 if options.quick else 2))
    print(websocket.describe(samples), flush=True)
    details["ws"] = {name: [vars(sample) for sample in of] for name, of in samples.items()}
    return websocket.ratio_lines(samples)


def run(options):
    programs = programs_of(options)
    cpus = two_cpus()
    os.environ["MILLRACE_SERVER_BACKEND"] = options.backend  # For every part that starts the server.
    parts = options.only or PARTS + [name for name in ASKED if getattr(options, name)]
    if options.save == document.SOURCE and ("peers" not in parts or options.workload):
        raise RunError(f"{document.DOCUMENT} needs every workload beside the peers: --save {document.SOURCE} goes "
                       "with --peers, and without --workload")
    details = {}
    lines = []
    if "speed" in parts:
        lines += run_speed(options, programs, cpus, details)
    if any(part in parts for part in ("latency", "crowd", "cores", "frugal")):
        lines += run_scale(options, programs, cpus, parts, details)
    if "wrk" in parts:
        lines += run_wrk(options, programs, cpus)
    if "generators" in parts:
        lines += run_generators(options, programs, cpus, details)
    if "peers" in parts:
        lines += run_peers(options, programs, cpus, details)
    if "tls" in parts:
        lines += run_tls(options, programs, cpus, details)
    if "tokenizer" in parts:
        lines += run_micro(options, tokenizer, 3 if options.quick else 15)
    if "json" in parts:
        lines += run_micro(options, json_speed, 3 if options.quick else 15)
    if "micro" in parts:
        lines += run_micro(options, micro, micro.REPETITIONS[options.quick])
    if "instructions" in parts:
        lines += run_instructions(options, programs)
    if "ws" in parts:
        lines += run_ws(options, programs, cpus, details)
    if "idle" in parts:
        lines.append(idle.measure(programs.server, cpus[0], 2000 if options.quick else idle.CONNECTIONS))
        lines.append(idle.measure_tls(programs.server, cpus[0], 500 if options.quick else idle.TLS_CONNECTIONS))
    if "start" in parts:
        lines += start.measure(programs.engine)
    if "million" in parts:
        lines += million.measure(programs, options.connections)
    if "files" in parts:
        lines += run_files(options, programs, cpus, details)
    return lines, details


def write_results(options, lines, details):
    taken = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    result = {"taken": taken, "quick": options.quick, "backend": options.backend, "machine": machine(), "lines": as_data(lines),
              "samples": details}
    results = ROOT / "perf" / "results"
    files = [results / "local" / f"{taken}.json"]
    if options.save:
        files.append(results / f"{options.save}.json")
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result, indent=1) + "\n")
    return files[-1]


def report():
    try:
        document.write()
    except (RunError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(f"{document.DOCUMENT} and {document.PLOTS} are made")
    return 0


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # The servers end with it.
    if options.report:
        return report()
    try:
        lines, details = run(options)
    except RunError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    file = write_results(options, lines, details)
    print(f"\n{table(lines)}\n\nwritten to {file.relative_to(ROOT)}")
    if options.save == document.SOURCE and report() != 0:
        return 1
    return 3 if options.strict and any(line.verdict == "short" for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
