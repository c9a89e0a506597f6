#!/usr/bin/env python3
"""run.py: runs tests of a build on Debian's own kernel, in a virtual machine without disk or network. It has what
the kernel of this machine may lack: TLS (CONFIG_TLS), and the oldest io_uring that is supported.

usage: run.py BUILD [--seconds N] [NAME...]      (by `./dev kernel`, which builds first)

NAME is one of `meson test --list`, without the project and the suite; by default those of DEFAULT. The kernel is
downloaded as a package, and unpacked in BUILD/kernel; nothing is installed. Its TLS must be there, or the run
fails: tests that only ran without it would prove nothing.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from image import Image

ROOT = Path(__file__).resolve().parents[2]

PACKAGE = "linux-image-cloud-amd64"
DEFAULT = ["integration kernel_tls", "integration tls", "integration certificates", "integration files",
           "integration files_options", "integration websocket_tls", "conformance io"]  # fmt: skip
# TLS, and the ciphers it asks the kernel for.
MODULES = ["tls", "ctr", "gcm", "ghash-generic", "aesni-intel", "chacha_generic", "poly1305_generic",
           "chacha20poly1305"]  # fmt: skip
PROGRAMS = ["curl", "openssl", "setpriv"]
PYTHON = "/usr/bin/python3"
MEMORY_MIB = 3072


class KernelError(Exception):
    """What kept the machine from running, and what to do."""


def run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise KernelError(f"{shlex.join(command)} failed:\n{done.stderr}")
    return done.stdout


def fetch_kernel(folder: Path) -> Path:
    """The folder with boot/ and lib/modules of the newest kernel that the package asks for."""
    depends = run("apt-cache", "depends", "--important", PACKAGE)
    found = re.search(r"Depends: (linux-image-\S+)", depends)
    if found is None:
        raise KernelError(f"apt knows no kernel by {PACKAGE}: this runs on Debian, x86-64")
    unpacked = folder / found[1]
    if not (unpacked / "boot").is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        print(f"kernel: downloading {found[1]}", flush=True)
        run("apt-get", "download", found[1], cwd=folder)
        package = next(folder.glob("*.deb"))
        run("dpkg-deb", "-x", str(package), str(unpacked))
        package.unlink()
    return unpacked


def modules_of(kernel: Path) -> list[Path]:
    """MODULES, each behind those that it depends on."""
    all_there = {path.stem.replace("-", "_"): path for path in kernel.rglob("*.ko")}
    ordered: list[Path] = []

    def add(name: str) -> None:
        path = all_there[name.replace("-", "_")]
        depends = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for other in filter(None, depends[1].decode().split(",") if depends else []):
            add(other)
        if path not in ordered:
            ordered.append(path)

    for name in MODULES:
        add(name)
    return ordered


def tests_of(build: Path, names: list[str]) -> list[dict]:
    tests = {test["name"]: test for test in json.loads(run("meson", "introspect", "--tests", str(build)))}
    if unknown := [name for name in names if name not in tests]:
        raise KernelError(f"there is no test {', '.join(unknown)}; see meson test --list")
    return [tests[name] for name in names]


def script(modules: list[Path], tests: list[dict]) -> str:
    lines = [
        "#!/bin/sh", "export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8",
        "mount -t proc proc /proc", "mount -t sysfs sysfs /sys", "mount -t devtmpfs dev /dev",
        "mkdir -p /dev/shm /tmp /var/tmp /run", "mount -t tmpfs shm /dev/shm", "chmod 1777 /tmp",
        "ip link set lo up", "ulimit -n 65536", "uname -r",
    ]  # fmt: skip
    lines += [f"insmod /modules/{module.name}" for module in modules]
    lines += [f"cd {shlex.quote(str(ROOT))}"]
    for test in tests:
        python = Path(test["cmd"][0]).name.startswith("python")
        command = [PYTHON, *test["cmd"][1:]] if python else test["cmd"]
        env = [f"{key}={value}" for key, value in test["env"].items()]
        lines.append(f"timeout {test['timeout'] * 4 or 600} env KERNEL_TLS=must {shlex.join([*env, *command])}")
        lines.append(f'echo "kernel: {test["name"]}: $?"')
    return "\n".join([*lines, "poweroff -f", ""])


def make_image(folder: Path, kernel: Path, tests: list[dict]) -> Path:
    image = Image(folder)
    modules = modules_of(kernel)
    image.add_python(PYTHON)
    for program in PROGRAMS:
        image.add_program(run("sh", "-c", f"command -v {program}").strip())
    image.add_tree(Path("/etc/ssl/openssl.cnf"))
    image.add_tree(Path("/usr/lib/ssl/openssl.cnf"))
    image.add_busybox()  # For all that was not put there by now.
    for part in ("tests", "apps", "docs"):
        image.add_tree(ROOT / part)
    for test in tests:
        for path in [*test["cmd"], *test["env"].values()]:
            if path.startswith("/") and os.access(path, os.X_OK) and Path(path).is_file() and "python" not in path:
                image.add_program(path)
    for module in modules:
        image.add_file(module, Path("/modules") / module.name)
    image.write_text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    image.write_text("/etc/group", "root:x:0:\nnogroup:x:65534:\n")
    image.write_text("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")
    image.write_text("/init", script(modules, tests), executable=True)
    return image.pack()


def boot(kernel: Path, image: Path, seconds: int, names: list[str]) -> dict[str, int]:
    """The exit status of each test that came to its end."""
    command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MIB),
               "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel",
               str(next((kernel / "boot").glob("vmlinuz-*"))), "-initrd", str(image),
               "-append", "console=ttyS0 quiet panic=-1"]  # fmt: skip
    ended: dict[str, int] = {}
    machine = subprocess.Popen(["timeout", str(seconds), *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               text=True, errors="replace")  # fmt: skip
    assert machine.stdout is not None
    for line in machine.stdout:
        line = line.rstrip()
        found = re.fullmatch(r"kernel: (.+): (\d+)", line)
        if found and found[1] in names:
            ended[found[1]] = int(found[2])
        print(f"  {line}", flush=True)
    if machine.wait() != 0:
        print(f"kernel: the machine ended with {machine.returncode} (124: it took more than {seconds} s)")
    return ended


def main() -> int:
    parser = argparse.ArgumentParser(prog="kernel")
    parser.add_argument("build", type=Path)
    parser.add_argument("--seconds", type=int, default=1200, help="for all tests together (1200)")
    parser.add_argument("names", nargs="*", default=DEFAULT)
    arguments = parser.parse_intermixed_args()
    build, names = arguments.build.resolve(), arguments.names or DEFAULT
    try:
        tests = tests_of(build, names)
        kernel = fetch_kernel(build / "kernel")
        with tempfile.TemporaryDirectory(prefix="millrace-kernel-") as folder:
            image = make_image(Path(folder), kernel, tests)
            ended = boot(kernel, image, arguments.seconds, names)
    except KernelError as error:
        print(f"kernel: {error}", file=sys.stderr)
        return 2
    failed = [name for name in names if ended.get(name) != 0]
    if failed:
        print("failed: " + ", ".join(failed))
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
