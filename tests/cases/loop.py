"""loop.py: many connections in one thread. A task is a generator that yields what it waits for.

A task is resumed when its socket can be read (always), can be written (if it asked) or its time has come,
and must read all there is before it waits again."""

from __future__ import annotations

import heapq
import select
import socket
import time
from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple


class Wait(NamedTuple):
    until: float  # time.monotonic()
    write: bool = False


Steps = Generator[Wait, None, None]
Started = tuple[socket.socket, Steps]  # A connected socket, and the task to run on it.
Start = Callable[[], Started | None]  # Opens a connection; None where it could not.


class Running:
    __slots__ = ("sock", "task", "descriptor", "turn", "writing")

    def __init__(self, sock: socket.socket, task: Steps) -> None:
        self.sock, self.task = sock, task
        self.descriptor = sock.fileno()
        self.turn = 0  # A timer of an earlier turn is stale.
        self.writing = False


class Loop:
    def __init__(self) -> None:
        self.epoll = select.epoll()
        self.running: dict[int, Running] = {}
        self.timers: list[tuple[float, int, int, Running]] = []
        self.serial = 0

    def run(self, starts: Iterator[Start], at_once: int) -> None:
        """Opens and runs them all, at most `at_once` at a time."""
        more = True
        while more or self.running:
            while more and len(self.running) < at_once:
                start = next(starts, None)
                if start is None:
                    more = False
                else:
                    self.open(start)
            self.turn()

    def open(self, start: Start) -> None:
        started = start()
        if started is None:
            return
        running = Running(*started)
        self.epoll.register(running.descriptor, select.EPOLLIN)
        self.running[running.descriptor] = running
        self.resume(running)

    def turn(self) -> None:
        if not self.running:
            return
        for descriptor, _ in self.epoll.poll(self.delay(), 256):
            running = self.running.get(descriptor)
            if running is not None:
                self.resume(running)
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, _, turn, running = heapq.heappop(self.timers)
            if turn == running.turn:
                self.resume(running)

    def delay(self) -> float:
        while self.timers and self.timers[0][2] != self.timers[0][3].turn:
            heapq.heappop(self.timers)
        return max(0.0, self.timers[0][0] - time.monotonic()) if self.timers else -1

    def resume(self, running: Running) -> None:
        running.turn += 1
        try:
            wait = next(running.task)
        except StopIteration:
            return self.finish(running)
        if wait.write != running.writing:
            running.writing = wait.write
            self.epoll.modify(running.descriptor, select.EPOLLIN | (select.EPOLLOUT if wait.write else 0))
        self.serial += 1
        heapq.heappush(self.timers, (wait.until, self.serial, running.turn, running))

    def finish(self, running: Running) -> None:
        running.turn += 1
        del self.running[running.descriptor]
        self.epoll.unregister(running.descriptor)
        running.sock.close()
