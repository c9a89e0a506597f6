"""image.py: the first root of a Linux machine (initramfs), made of files of this one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

# Of Python's library: what no test needs, and is large.
LEFT_OUT = ("test", "idlelib", "ensurepip", "lib2to3", "pydoc_data", "turtledemo", "tkinter", "config-3*")


class Image:
    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.archive = folder / "image.cpio"
        for name in ("dev", "proc", "sys", "run", "root", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64"):
            (self.root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):  # As Debian has it.
            (self.root / name).symlink_to(f"usr/{name}")

    def place(self, target: Path) -> Path:
        found = self.root / target.relative_to("/")
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def add_file(self, source: Path, target: Path | None = None) -> None:
        place = self.place(target or source)
        if not place.exists():
            shutil.copy2(source, place)

    def write_text(self, target: str, text: str, *, executable: bool = False) -> None:
        place = self.place(Path(target))
        place.write_text(text, encoding="utf-8")
        place.chmod(0o755 if executable else 0o644)

    def add_tree(self, source: Path, *left_out: str) -> None:
        if source.is_file():
            return self.add_file(source)
        shutil.copytree(source, self.place(source), dirs_exist_ok=True, ignore=shutil.ignore_patterns(*left_out),
                        ignore_dangling_symlinks=True)  # fmt: skip
        return None

    def add_program(self, path: str | Path) -> None:
        """With the libraries that it is linked with."""
        self.add_file(Path(path))
        listed = subprocess.run(["ldd", str(path)], capture_output=True, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", listed):
            self.add_file(Path(library))

    def add_busybox(self) -> None:
        busybox = shutil.which("busybox")
        assert busybox is not None
        self.add_program(busybox)
        listed = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=True).stdout
        for name in listed.split():
            place = self.place(Path("/") / name)
            if not place.exists() and not place.is_symlink():
                place.symlink_to(busybox)

    def add_python(self, program: str) -> None:
        library = Path(subprocess.run([program, "-c", "import os; print(os.path.dirname(os.__file__))"],
                                      capture_output=True, text=True, check=True).stdout.strip())  # fmt: skip
        self.add_program(program)
        self.add_tree(library, *LEFT_OUT)
        for extension in library.glob("lib-dynload/*.so"):
            self.add_program(extension)

    def pack(self) -> Path:
        with self.archive.open("wb") as out:
            names = subprocess.Popen(["find", ".", "-print0"], cwd=self.root, stdout=subprocess.PIPE)
            subprocess.run(["cpio", "--null", "--create", "--format=newc", "--owner=0:0", "--quiet"], cwd=self.root, stdin=names.stdout,
                           stdout=out, check=True)  # fmt: skip
        return self.archive
