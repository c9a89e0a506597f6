"""table.py: reads a table of cases. The format is explained in README.md, and held here: a case with an
unknown key, a level nobody knows or an answer that cannot be judged is an error, not a silent pass."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LEVELS = ("must", "should", "policy", "row")
MODES = ("whole", "byte", "split")
CUT_BYTES_MAX = 512  # An input shorter than this is cut at every position.

CASE_KEYS = {
    "id",
    "source",
    "level",
    "tags",
    "raw",
    "raw_gen",
    "methods",
    "modes",
    "half_close",
    "probe",
    "wait_ms",
    "then",
    "expect",
}
EXPECT_KEYS = {"any_of", "note", "rfc"}
ANSWER_KEYS = {
    "status",
    "responses",
    "close",
    "bodies",
    "interim",
    "no_te",
    "close_hdr",
    "headers",
    "same_head",
    "note",
    "rfc",
}
STEP_KEYS = {"wait", "timeout_ms", "raw", "raw_if_interim"}


@dataclass(frozen=True)
class Answer:
    """One way to answer a case rightly."""

    status: tuple[frozenset[int], ...]  # For each response, or one set for the first.
    each: bool  # `status` holds a set for each response.
    low: int
    high: int
    close: bool | None  # None: either.
    bodies: tuple[bytes | None, ...] = ()
    interim: bool | None = None
    no_te: bool = False
    close_hdr: bool = False
    headers: tuple[dict[str, str | None], ...] = ()
    same_head: tuple[int, ...] = ()

    def wanted(self, index: int) -> frozenset[int] | None:
        """The statuses that response may have; None: only what an error may have."""
        if self.each:
            return self.status[min(index, len(self.status) - 1)]
        return self.status[0] if index == 0 or self.high == 1 else None

    def allows_silence(self) -> bool:
        """Closing without a word is an answer here (status 0)."""
        return not self.each and 0 in self.status[0]


@dataclass(frozen=True)
class Step:
    """What is sent after the first bytes: when, and what."""

    wait: str  # "ms", "interim" or "any".
    timeout_s: float
    raw: bytes
    only_if_interim: bool


@dataclass(frozen=True)
class Case:
    id: str
    level: str
    raw: bytes
    answers: tuple[Answer, ...]
    methods: tuple[str, ...] = ()
    modes: tuple[str, ...] = MODES
    half_close: bool = False
    probe: bool = True
    wait_s: float | None = None
    steps: tuple[Step, ...] = ()
    rfc: str = ""
    keys: frozenset[str] = field(default=frozenset())

    @property
    def low(self) -> int:
        return min(answer.low for answer in self.answers)

    @property
    def high(self) -> int:
        return max(answer.high for answer in self.answers)

    def deliveries(self) -> list[str]:
        """Every mode this case is sent in; "cut:7" is two segments, the first of 7 bytes."""
        cuts = range(1, len(self.raw)) if len(self.raw) < CUT_BYTES_MAX else ()
        return [*self.modes, *(f"cut:{at}" for at in cuts)]


def generate(parts: list[Any]) -> bytes:
    """Text, and [text, times]."""
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts).encode("latin-1")


def content(value: Any) -> bytes | None:
    if value is None:
        return None
    return generate(value["gen"]) if isinstance(value, dict) else value.encode("latin-1")


def check_keys(where: str, given: dict[str, Any], known: set[str]) -> None:
    unknown = set(given) - known
    if unknown:
        raise ValueError(f"{where}: unknown key {sorted(unknown)}")


def read_answer(where: str, data: dict[str, Any]) -> Answer:
    check_keys(where, data, ANSWER_KEYS)
    status, responses, close = data["status"], data["responses"], data["close"]
    each = bool(status) and isinstance(status[0], list)
    low, high = (responses, responses) if isinstance(responses, int) else responses
    if close not in (True, False, "any"):
        raise ValueError(f"{where}: close is {close!r}")
    if high and not status:
        raise ValueError(f"{where}: responses without a status")
    sets = tuple(frozenset(one) for one in status) if each else (frozenset(status),)
    return Answer(
        sets,
        each,
        low,
        high,
        None if close == "any" else close,
        tuple(content(body) for body in data.get("bodies", ())),
        data.get("interim"),
        data.get("no_te", False),
        data.get("close_hdr", False),
        tuple(data.get("headers", ())),
        tuple(data.get("same_head", ())),
    )


def read_step(where: str, data: dict[str, Any]) -> Step:
    check_keys(where, data, STEP_KEYS)
    if data["wait"] not in ("ms", "interim", "any"):
        raise ValueError(f"{where}: wait is {data['wait']!r}")
    conditional = data["wait"] == "any"
    raw = data["raw_if_interim"] if conditional else data["raw"]
    return Step(data["wait"], data["timeout_ms"] / 1000, raw.encode("latin-1"), conditional)


def read_case(data: dict[str, Any]) -> Case:
    where = data["id"]
    check_keys(where, data, CASE_KEYS)
    expect = data["expect"]
    if "any_of" in expect:
        check_keys(where, expect, EXPECT_KEYS)
    answers = tuple(read_answer(where, one) for one in expect.get("any_of", [expect]))
    modes = tuple(data.get("modes", MODES))
    if data["level"] not in LEVELS or not set(modes) <= set(MODES):
        raise ValueError(f"{where}: level {data['level']!r}, modes {modes}")
    raw = data["raw"].encode("latin-1") if "raw" in data else generate(data["raw_gen"])
    wait_s = data["wait_ms"] / 1000 if "wait_ms" in data else None
    return Case(
        where,
        data["level"],
        raw,
        answers,
        tuple(data.get("methods", ())),
        modes,
        data.get("half_close", False),
        data.get("probe", True),
        wait_s,
        tuple(read_step(where, step) for step in data.get("then", ())),
        expect.get("rfc", ""),
        frozenset(data),
    )


def load(path: Path) -> list[Case]:
    cases = [read_case(json.loads(line)) for line in path.read_text(encoding="ascii").splitlines()]
    ids = [case.id for case in cases]
    if ids != sorted(set(ids)):
        raise ValueError(f"{path.name}: the ids are not sorted, or one stands twice")
    return cases
