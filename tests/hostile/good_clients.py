"""good_clients.py: a hundred clients that behave, in a process of their own, while others do not.

Each keeps one connection and asks at a steady pace, so that they load neither the server nor themselves:
what they measure is the server. Every answer is compared with what it must be; a connection that ends, an
answer that is late or wrong is an error, and is reported with the time it happened."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import statistics
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

CLIENTS = 100
PACE_S = 0.1
LATE_S = 10.0  # An answer that takes this long is an error, however busy the machine.


@dataclass(frozen=True)
class Question:
    """A request, and the content its answer must have."""

    request: bytes
    wanted: bytes


@dataclass
class Record:
    """What the clients saw: (when the answer came, how long it took), and what went wrong."""

    answers: list[tuple[float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def median_ms(self, begin: float, end: float) -> float:
        """Of the answers that came between two times of time.monotonic()."""
        took = [seconds for at, seconds in self.answers if begin <= at < end]
        return statistics.median(took) * 1000 if took else float("nan")

    def count(self, begin: float, end: float) -> int:
        return sum(begin <= at < end for at, _ in self.answers)


class GoodClients:
    """Use it with `with`; they ask from its beginning until finish()."""

    def __init__(self, address: tuple[str, int], questions: list[Question], clients: int = CLIENTS) -> None:
        context = multiprocessing.get_context("fork")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=run, args=(address, questions, clients, theirs), daemon=True)
        self.record = Record()

    def __enter__(self) -> GoodClients:
        self.process.start()
        if not self.pipe.poll(30) or self.pipe.recv() != "connected":
            raise RuntimeError("the good clients could not connect, before anything bad was done")
        return self

    def finish(self) -> Record:
        self.pipe.send("finish")
        if not self.pipe.poll(LATE_S * 3):
            raise RuntimeError("the good clients do not report")
        self.record = self.pipe.recv()
        return self.record

    def __exit__(self, *_: object) -> None:
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def run(address: tuple[str, int], questions: list[Question], clients: int, pipe: Connection) -> None:
    asyncio.run(ask_all(address, questions, clients, pipe))


async def ask_all(address: tuple[str, int], questions: list[Question], clients: int, pipe: Any) -> None:
    record, ending = Record(), asyncio.Event()
    streams = [await asyncio.open_connection(*address) for _ in range(clients)]
    pipe.send("connected")
    asyncio.get_running_loop().add_reader(pipe.fileno(), ending.set)
    await asyncio.gather(
        *(
            ask(number, reader, writer, questions, record, ending)
            for number, (reader, writer) in enumerate(streams)
        )
    )
    pipe.recv()
    pipe.send(record)


async def ask(
    number: int,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    questions: list[Question],
    record: Record,
    ending: asyncio.Event,
) -> None:
    choose = random.Random(number)
    try:
        while not ending.is_set():
            question = choose.choice(questions)
            begin = time.monotonic()
            writer.write(question.request)
            async with asyncio.timeout(LATE_S):
                content = await read_answer(reader)
            end = time.monotonic()
            if content != question.wanted:
                record.errors.append(f"{end:.3f} client {number}: wrong content {content[:60]!r}")
            record.answers.append((end, end - begin))
            await asyncio.sleep(PACE_S * (0.5 + choose.random()))
    except (OSError, EOFError, ValueError) as fault:  # A timeout is an OSError.
        record.errors.append(f"{time.monotonic():.3f} client {number}: {fault!r}")
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    if not first.startswith("HTTP/1.1 200 "):
        raise ValueError(f"answered {first!r}")
    fields = dict(line.lower().split(": ", 1) for line in lines if line)
    return await reader.readexactly(int(fields["content-length"]))
