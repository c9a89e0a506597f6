"""Millrace, the null server and the peers in every workload: A B C ... A B C ..., all up at the same time.

Only Millrace and the null server must work: a peer that fails a workload is left out of it, with the reason.
"""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from runner import cpu_profile, peer_latency, peers, speed, system_calls
from runner.neighbours import Neighbours
from runner.peers import NULL, OWN
from runner.processes import RunError, Server, free_port

FIRST_SECONDS = 1  # A round before the others warms a server up, and counts its system calls.


class Comparison:
    def __init__(self, programs, backend, cpus, rounds, seconds):
        self.programs = programs
        self.backend = backend
        self.server_cpu, self.load_cpu = cpus
        self.rounds = rounds
        self.seconds = seconds
        self.neighbours = Neighbours()
        self.why_no_calls = system_calls.why_not()
        self.why_no_profile = cpu_profile.why_not()
        self.skipped = {}
        self.servers = {}
        self.directory = None

    def run(self, workloads, chosen):
        """The data of perf/results: what a figure or a plot may be made from."""
        with ExitStack() as stack:
            self.directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="millrace-peers-")))
            self._start(stack, chosen)
            measured = {workload: self._workload(workload) for workload in workloads}
            latency = self._latency(measured["W2"]) if "W2" in measured else {}
            memory = {name: self._attempt({}, name, server.proportional_bytes) for name, server in self.servers.items()}
        versions = {peer.name: peer.version() for peer in chosen if peer.name in self.servers}
        return {"rounds": self.rounds, "seconds": self.seconds, "versions": versions, "skipped": self.skipped,
                "neighbours": self.neighbours.as_data(), "why_no_system_calls": self.why_no_calls,
                "why_no_profile": self.why_no_profile, "workloads": measured, "latency": latency,
                "memory_bytes": {name: size for name, size in memory.items() if size is not None}}

    def _start(self, stack, chosen):
        port = free_port()
        command = [self.programs.server, "--port", port, "--cores", 1]
        self.servers[OWN] = stack.enter_context(Server(command, self.server_cpu, port))
        for peer in chosen:
            try:
                server = peers.started(peer, self.server_cpu, self.directory)
            except RunError as error:
                self.skipped[peer.name] = str(error)
                print(f"{peer.name} is not measured: {error}", flush=True)
                continue
            stack.push(server)
            self.servers[peer.name] = server

    def _null(self, workload):
        """The null server that answers as many bytes as Millrace."""
        learned = speed.run_load(self.programs.load, self.servers[OWN].port, workload, self.load_cpu, requests=1)
        return Server([getattr(self.programs, speed.NULLS[self.backend]), *speed.null_shape(learned)], self.server_cpu)

    def _workload(self, workload):
        with self._null(workload) as null:
            servers = {OWN: self.servers[OWN], NULL: null} | {
                name: server for name, server in self.servers.items() if name != OWN}
            samples = {name: [] for name in servers}
            failed = {}
            calls = {}
            print(f"{workload}, warming up", flush=True)
            for name, server in servers.items():
                calls[name] = self._attempt(failed, name, self._system_calls, server, workload, name == NULL)
            for number in range(self.rounds):
                print(f"{workload}, round {number + 1} of {self.rounds}", flush=True)
                for name in [name for name in servers if name not in failed]:
                    sample = self._attempt(failed, name, self._sample, servers[name], workload, name == NULL)
                    samples[name].append(sample)
            profile = self._profile(workload)
        samples = {name: of for name, of in samples.items() if name not in failed}
        print(speed.describe(workload, samples), flush=True)
        return {"samples": {name: [compact(vars(sample)) for sample in of] for name, of in samples.items()},
                "system_calls": {name: count for name, count in calls.items() if count is not None}, "failed": failed,
                "profile": profile}

    def _attempt(self, failed, name, measure, *arguments):
        try:
            return measure(*arguments)
        except (RunError, OSError) as error:
            if name in (OWN, NULL):
                raise
            failed[name] = str(error)
            print(f"{name} is left out of it: {error}", flush=True)
            return None

    def _sample(self, server, workload, any_body):
        self.neighbours.begin()
        begin = time.monotonic()
        before = server.cpu_count()
        load = speed.run_load(self.programs.load, server.port, workload, self.load_cpu, seconds=self.seconds,
                              any_body=any_body)
        spent = server.cpu_count() - before
        ours = spent.total + load["user_seconds"] + load["system_seconds"]
        self.neighbours.end(time.monotonic() - begin, ours)
        return speed.sample_of(spent, load)

    def _system_calls(self, server, workload, any_body):
        """A request's, or None."""
        report = self.directory / "system_calls"
        prefix = () if self.why_no_calls else system_calls.prefix(server.pids(), report)
        load = speed.run_load(self.programs.load, server.port, workload, self.load_cpu,
                              seconds=min(self.seconds, FIRST_SECONDS), any_body=any_body, prefix=prefix)
        count = system_calls.parse(report.read_text()) if prefix else None
        return None if count is None else round(count / load["requests"], 5)

    def _profile(self, workload):
        """Where Millrace's CPU time goes, or None."""
        if self.why_no_profile:
            return None
        server = self.servers[OWN]
        samples = self.directory / "samples"
        speed.run_load(self.programs.load, server.port, workload, self.load_cpu, seconds=self.seconds,
                       prefix=cpu_profile.prefix(server.pids(), samples))
        return cpu_profile.read(samples)

    def _latency(self, measured):
        with self._null("W2") as null:
            servers = {OWN: self.servers[OWN], NULL: null} | self.servers
            rates = {name: round(statistics.median(sample["rate"] for sample in of) / 2)
                     for name, of in measured["samples"].items()}
            return peer_latency.measure(self.programs.engine, {name: servers[name] for name in rates}, rates,
                                        self.load_cpu, self.rounds, self.seconds)


def compact(figures):
    """Five digits: more are noise."""
    return {name: float(f"{value:.5g}") for name, value in figures.items()}
