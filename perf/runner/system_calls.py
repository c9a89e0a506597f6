"""System calls of running processes, counted by perf in the kernel: once for each entry, whatever the ring does."""

import re
import subprocess

EVENT = "raw_syscalls:sys_enter"


def why_not():
    """Why they cannot be counted here, or nothing."""
    try:
        done = subprocess.run(["perf", "stat", "-x,", "-e", EVENT, "--", "true"], capture_output=True, text=True,
                              check=False)
    except OSError:
        return "perf is not installed (linux-perf)"
    return "" if done.returncode == 0 and parse(done.stderr) is not None else f"perf cannot count {EVENT} here"


def parse(report):
    """The count in perf's comma-separated report, or None."""
    found = re.search(rf"^(\d+),[^,]*,{EVENT},", report, re.MULTILINE)
    return int(found[1]) if found else None


def prefix(pids, report):
    """What before a command counts the system calls of those processes while it runs, into that file."""
    return ["perf", "stat", "-x,", "-o", str(report), "-e", EVENT, "-p", ",".join(map(str, pids)), "--"]
