#!/usr/bin/env python3
"""selftest.py: proves that the runner can fail. The reference server passes; made wrong in one way at a
time, it does not, and the runner names the cases it is wrong in."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Fault:
    name: str  # What reference_server.py --fault takes.
    only: str  # The cases that are run.
    failing: frozenset[str]  # Those that must fail, and no other; "server" for how it ended.
    modes: str = "whole,byte,split"


def fault(name: str, only: str, *failing: str, modes: str = "whole,byte,split") -> Fault:
    return Fault(name, only, frozenset(failing), modes)


FAULTS = (
    fault("serves-bad", "line-0[6-9]*", "line-06", "line-07", "line-08", "line-09"),
    fault("silent-refusal", "line-0[6-9]*", "line-06", "line-07", "line-08", "line-09"),
    fault("keeps-after-refusal", "line-0[6-9]*", "line-06", "line-07", "line-08", "line-09", modes="whole"),
    fault("runs-behind-refusal", "chunk-126", "chunk-126", modes="whole"),
    fault(
        "keeps-where-close",
        "conn-144*",
        "conn-144-a",
        "conn-144-b",
        "conn-144-c",
        "conn-144-d",
        modes="whole",
    ),
    fault("closes-always", "basic-get", "basic-get"),
    fault("closes-unsaid", "conn-close", "conn-close"),
    fault("no-date", "basic-get", "basic-get"),
    fault("space-before-colon", "head-5[4-6]", "head-55"),
    fault("ignores-te", "te-hex-upper", "te-hex-upper"),
    fault("first-segment-only", "head-73-a", "head-73-a", modes="byte,cut"),
    fault("loses-cut-crlf", "head-73-a", "head-73-a", modes="cut"),
    fault("no-continue", "conn-149-a", "conn-149-a", modes="whole"),
    fault("wrong-body", "frame-99", "", modes="whole"),  # Its bodies are too short to be hit.
    fault("wrong-body", "cl-ows-sp", "cl-ows-sp"),
    fault("no-allow", "line-18", "line-18"),
    fault("body-for-head", "conn-153*", "conn-153-a", "conn-153-b", "conn-153-c"),
    fault("junk-after", "line-04", "line-04"),
    fault("twice", "cl-case", "cl-case"),
    fault("drops-second", "pipe-2-get", "pipe-2-get", modes="whole"),
    fault("stuck", "basic-get", "", modes="whole"),  # Only for other hosts than its own:
    fault("stuck", "frame-97-a", "frame-97-a", modes="whole"),
    fault("swaps", "pipe-mixed-order", "pipe-mixed-order", modes="whole"),
    fault("dies", "pipe-mixed-order", "pipe-mixed-order", "server", modes="whole"),
    fault("complains", "basic-get", "server"),
    fault("bad-exit", "basic-get", "server"),
    fault("", "conn-*", ""),
    fault("", "no-such-case", "none selected"),
)


def run(one: Fault) -> tuple[int, str]:
    command = [
        sys.executable,
        str(HERE / "run.py"),
        "--binary",
        str(HERE / "reference_server.py"),
        "--workers",
        "1",
        "--only",
        one.only,
        "--modes",
        one.modes,
        "--timeout",
        "1.5",
        f"--flag=--fault={one.name}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def verdict(one: Fault, status: int, output: str) -> str | None:
    last = output.rstrip().rpartition("\n")[2]
    match = re.fullmatch(r"(\d+) passed, (\d+) failed", last)
    if match is None:
        return f"the last line is {last!r}"
    if one.failing == {"none selected"}:
        return None if (status, last) == (1, "0 passed, 0 failed") else f"exit {status}, {last}"
    named = {
        "server" if name == "server:" else name for name in re.findall(r"^FAIL (\S+)", output, re.MULTILINE)
    }
    wanted = one.failing - {""}
    if named != wanted or status != (1 if wanted else 0) or bool(int(match.group(2))) != bool(wanted):
        return f"exit {status}, {last}; failing {sorted(named)}, not {sorted(wanted)}\n{output[-1500:]}"
    return None


def check_every_cut_is_seen() -> str | None:
    """A server that wants a head in one piece must be caught at each place a head can be cut."""
    _, output = run(fault("first-segment-only", "basic-get", "basic-get", modes="cut"))
    caught = {int(cut) for cut in re.findall(r"^FAIL basic-get \[cut:(\d+)\]", output, re.MULTILINE)}
    wanted = set(range(1, len(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")))
    return None if caught == wanted else f"cuts not seen by the server: {sorted(wanted - caught)}"


def main() -> int:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, FAULTS))
    verdicts = [
        (f"{one.name or 'no fault'}, {one.only}", verdict(one, *result))
        for one, result in zip(FAULTS, results)
    ]
    verdicts.append(("every cut is seen", check_every_cut_is_seen()))
    for name, wrong in verdicts:
        if wrong:
            print(f"FAIL {name}: {wrong}")
    failed = sum(wrong is not None for _, wrong in verdicts)
    print(f"{len(verdicts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
