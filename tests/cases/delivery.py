"""delivery.py: sends one case in one way and sees what comes back.

The order of things: the bytes; what follows them (`then`); the end of sending (`half_close`); waiting for
the responses that are due, and a moment longer, so that one too many shows; the close where one is due;
a probe where the connection stays, which must be answered as the next request of its own."""

from __future__ import annotations

import random
import socket
import time
from dataclasses import dataclass

from loop import Started, Steps, Wait
from receive_queue import Address, ReceiveQueues
from response import Reader
from table import Case

PROBE = b"GET /__probe__ HTTP/1.1\r\nHost: localhost\r\n\r\n"
SEGMENTS_MAX = 3000  # "byte" takes larger steps past it.
RECEIVE_BYTES = 262144
DRAIN_S_MAX = 0.25  # A server that has stopped reading on purpose is not waited for.
UNKNOWN_PAUSE_S = 0.002


@dataclass
class Limits:
    timeout_s: float = 5.0
    settle_s: float = 0.08


@dataclass
class Seen:
    """What one delivery brought."""

    reader: Reader
    due: int = 0  # Responses before the probe.
    interim_first: bool | None = (
        None  # Whether 100 came before the body was sent; None: nobody waited for it.
    )
    eof: bool = False
    closed: bool = False  # The end came before the probe.
    reset: bool = False
    probe: str | list[int] | None = None
    leftover: bytes = b""
    raw: bytes = b""


def segments(data: bytes, mode: str, name: str) -> list[bytes]:
    if mode == "whole":
        cuts: list[int] = []
    elif mode == "byte":
        step = max(1, -(-len(data) // SEGMENTS_MAX))
        cuts = list(range(step, len(data), step))
    elif mode == "split":
        choose = random.Random(name)
        cuts = sorted(choose.randrange(len(data) + 1) for _ in range(2))
    else:
        cuts = [int(mode.removeprefix("cut:"))]
    edges = [0, *cuts, len(data)]
    return [part for part in (data[a:b] for a, b in zip(edges, edges[1:])) if part]


class Delivery:
    def __init__(self, case: Case, mode: str, limits: Limits, queues: ReceiveQueues) -> None:
        self.case, self.mode, self.limits, self.queues = case, mode, limits, queues
        self.reader = Reader(case.methods)
        self.seen = Seen(self.reader)
        self.received_at = 0.0
        self.drain_s = DRAIN_S_MAX

    def start(self, server: Address, source: str) -> Started:
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source:
            # A source address a worker, so that ports in TIME_WAIT do not run out.
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            sock.bind((source, 0))
        sock.settimeout(self.limits.timeout_s)
        sock.connect(server)
        sock.setblocking(False)
        self.sock, self.server, self.client = sock, server, sock.getsockname()
        return sock, self.run()

    # The conversation.

    def run(self) -> Steps:
        seen = self.seen
        yield from self.send_parts(self.case.raw, self.mode)
        yield from self.follow_up()
        if self.case.half_close and not seen.eof:
            self.shut_down()
        yield from self.await_responses()
        yield from self.await_close()
        seen.due, seen.leftover, seen.closed = len(self.reader.responses), self.reader.leftover(), seen.eof
        if self.probe_is_due():
            yield from self.send_probe()
        seen.raw = bytes(self.reader.buffer)

    def send_parts(self, data: bytes, mode: str) -> Steps:
        parts = segments(data, mode, self.case.id + mode)
        for index, part in enumerate(parts):
            yield from self.send(part)
            if self.seen.eof:
                return
            if index + 1 < len(parts):
                yield from self.until_taken()

    def follow_up(self) -> Steps:
        for step in self.case.steps:
            until = time.monotonic() + step.timeout_s
            while time.monotonic() < until and not self.seen.eof:
                if step.wait != "ms" and (self.reader.responses or self.reader.interim):
                    break
                yield from self.pause(until)
            interim, answered = bool(self.reader.interim), bool(self.reader.responses)
            if step.wait == "interim":
                self.seen.interim_first = interim
            if self.seen.eof or (step.wait != "ms" and answered) or (step.only_if_interim and not interim):
                continue
            yield from self.send_parts(step.raw, "whole" if self.mode.startswith("cut:") else self.mode)

    def await_responses(self) -> Steps:
        started = time.monotonic()
        until = started + (self.case.wait_s if self.case.wait_s is not None else self.limits.timeout_s)
        low, high = self.case.low, self.case.high
        while not self.seen.eof and time.monotonic() < until:
            count, quiet_since = len(self.reader.responses), max(self.received_at, started)
            settle = self.limits.settle_s if count >= max(high, 1) else 0.25 if low and count >= low else None
            if settle is not None and time.monotonic() >= quiet_since + settle:
                return
            yield from self.pause(until if settle is None else min(until, quiet_since + settle))

    def await_close(self) -> Steps:
        wanted = [answer.close for answer in self.case.answers]
        if self.seen.eof or True not in wanted:
            return
        until = time.monotonic() + (self.limits.timeout_s if all(wanted) else 0.5)
        while not self.seen.eof and time.monotonic() < until:
            yield from self.pause(until)

    def probe_is_due(self) -> bool:
        may_stay = any(answer.close is not True for answer in self.case.answers)
        silent = self.case.high == 0 or self.case.half_close or bool(self.seen.leftover)
        return self.case.probe and may_stay and not silent and not self.seen.eof

    def send_probe(self) -> Steps:
        yield from self.send(PROBE)
        until = time.monotonic() + self.limits.timeout_s
        while not self.seen.eof and time.monotonic() < until and len(self.reader.responses) == self.seen.due:
            yield from self.pause(until)
        settled = time.monotonic() + self.limits.settle_s
        while not self.seen.eof and time.monotonic() < settled:
            yield from self.pause(settled)
        statuses = [response.status for response in self.reader.responses[self.seen.due :]]
        self.seen.probe = statuses or ("eof" if self.seen.eof else "timeout")

    # The socket.

    def pause(self, until: float) -> Steps:
        yield Wait(until)
        self.receive()

    def until_taken(self) -> Steps:
        """Waits until the server has read what was sent, so that the next part is seen as the next."""
        until, wait = time.monotonic() + self.drain_s, 0.0003
        while not self.seen.eof and time.monotonic() < until:
            yield from self.pause(time.monotonic() + wait)
            taken = self.queues.taken(self.server, self.client)
            if taken is None:
                yield from self.pause(time.monotonic() + UNKNOWN_PAUSE_S)
            if taken is not False:
                return
            wait = min(wait * 2, 0.004)
        self.drain_s = 0.0

    def send(self, data: bytes) -> Steps:
        rest, until = memoryview(data), time.monotonic() + self.limits.timeout_s
        while rest and not self.seen.eof and time.monotonic() < until:
            try:
                rest = rest[self.sock.send(rest) :]
            except BlockingIOError:
                yield Wait(until, write=True)
                self.receive()
            except OSError:
                self.receive_last()

    def shut_down(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.receive_last()

    def receive(self) -> None:
        while not self.seen.eof:
            try:
                data = self.sock.recv(RECEIVE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                self.seen.reset = True
                data = b""
            if not data:
                self.seen.eof = True
                return self.reader.end()
            self.received_at = time.monotonic()
            self.reader.feed(data)

    def receive_last(self) -> None:
        """The peer is gone; what it said before is still here."""
        self.receive()
        if not self.seen.eof:
            self.seen.eof = self.seen.reset = True
            self.reader.end()
