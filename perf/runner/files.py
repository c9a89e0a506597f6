"""Static files beside nginx: CPU time per request and requests a second, in interleaved rounds.

Both serve the same directory from one process on one CPU; nginx with sendfile, tcp_nopush and
open_file_cache. wrk asks from the other CPU, over connections that stay.
"""

import os
import re
import shutil
import statistics
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from runner.processes import RunError, Server, free_port, prepare_child
from runner.report import Line
from runner.wrk import parse


@dataclass(frozen=True)
class File:
    name: str
    size_bytes: int
    connections: int
    at_least: float  # Of nginx.


FILES = [
    File("1 KiB", 1 << 10, 64, 1.2),
    File("64 KiB", 64 << 10, 32, 1.1),
    File("10 MiB", 10 << 20, 8, 1.0),
]

NGINX = """
daemon off; master_process off; pid {directory}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; use epoll; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
  client_body_temp_path {directory}/1; proxy_temp_path {directory}/2; fastcgi_temp_path {directory}/3;
  uwsgi_temp_path {directory}/4; scgi_temp_path {directory}/5;
  server {{ listen 127.0.0.1:{port}; root {directory}/files; }}
}}
"""

MILLRACE = """[server]
listen = ["127.0.0.1:{port}"]
cores = 1
[[route]]
path = "/*"
files = "{directory}/files"
"""


@dataclass(frozen=True)
class Sample:
    cpu: float  # Microseconds of the server's per request.
    rate: float  # Requests a second.
    busy: float  # Share of the time that the server's CPU ran it.


def missing():
    """What is not installed and needed, or nothing."""
    return [name for name in ("nginx", "wrk") if shutil.which(name) is None]


def requests_of(output):
    """How many requests wrk made, in how many seconds; short answers are a failure."""
    parse(output)
    found = re.search(r"(\d+) requests in ([\d.]+)(s|m)", output)
    if not found:
        raise RunError(f"wrk: {output.strip()}")
    return int(found.group(1)), float(found.group(2)) * (60 if found.group(3) == "m" else 1)


def name_of(file):
    return f"{file.size_bytes}.bin"


def check(port, file, content):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name_of(file)}", timeout=30) as answer:
        if answer.read() != content:
            raise RunError(f"the file of {file.name} came wrong")


def load(server, file, cpu, seconds):
    command = ["wrk", "-t1", f"-c{file.connections}", f"-d{max(1, round(seconds))}s",
               f"http://127.0.0.1:{server.port}/{name_of(file)}"]
    before = server.cpu_count()
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=prepare_child(cpu), check=False)
    spent = server.cpu_count() - before
    requests, took = requests_of(done.stdout + done.stderr)
    if requests == 0:
        raise RunError(f"wrk got no answer for the file of {file.name}")
    return Sample(cpu=spent.total / requests * 1e6, rate=requests / took, busy=spent.total / took)


def line_of(file, samples):
    ratios = sorted(other.cpu / own.cpu for own, other in zip(samples["millrace"], samples["nginx"]))
    cpu = {name: statistics.median(sample.cpu for sample in of) for name, of in samples.items()}
    rate = {name: statistics.median(sample.rate for sample in of) for name, of in samples.items()}
    busy = {name: statistics.median(sample.busy for sample in of) for name, of in samples.items()}
    ratio = cpu["nginx"] / cpu["millrace"]
    told = ", ".join(f"{name} {cpu[name]:.1f} us, {rate[name]:,.0f}/s, its CPU {busy[name]:.0%} busy"
                     for name in samples)
    return Line(f"files of {file.name}: CPU time of nginx divided by ours", ratio,
                f"{ratio:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}; {told})", at_least=file.at_least)


def measure(engine, server_cpu, load_cpu, rounds, seconds):
    lines = []
    details = {}
    with tempfile.TemporaryDirectory(prefix="millrace-bench-") as directory:
        (Path(directory) / "files").mkdir()
        contents = {file: os.urandom(file.size_bytes) for file in FILES}
        for file, content in contents.items():
            (Path(directory) / "files" / name_of(file)).write_bytes(content)
        ports = {"millrace": free_port(), "nginx": free_port()}
        commands = {"millrace": [engine, "--config"], "nginx": ["nginx", "-c"]}
        servers = {}
        for name, text in (("millrace", MILLRACE), ("nginx", NGINX)):
            config = Path(directory) / f"{name}.conf"
            config.write_text(text.format(port=ports[name], directory=directory))
            servers[name] = Server([*commands[name], str(config)], server_cpu, ports[name])
        with servers["millrace"], servers["nginx"]:
            for file in FILES:
                samples = {name: [] for name in servers}
                for name, server in servers.items():
                    check(server.port, file, contents[file])
                    load(server, file, load_cpu, 1)
                for _ in range(rounds):
                    for name, server in servers.items():
                        samples[name].append(load(server, file, load_cpu, seconds))
                lines.append(line_of(file, samples))
                print(lines[-1].what, lines[-1].text, sep=": ", flush=True)
                details[f"file {file.name}"] = {
                    name: [vars(sample) for sample in of] for name, of in samples.items()}
    return lines, details
