"""Where a server's CPU time goes, by samples of the CPU clock: its own code, and what of the kernel's.

Samples carry the stack, so that sending is all that tcp_sendmsg does, whoever calls it. On loopback the answer is
delivered to the client's socket within the send (net_rx_action), in the server's time.
"""

import os
import re
import subprocess
from pathlib import Path

PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")
EVENT = "cpu-clock"
KERNEL = {"sending": "tcp_sendmsg", "delivery": "net_rx_action", "receiving": "tcp_recvmsg"}


def why_not():
    """Why it cannot be sampled here, or nothing."""
    if os.geteuid() != 0 and int(PARANOID.read_text()) > 1:
        return "only root may sample the kernel here (kernel.perf_event_paranoid)"
    try:
        done = subprocess.run(["perf", "record", "-q", "-e", EVENT, "-o", "/dev/null", "--", "true"],
                              capture_output=True, text=True, check=False)
    except OSError:
        return "perf is not installed (linux-perf)"
    return "" if done.returncode == 0 else f"perf cannot sample {EVENT} here"


def prefix(pids, file):
    """What before a command samples those processes while it runs."""
    return ["perf", "record", "-q", "-g", "-e", EVENT, "-F", "1997", "-o", str(file), "-p", ",".join(map(str, pids)),
            "--"]


def read(file):
    report = subprocess.run(["perf", "report", "-i", str(file), "--children", "-g", "none", "--stdio", "--sort", "sym",
                             "-t", ";"], capture_output=True, text=True, check=False).stdout
    return parse(report)


def parse(report):
    """Shares of the whole, or None where the kernel's functions have no names."""
    whole = {}
    own = kernel = 0
    for inclusive, exclusive, kind, symbol in re.findall(r"^\s*([\d.]+)%\s*;\s*([\d.]+)%\s*;\[([.k])\] (\S+)", report,
                                                         re.MULTILINE):
        if kind == "k":
            kernel += float(exclusive)
            whole[symbol] = float(inclusive)
        else:
            own += float(exclusive)
    if own + kernel == 0 or not set(KERNEL.values()) <= set(whole):
        return None
    shares = {"own": own} | {name: whole[symbol] for name, symbol in KERNEL.items()}
    shares["rest"] = kernel - shares["sending"] - shares["receiving"]
    return {name: round(share / (own + kernel), 4) for name, share in shares.items()}
