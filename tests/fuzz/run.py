#!/usr/bin/env python3
"""Runs the canary, and each fuzz target for some time; prints what was executed.

usage: run.py BUILD [--seconds N] [--keep] [NAME...]      (by `./dev fuzz`, which builds first)

The canary must be found, or the run fails: a fuzzer that finds nothing hidden proves nothing. What was found
of a corpus in one run is where the next one starts; the first starts from the seeds. --keep writes what is
left of it when minimised into tests/fuzz/corpus, a line an input, for `./dev test` to replay. The table is
written to BUILD/fuzz.json too.
"""
from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from seeds import escape, read_seeds

HERE = Path(__file__).resolve().parent
CANARY_SECONDS = 120
# Of what is committed: small inputs, and not many.
KEPT_BYTES_MAX = 512
KEPT_INPUTS_MAX = 150


def targets() -> list[str]:
    return sorted(path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.cpp"))


def fill(corpus: Path, name: str) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    for folder in ("seeds", "corpus"):
        file = HERE / folder / f"{name}.txt"
        for number, data in enumerate(read_seeds(file) if file.exists() else []):
            (corpus / f"{folder}-{number}").write_bytes(data)


def fuzz(build: Path, program: str, seconds: int, corpus: Path) -> tuple[int, str]:
    command = [str(build / "tests/fuzz" / program), f"-max_total_time={seconds}", "-print_final_stats=1",
               "-max_len=4096", "-timeout=20", f"-artifact_prefix={build}/", str(corpus)]  # fmt: skip
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def canary(build: Path) -> bool:
    with tempfile.TemporaryDirectory() as corpus:
        code, output = fuzz(build, "canary", CANARY_SECONDS, Path(corpus))
    found = code != 0 and "deadly signal" in output
    print(f"fuzz: the canary was {'found' if found else 'NOT found'}", flush=True)
    return found


def stat(output: str, name: str) -> int:
    found = re.search(rf"^stat::{name}:\s+(\d+)", output, re.MULTILINE)
    return int(found[1]) if found else 0


def keep(build: Path, name: str, corpus: Path) -> None:
    """The fewest inputs that reach as much, without those that the seeds reach already."""
    with tempfile.TemporaryDirectory() as merged:
        command = [str(build / "tests/fuzz" / f"fuzz_{name}"), "-merge=1", f"-max_len={KEPT_BYTES_MAX}", merged, str(corpus)]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        inputs = sorted((path.read_bytes() for path in Path(merged).iterdir()), key=lambda data: (len(data), data))
    (HERE / "corpus").mkdir(exist_ok=True)
    lines = [escape(data) for data in inputs if data][-KEPT_INPUTS_MAX:]
    (HERE / "corpus" / f"{name}.txt").write_text("".join(line + "\n" for line in lines))


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("build", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_intermixed_args()
    build = arguments.build.resolve()
    if unknown := set(arguments.names) - set(targets()):
        sys.exit(f"fuzz: there is no target {', '.join(sorted(unknown))}; there are {', '.join(targets())}")
    if arguments.seconds < 1:
        sys.exit("fuzz: takes a number of seconds above 0")
    if not canary(build):
        return 1

    results, failed = {}, []
    for name in arguments.names or targets():
        corpus = build / "corpus" / name
        fill(corpus, name)
        code, output = fuzz(build, f"fuzz_{name}", arguments.seconds, corpus)
        results[name] = {"executions": stat(output, "number_of_executed_units"), "seconds": arguments.seconds,
                         "inputs": sum(1 for _ in corpus.iterdir())}  # fmt: skip
        print(f"  {name:12} {results[name]['executions']:>12} executions {results[name]['inputs']:>6} inputs", flush=True)
        if code != 0:
            failed.append(name)
            print(output[-6000:])
            print(f"fuzz: {name} found a fault; its input is beside {build}/fuzz.json. Make it a case, then mend it")
        elif arguments.keep:
            keep(build, name, corpus)
    (build / "fuzz.json").write_text(json.dumps(results, indent=2) + "\n")
    executions = sum(one["executions"] for one in results.values())
    print(f"{len(results)} targets, {executions} executions, {len(failed)} with a fault")
    return 1 if failed or not executions else 0


if __name__ == "__main__":
    sys.exit(main())
