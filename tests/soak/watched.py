"""watched.py: a server under the soak, and what it used over time."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

from harness import SANITIZED, descriptors, rss_kib  # noqa: E402
from server import Server  # noqa: E402

# Memory is flat when its peak in the last quarter is no more than this above the peak before that: the first
# part of a run is left to pools, which fill and then stay, and peaks differ by how many of the largest bodies
# (3.8 MB, there three times while they are answered) happen to be under way at once.
GROWTH_KIB_MAX = 16 * 1024


@dataclass
class Watched:
    name: str
    server: Server
    rss: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    idle: int = 0

    def sample(self) -> None:
        self.rss.append(rss_kib(self.server.pid))
        self.descriptors.append(self.open_now())

    def open_now(self) -> int:
        return descriptors(self.server.pid)

    def grows(self) -> bool:
        return self.growth()[0] > GROWTH_KIB_MAX

    def growth(self) -> tuple[int, int]:
        """KiB that the peak of the last quarter is above the peak before; and that earlier peak."""
        at = len(self.rss) * 3 // 4
        before = max(self.rss[:at])
        return max(self.rss[at:]) - before, before

    def faults(self) -> list[str]:
        found = []
        until = time.monotonic() + 15
        while self.open_now() > self.idle and time.monotonic() < until:
            time.sleep(0.1)
        if self.open_now() > self.idle:
            found.append(f"{self.name}: {self.open_now()} descriptors at the end, {self.idle} at the start")
        if not SANITIZED and self.grows():
            growth, before = self.growth()
            found.append(f"{self.name}: memory grew by {growth} KiB in the last quarter, from {before} KiB")
        return found + [f"{self.name}: {fault}" for fault in self.server.stop()]
