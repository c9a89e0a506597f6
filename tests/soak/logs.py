"""logs.py: the access log of a server, and those moved away: each answer has its line in one of them."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from watched import Server

LINE = re.compile(rb'\S+ - \S+ \[[^]]+\] "([A-Z]+) (\S+) HTTP/1\.[01]" [1-5][0-9]{2} [0-9-]+ "[^"]*" "[^"]*"\n')


@dataclass
class Logs:
    directory: Path = Path()
    server: Server | None = None
    asked: Counter[str] = field(default_factory=Counter)  # Answered GETs, by path.
    moved: int = 0
    held: int = 0  # Of these files, by the server at once.

    @property
    def current(self) -> Path:
        return self.directory / "access.log"

    def rotate(self) -> None:
        """Moves the log away, and has the server open it again."""
        assert self.server is not None
        links = Path(f"/proc/{self.server.pid}/fd").iterdir()
        self.held = max(self.held, sum(os.path.realpath(link).startswith(f"{self.directory}/") for link in links))
        self.moved += 1
        self.current.rename(self.directory / f"access.{self.moved}.log")
        self.server.send(signal.SIGUSR1)

    def faults(self) -> list[str]:
        """Once the server has ended: lines that are torn, and paths that have more lines or fewer than answers."""
        torn = 0
        logged: Counter[str] = Counter()
        for path in self.directory.iterdir():
            with path.open("rb") as lines:
                for line in lines:
                    found = LINE.fullmatch(line)
                    torn += not found
                    if found and found[1] == b"GET":
                        logged[found[2].decode()] += 1
        faults = [f"logs: {torn} torn lines"] if torn else []
        if self.held > 2:  # The old one is closed a moment after the new one is there.
            faults.append(f"logs: {self.held} held open at once")
        return faults + [
            f"logs: {logged[path]} lines for {count} answers to {path}"
            for path, count in self.asked.items()
            if logged[path] != count
        ]
