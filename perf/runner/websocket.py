"""CPU time per message of an echo over WebSockets: 64 bytes, 100 connections, one message of each under way.

The peers are the servers of that kind which Debian packages: libwebsockets, ws on Node, and Python's websockets. One
process on one CPU each, without compression, in interleaved rounds.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from runner.processes import RunError, Server, free_port, prepare_child
from runner.report import Line
from runner.speed import bottleneck, median, sample_of

PEERS = Path(__file__).resolve().parent.parent / "peers"
NODE_WS = Path("/usr/share/nodejs/ws/index.js")
PYTHON = "/usr/bin/python3"
PYTHON_WEBSOCKETS = Path("/usr/lib/python3/dist-packages/websockets")


def run_load(engine, port, cpu, seconds):
    """What speed.sample_of() wants to know of a run of `millrace bench`, whose messages are 64 bytes long."""
    with tempfile.TemporaryDirectory() as directory:
        result = Path(directory) / "bench.json"
        command = [str(engine), "bench", f"ws://127.0.0.1:{port}/ws", "-c", "100", "-d", f"{round(seconds * 1000)}ms",
                   "--json", str(result)]
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=prepare_child(cpu), check=False)
        if done.returncode != 0:
            raise RunError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
        got = json.loads(result.read_text())
    return {"requests": got["answered"]} | {name: got[name] for name in ("seconds", "user_seconds", "system_seconds")}


def servers_of(programs, cpu):
    """Those that are here, by name; a line for each that is not."""
    port = free_port()
    servers = {"millrace": Server([programs.echo, "--listen", f"127.0.0.1:{port}", "--cores", 1], cpu, port)}
    if programs.websocket_lws.exists():
        port = free_port()
        servers["libwebsockets"] = Server([programs.websocket_lws, port], cpu, port)
    else:
        print("libwebsockets is not measured: libwebsockets-dev was not there when this was built")
    if NODE_WS.exists():
        port = free_port()
        servers["node ws"] = Server(["node", PEERS / "websocket_echo.js", port], cpu, port)
    else:
        print("ws on Node is not measured: node-ws is not installed")
    if PYTHON_WEBSOCKETS.is_dir():
        port = free_port()
        servers["python websockets"] = Server([PYTHON, PEERS / "websocket_echo.py", port], cpu, port)
    else:
        print("Python's websockets is not measured: python3-websockets is not installed")
    return servers


def measure(programs, server_cpu, load_cpu, rounds, seconds):
    servers = servers_of(programs, server_cpu)
    started = []
    samples = {name: [] for name in servers}
    try:
        for server in servers.values():
            started.append(server.__enter__())
        for _ in range(rounds):
            for name, server in servers.items():
                before = server.cpu_count()
                load = run_load(programs.engine, server.port, load_cpu, seconds)
                samples[name].append(sample_of(server.cpu_count() - before, load))
    finally:
        for server in started:
            server.__exit__()
    return samples


def ratio_lines(samples):
    own = median(samples["millrace"]).cpu
    lines = [Line("WebSocket echo, 64 bytes, 100 connections: CPU microseconds a message", round(own, 3), f"{own:.2f}")]
    for name, of in samples.items():
        if name != "millrace":
            ratio = median(of).cpu / own
            lines.append(Line(f"  {name}: of its CPU a message, times Millrace's", round(ratio, 3), f"{ratio:.2f}",
                              at_least=1))
    return lines


def describe(samples):
    rows = ["WebSocket echo: 64 bytes, 100 connections"]
    for name, of in samples.items():
        middle = median(of)
        low, high = min(s.cpu for s in of), max(s.cpu for s in of)
        rows.append(
            f"  {name:18} {middle.cpu:8.2f} us CPU a message (user {middle.user:.2f}, {low:.2f}..{high:.2f}), "
            f"{middle.rate / 1e3:.1f} k/s; bottleneck: {bottleneck(middle)}")
    return "\n".join(rows)
