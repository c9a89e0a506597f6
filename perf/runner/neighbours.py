"""How busy the machine was with anything else while something was measured."""

import os
from dataclasses import dataclass
from pathlib import Path

from runner.processes import TICKS


def machine_seconds():
    """What all CPUs together did so far, and what a hypervisor gave to others."""
    user, nice, system, _, _, irq, softirq, steal = (
        int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + irq + softirq) / TICKS, steal / TICKS


@dataclass
class Neighbours:
    """Adds up rounds: begin() before each, and end() with how long it took and what CPU time of it was ours."""

    elapsed: float = 0
    others: float = 0
    stolen: float = 0
    load_average: float = 0

    def begin(self):
        self._busy, self._steal = machine_seconds()

    def end(self, elapsed, ours):
        busy, steal = machine_seconds()
        self.elapsed += elapsed
        self.others += max(busy - self._busy - ours, 0)
        self.stolen += steal - self._steal
        self.load_average = max(self.load_average, os.getloadavg()[0])

    def as_data(self):
        """CPUs that were busy with others, CPUs that were stolen, and the greatest load average of a minute."""
        return {"busy_cpus": round(self.others / self.elapsed, 3), "stolen_cpus": round(self.stolen / self.elapsed, 3),
                "load_average_max": round(self.load_average, 2)}
