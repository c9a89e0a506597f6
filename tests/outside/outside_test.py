#!/usr/bin/env python3
"""Builds the project beside this file against Millrace as a user would, and fetches a reply.

usage: outside_test.py {subproject|installed} ROOT BUILD

subproject  ROOT is linked into the project's subprojects/, and meson builds all of it.
installed   BUILD is installed into a directory of its own; pkg-config names it, g++ builds.
"""
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

PROJECT = Path(__file__).parent / "project"
PROGRAMS = ("application", "embedded", "bodies", "forms", "sockets", "static", "middleware", "secure")
START_SECONDS = 20


def run(*command: str | Path, **environment: str) -> str:
    """The output of a command that must succeed; of one that does not, all it said."""
    done = subprocess.run(
        command, env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-8000:]}")
    return done.stdout


def build_subproject(root: Path, work: Path) -> Path:
    project = work / "project"
    shutil.copytree(PROJECT, project)
    (project / "subprojects").mkdir()
    (project / "subprojects" / "millrace").symlink_to(root)
    build = work / "build"
    # Without optimisation: what is tested is that it builds, links and answers.
    run("meson", "setup", "--wrap-mode=forcefallback", "-Dbuildtype=plain", build, project)
    run("ninja", "-C", build, *PROGRAMS)
    return build


def build_installed(build: Path, work: Path) -> Path:
    staging = work / "staging"
    run("meson", "install", "-C", build, "--no-rebuild", "--quiet", DESTDIR=str(staging))
    [description] = staging.rglob("millrace.pc")
    prefix = re.search(r"^prefix=(.*)$", description.read_text(), re.MULTILINE)
    assert prefix, "millrace.pc has no prefix"
    for program, static in zip(PROGRAMS, ([], ["--static"])):
        flags = run(
            "pkg-config", f"--define-variable=prefix={staging}{prefix[1]}", *static, "--cflags", "--libs", "millrace",
            PKG_CONFIG_PATH=str(description.parent),
        )  # fmt: skip
        assert str(staging) in flags, f"the flags name another Millrace: {flags}"
        run(*shlex.split(os.environ.get("CXX", "g++")), "-std=c++20", "-Wall", "-Wextra", "-Werror",
            PROJECT / f"{program}.cpp", "-o", work / program, *shlex.split(flags))  # fmt: skip
    return work


def fetch(program: Path, *arguments: str) -> None:
    """Starts it, reads the address from its first line, fetches / and ends it as it wants to be ended."""
    with subprocess.Popen(
        [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout
        signal.alarm(START_SECONDS)
        try:
            said = process.stdout.readline()
            address = re.search(r"http://[^\s/]+", said)
            assert address, f"{program.name} said {said!r} {process.stdout.read()!r}"
            with urllib.request.urlopen(address[0] + "/", timeout=START_SECONDS) as reply:
                assert (reply.status, reply.read()) == (200, b"Hello world!")
            process.stdin.close()
            if program.name == "application":
                process.send_signal(signal.SIGTERM)
            assert process.wait(START_SECONDS) == 0, f"{program.name} ended with {process.returncode}"
        finally:
            signal.alarm(0)
            process.kill()
    print(f"{program.name}: answered, and ended cleanly")


def too_late(*_: object) -> None:
    raise TimeoutError(f"no answer within {START_SECONDS} s")


def main() -> None:
    signal.signal(signal.SIGALRM, too_late)
    way, root, build = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="millrace-outside-") as directory:
        work = Path(directory)
        built = build_subproject(root, work) if way == "subproject" else build_installed(build, work)
        fetch(built / "application", "--port", "0", "--cores", "1")
        fetch(built / "embedded")


if __name__ == "__main__":
    main()
