"""Servers as child processes: their CPU, their CPU time, their memory."""

import os
import resource
import select
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class RunError(Exception):
    """Something did not run, or answered wrongly: the one thing that fails a benchmark."""


@dataclass(frozen=True)
class CpuTime:
    """Seconds. How they are split in user and system is known in ticks of 10 ms only."""

    user: float
    system: float

    @property
    def total(self):
        return self.user + self.system


@dataclass(frozen=True)
class CpuCount:
    """A process's counters at one moment; the difference of two is a CpuTime."""

    user_ticks: int
    system_ticks: int
    run_seconds: float | None  # Of the living threads, by the scheduler; None where it keeps no count.

    def __sub__(self, before):
        user = (self.user_ticks - before.user_ticks) / TICKS
        system = (self.system_ticks - before.system_ticks) / TICKS
        if self.run_seconds is None or before.run_seconds is None:
            return CpuTime(user, system)
        # The scheduler's count is in nanoseconds, but loses the threads that ended.
        run = self.run_seconds - before.run_seconds
        if abs(run - user - system) > 2 / TICKS:
            return CpuTime(user, system)
        if user + system == 0:  # No tick fell into it: nearly all that a server does is the kernel's.
            return CpuTime(0, run)
        return CpuTime(user * run / (user + system), system * run / (user + system))


def family(pid):
    """The process and what it started, down to the last; who ends meanwhile is left out."""
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def read_cpu_count(pids):
    user = system = run = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        user += int(fields[11])
        system += int(fields[12])
        own = read_run_time(pid)
        run = None if run is None or own is None else run + own
    return CpuCount(user, system, run)


def read_run_time(pid):
    """Seconds that the living threads ran, or None."""
    try:
        return sum(int(thread.read_text().split()[0]) for thread in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    except (OSError, IndexError, ValueError):
        return None


def read_memory(pid, *kinds):
    """Bytes of those kinds, as the kernel names them; its own memory for the process is not in it."""
    kilobytes = 0
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(kinds):
            kilobytes += int(line.split()[1])
    return kilobytes * 1024


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def prepare_child(cpu):
    """Runs in the child: its CPU, and as many files as are allowed."""

    def prepare():
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    return prepare


class Server:
    """A server on 127.0.0.1 for as long as the with block runs."""

    def __init__(self, command, cpu, port=None):
        """Without a port, the program prints `port N` once it listens."""
        self.command = [str(word) for word in command]
        self.cpu = cpu
        self.port = port

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            preexec_fn=prepare_child(self.cpu))
        try:
            if self.port is None:
                self._read_port()
            else:
                self._await_port()
        except RunError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _fail(self, reason):
        raise RunError(f"{' '.join(self.command)}: {reason}")

    def _read_port(self):
        if not select.select([self.process.stdout], [], [], 10)[0]:
            self._fail("does not say where it listens")
        line = self.process.stdout.readline()
        if not line.startswith("port "):
            self._fail(line.strip() or "ended at once")
        self.port = int(line.split()[1])

    def _await_port(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self._fail(self.process.stdout.read().strip() or f"ended with {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        self._fail(f"does not listen on port {self.port}")

    def cpu_count(self):
        return read_cpu_count(self.pids())

    def pids(self):
        return family(self.process.pid)

    def private_bytes(self):
        """What only this process holds in memory."""
        return read_memory(self.process.pid, "Private_Clean:", "Private_Dirty:")

    def proportional_bytes(self):
        """What it and its children hold, where a page that others hold too counts by their number."""
        return sum(read_memory(pid, "Pss:") for pid in self.pids())
