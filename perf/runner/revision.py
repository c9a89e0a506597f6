"""A revision of the repository, built beside the working tree, and kept for the next time.

The sources are what git archives of the commit, so that nothing but the commit is built, and git remembers no
second working tree.
"""

import os
import shutil
import subprocess
from pathlib import Path

from runner.processes import RunError

OPTIONS = ["-Dbuildtype=release", "-Dtests=false", "-Dperf=true"]
TARGETS = {"server": "perf/server/server", "session": "perf/instructions/session"}
LOG_LINES = 15


def commit_of(root, name):
    """The full hash of what `name` stands for."""
    done = subprocess.run(["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "--end-of-options",
                           f"{name}^{{commit}}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RunError(f"git knows no revision `{name}`")
    return done.stdout.strip()


def logged(command, log, failure):
    with log.open("ab") as out:
        done = subprocess.run([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        last = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        raise RunError("\n".join([*last, f"{failure}: the whole log is {log}"]))


def extract(root, commit, source):
    """Whole or not at all: an earlier call may have been interrupted."""
    partial = source.with_name("source.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    archive = subprocess.run(["git", "-C", str(root), "archive", commit], stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", partial], input=archive.stdout, check=True)
    partial.rename(source)


def build(root, commit, name):
    """{what: program} of that commit, built under build-compare/."""
    base = Path(root) / "build-compare" / commit[:12]
    source, target, log = base / "source", base / "build", base / "log"
    if not source.exists():
        extract(root, commit, source)
    log.write_bytes(b"")
    missing = [path for path in TARGETS.values() if not (source / path).parent.is_dir()]
    if missing:
        raise RunError(f"`{name}` ({commit[:12]}) has no {' and no '.join(missing)}: it is older than what is compared")
    failure = f"`{name}` ({commit[:12]}) does not build"
    if not (target / "build.ninja").exists():
        shutil.rmtree(target, ignore_errors=True)  # Of a set-up that failed.
        logged(["meson", "setup", target, source, *OPTIONS], log, failure)
    jobs = os.environ.get("JOBS", str(os.cpu_count()))
    logged(["ninja", "-C", target, "-j", jobs, *TARGETS.values()], log, failure)
    return {what: target / path for what, path in TARGETS.items()}
