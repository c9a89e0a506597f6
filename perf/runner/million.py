"""Very many idle keep-alive connections on this machine, by one server: what they cost, and whether they answer.

Both ends are here, in a network namespace made for it where that is allowed. A process that may not have a
descriptor for each connection serves with `own_descriptors`: then the limit is each core's, and there are as many
cores as the limit asks for.
"""

import ctypes
import fcntl
import json
import math
import os
import resource
import socket
import struct
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from runner.processes import RunError, Server, free_port, prepare_child
from runner.report import Line

CONNECTIONS = 1_000_000
BOUND_BYTES = 512  # Of the engine, a connection.
MACHINE_BYTES = 24 << 30  # Both ends together.
SPARE_BYTES = 2 << 30
SPARE_FILES = 600
SAMPLE = 10_000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP, IFF_RUNNING = 0x1, 0x40


def bring_loopback_up():
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP | IFF_RUNNING))


@contextmanager
def network_of_its_own():
    """Sockets, ports and settings that end with it. Where that is not allowed: those of the machine."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            print("  no network namespace is allowed here: the machine's own addresses are used")
            yield
            return
        try:
            bring_loopback_up()
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


@contextmanager
def raised(name, wanted):
    """A setting of the kernel, raised for as long as the block runs, where that is allowed."""
    file = Path("/proc/sys") / name.replace(".", "/")
    before = int(file.read_text())
    if before >= wanted:
        yield
        return
    try:
        file.write_text(str(wanted))
    except OSError as error:
        print(f"  {name} stays {before:,}: {error.strerror}")
        yield
        return
    try:
        yield
    finally:
        file.write_text(str(before))


def files_allowed(wanted):
    """The limit of open files that a child may have, raised to `wanted` where that is allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, wanted))
            hard = wanted
        except (OSError, ValueError):
            print(f"  the limit of open files stays {hard:,}: it is not allowed to raise it")
    return hard


def cores_for(connections, files):
    """How many tables of `files` descriptors hold so many connections, which the kernel spreads by a hash."""
    room = files - SPARE_FILES
    cores = math.ceil(connections / room)
    while cores > 1 and connections / cores + 5 * math.sqrt(connections / cores) > room:
        cores += 1
    return cores


def configuration(connections, files, cpus):
    """A core a CPU; or where one table is too small, as many as it takes, with rings that are smaller for it."""
    if files >= connections + SPARE_FILES:
        return f"[server]\ncores = {cpus}\n[limits]\nconnections = {2 * connections}\n[timeouts]\nkeepalive = \"24h\"\n"
    cores = cores_for(connections, files)
    return (f"[server]\ncores = {cores}\nown_descriptors = true\n[limits]\nconnections = {2 * connections}\n"
            "[timeouts]\nkeepalive = \"24h\"\n[rings]\nentries = 1024\ncompletions = 4096\nbuffers = 64\n")


def available_bytes():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise RunError("/proc/meminfo tells no MemAvailable")


class Holders:
    """The clients' side: a program that opens the connections and asks on them when told to."""

    def __init__(self, program, port, connections):
        command = [str(program), "--port", str(port), "--connections", str(connections), "--spare-bytes", str(SPARE_BYTES)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=prepare_child(None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def outcome(self):
        line = self.process.stdout.readline()
        if not line:
            raise RunError(f"idle_load ended with {self.process.wait()}")
        outcome = json.loads(line)
        print(f"  {outcome['step']}: {outcome['connections']:,} in {outcome['seconds']:.1f} s"
              + (f", then: {outcome['problem']}" if outcome["problem"] else ""), flush=True)
        return outcome

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.outcome()


def measure(programs, connections=CONNECTIONS):
    wanted = connections + SPARE_FILES
    print(f"{connections:,} idle connections, both ends on this machine")
    with ExitStack() as stack:
        stack.enter_context(network_of_its_own())
        stack.enter_context(raised("fs.nr_open", wanted))
        stack.enter_context(raised("fs.file-max", 2 * wanted + 100_000))
        files = files_allowed(wanted)
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = directory / "millrace.toml"
        file.write_text(configuration(connections, files, len(os.sched_getaffinity(0))))
        before = available_bytes()
        port = free_port()
        server = stack.enter_context(Server([programs.server, "--port", port, "--config", file], None, port))
        holders = stack.enter_context(Holders(programs.idle_load, port, connections))
        opened = holders.outcome()
        machine = before - available_bytes()
        sampled = holders.ask(f"sample {SAMPLE}")
        swept = holders.ask("sweep")
        engine = server.private_bytes()
    return lines_of(connections, opened, engine, machine, sampled, swept)


def lines_of(wanted, opened, engine, machine, sampled, swept):
    """What was short says why: the first reason that stopped it."""
    count = opened["connections"]
    why = opened["problem"] or swept["problem"] or sampled["problem"]
    held = swept["connections"]
    answered = f"{held:,}" + (f" ({why})" if why else "")
    cost = engine / max(count, 1)
    return [
        Line("idle connections held by one engine, each answered again in a sweep", held, answered, at_least=wanted),
        Line("  memory of the whole engine, bytes each", round(cost, 1), f"{cost:.0f}", at_most=BOUND_BYTES),
        Line("  memory of the machine, both ends, GiB", round(machine / 2**30, 2), f"{machine / 2**30:.1f}",
             at_most=MACHINE_BYTES / 2**30),
        Line("  seconds to open them all, and to ask on all", round(opened["seconds"] + swept["seconds"], 1),
             f"{opened['seconds']:.0f}, {swept['seconds']:.0f}"),
    ]
