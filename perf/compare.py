#!/usr/bin/env python3
"""Compares the working tree with a revision: builds both alike, and asks them in turn.

Ends with 0; with 1 where a request takes more instructions than the tolerance allows; with 2 where nothing could be
compared. CPU time is printed with its spread, and judged by the reader.
"""

import argparse
import sys
from pathlib import Path

from bench import two_cpus
from runner import compare, instructions, revision
from runner.processes import RunError
from runner.report import table

ROOT = Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(prog="dev compare", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revision", help="of git: a branch, a tag, a hash, HEAD~3")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="of the working tree (build)")
    parser.add_argument("--workload", choices=compare.WORKLOADS, action="append", help="only that one; repeatable")
    parser.add_argument("--rounds", type=int, default=7, help="of each workload (7)")
    parser.add_argument("--seconds", type=float, default=1, help="of each round and server (1)")
    parser.add_argument("--quick", action="store_true", help="half a minute in all: 3 rounds of 0.3 s")
    return parser.parse_args()


def run(options):
    commit = revision.commit_of(ROOT, options.revision)
    print(f"building {options.revision} ({commit[:12]})", file=sys.stderr, flush=True)
    old = revision.build(ROOT, commit, options.revision)
    new = {what: options.build / path for what, path in revision.TARGETS.items()}
    rounds, seconds = (3, 0.3) if options.quick else (options.rounds, options.seconds)
    names = (options.revision, "now")
    lines = []
    for workload in options.workload or compare.WORKLOADS:
        samples = compare.measure(dict(zip(names, (old["server"], new["server"]))), options.build / "perf/load/load",
                                  workload, *two_cpus(), rounds, seconds)
        lines.append(compare.speed_line(workload, samples))
        print(lines[-1].what, lines[-1].text, sep=": ", flush=True)
    return lines + count_instructions(options, names, (old["session"], new["session"]))


def count_instructions(options, names, programs):
    if not instructions.available():
        print("instructions are not counted: valgrind is not installed")
        return []
    lines = []
    for workload in options.workload or compare.WORKLOADS:
        if workload in instructions.WORKLOADS:
            figures = [instructions.per_request(program, workload) for program in programs]
            lines.append(compare.instruction_line(workload, dict(zip(names, figures))))
    return lines


def main():
    try:
        lines = run(arguments())
    except RunError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    print(f"\n{table(lines)}")
    if sentence := compare.slower(lines):
        print(f"\ncompare: slower: {sentence}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
