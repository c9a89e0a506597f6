#!/usr/bin/env python3
"""Holds the shape of the tree: who may include whom, and a few rules that a compiler cannot see.

usage: tidy.py ROOT        prints a line a fault, exit 1 where there is one.

Every rule is a function from the tree to its faults, listed in RULES; tidy_test.py breaks each of
them in a tree of its own.
"""
from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# A module may include itself and what stands here. docs/ARCHITECTURE.md has the picture.
_BELOW_NET = {"include", "base", "mem", "io"}
LAYERS: dict[str, set[str]] = {
    "include": set(),
    "base": {"include"},
    "mem": {"include", "base"},
    "io": {"include", "base", "mem"},
    "http": {"include", "base", "mem"},
    "net": _BELOW_NET,
    "proto": _BELOW_NET | {"http", "net"},
    "serve": _BELOW_NET | {"http", "net", "proto"},
    "ext": _BELOW_NET | {"http", "net", "proto", "serve"},
    "config": _BELOW_NET | {"http", "net", "proto", "serve", "ext"},
}
# The engine's own binary is put together from the engine; every other application is a user's.
ENGINE_APPS = {"millrace"}

# The modules that may include a package, by the beginning of the header's name.
PACKAGES = {
    "mimalloc": {"mem"},
    "liburing": {"io"},
    "linux/io_uring": {"io"},
    "llhttp": {"http"},
    "simdjson": {"proto", "serve"},
    "openssl/": {"ext"},
    "zlib": {"proto", "ext"},
    "brotli/": {"ext"},
    "zstd": {"ext"},
    "toml++/": {"config"},
    "CLI/": {"config"},
}

TOP_LEVEL = {
    ".ci", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", "CHANGELOG.md",
    "CONTRIBUTING.md", "LICENSE", "README.md", "apps", "dev", "docs", "engine", "include",
    "meson.build", "meson_options.txt", "perf", "subprojects", "tests",
}  # fmt: skip
NOT_OURS = re.compile(r"build.*|\.git|\.cache|__pycache__")

LINES_MAX = 400
# Files that may be longer, and why.
LONG_FILES: dict[str, str] = {}

# Code that a document shows, word for word, so that it is compiled by a test.
QUOTED = {
    "README.md": ("tests/outside/project/application.cpp",),
    "docs/EMBEDDING.md": (
        "tests/outside/project/bodies.cpp",
        "tests/outside/project/embedded.cpp",
        "tests/outside/project/static.cpp",
        "tests/outside/project/forms.cpp",
        "tests/outside/project/meson.build",
        "tests/outside/project/sockets.cpp",
        "tests/outside/project/middleware.cpp",
        "tests/outside/project/secure.cpp",
    ),
}

CODE_DIRECTORIES = ("include", "engine", "apps", "tests", "perf")
CPP = {".hpp", ".cpp", ".h", ".c"}


class Fault(NamedTuple):
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


class Include(NamedTuple):
    line: int
    name: str
    quoted: bool


class Tree:
    """The files of a checkout, read when asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self, *directories: str) -> Iterator[str]:
        for directory in directories:
            for path in sorted((self.root / directory).rglob("*")):
                name = path.relative_to(self.root)
                if path.is_file() and not any(NOT_OURS.fullmatch(part) for part in name.parts):
                    yield name.as_posix()

    def cpp(self, *directories: str) -> Iterator[str]:
        return (path for path in self.files(*directories) if Path(path).suffix in CPP)

    def text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8", errors="replace")

    def lines(self, path: str) -> Iterator[tuple[int, str]]:
        return enumerate(self.text(path).splitlines(), 1)

    def includes(self, path: str) -> Iterator[Include]:
        for number, line in self.lines(path):
            if found := re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line):
                yield Include(number, found[2], found[1] == '"')

    def top_level(self) -> set[str]:
        """Names git tracks; of a tree without git, what is there."""
        if (self.root / ".git").exists() and shutil.which("git"):
            command = ["git", "-C", str(self.root), "ls-files", "--full-name"]
            listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            if listed:
                return {line.split("/")[0] for line in listed.splitlines()}
        return {path.name for path in self.root.iterdir() if not NOT_OURS.fullmatch(path.name)}


def module_of(path: str) -> str | None:
    """ "engine/net/chain.hpp" and "millrace/app.hpp", as files and as include names."""
    parts = path.split("/")
    if parts[0] in ("include", "millrace"):
        return "include"
    if parts[0] == "engine" and len(parts) > 2:
        return parts[1]
    return None


def layers(tree: Tree) -> Iterator[Fault]:
    for path in tree.cpp("include", "engine"):
        module = module_of(path)
        if module not in LAYERS:
            yield Fault(path, 1, f"is in no known module; known are {', '.join(LAYERS)}")
            continue
        for include in tree.includes(path):
            target = module_of(include.name)
            if target is not None and target != module and target not in LAYERS[module]:
                yield Fault(path, include.line, f"{module} must not include {target} ({include.name})")


def applications(tree: Tree) -> Iterator[Fault]:
    for path in tree.cpp("apps"):
        if path.split("/")[1] in ENGINE_APPS:
            continue
        for include in tree.includes(path):
            if module_of(include.name) not in (None, "include"):
                yield Fault(path, include.line, f"an application uses the public headers alone ({include.name})")


def include_names(tree: Tree) -> Iterator[Fault]:
    """Own headers are named from the root, public ones as a user names them, and exist."""
    for path in tree.cpp("include", "engine", "apps"):
        for include in tree.includes(path):
            public = include.name.startswith("millrace/")
            own = public or include.quoted
            if public and include.quoted:
                yield Fault(path, include.line, f"public headers are included as <{include.name}>")
            if own and not (tree.root / ("include" if public else "") / include.name).is_file():
                yield Fault(path, include.line, f"there is no {include.name}, counted from the root")


def public_headers(tree: Tree) -> Iterator[Fault]:
    for path in tree.cpp("include"):
        for include in tree.includes(path):
            standard = re.fullmatch(r"[a-z_0-9]+", include.name) is not None
            if not standard and not include.name.startswith("millrace/"):
                yield Fault(path, include.line, f"a public header includes {include.name}")


def packages(tree: Tree) -> Iterator[Fault]:
    for path in tree.cpp("include", "engine", "apps"):
        for include in tree.includes(path):
            for package, owners in PACKAGES.items():
                if not include.quoted and include.name.startswith(package) and module_of(path) not in owners:
                    names = " and ".join(f"engine/{owner}" for owner in sorted(owners))
                    yield Fault(path, include.line, f"only {names} includes {include.name}")


def once(tree: Tree) -> Iterator[Fault]:
    for path in tree.cpp("include", "engine"):
        if path.endswith((".hpp", ".h")) and "#pragma once" not in tree.text(path):
            yield Fault(path, 1, "has no #pragma once")


def length(tree: Tree) -> Iterator[Fault]:
    for path in tree.files(*CODE_DIRECTORIES):
        if Path(path).suffix not in CPP | {".py"}:
            continue
        count = len(tree.text(path).splitlines())
        if count > LINES_MAX and path not in LONG_FILES:
            yield Fault(path, LINES_MAX, f"has {count} lines, over {LINES_MAX}: split it, or list it with a reason")
        if count <= LINES_MAX and path in LONG_FILES:
            yield Fault(path, 1, f"has {count} lines only: take it off the list of long files")
    for path in LONG_FILES:
        if not (tree.root / path).is_file():
            yield Fault(path, 1, "is on the list of long files, but gone")


def reminders(tree: Tree) -> Iterator[Fault]:
    reminder = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b(?!\s*\(?#\d)")
    for path in tree.files(*CODE_DIRECTORIES):
        if Path(path).suffix in CPP | {".py", ".build"}:
            for number, line in tree.lines(path):
                if reminder.search(line):
                    yield Fault(path, number, "a reminder without an issue number, like (#12)")


def top_level(tree: Tree) -> Iterator[Fault]:
    for name in sorted(tree.top_level() - TOP_LEVEL):
        yield Fault(name, 1, "does not belong at the top")


def built(tree: Tree) -> Iterator[Fault]:
    """Every source is named in a meson.build of its directory or above: whole, or as 'kernels' / 'avx2' + '.cpp'."""
    for path in tree.cpp("engine", "apps", "tests/unit"):
        shared_main = path == "tests/unit/main.cpp"  # Each unit names it as '../main.cpp'.
        if path.endswith((".cpp", ".c")) and not shared_main and not named_in_meson(tree, path):
            yield Fault(path, 1, "is in no meson.build: nothing compiles it")


def named_in_meson(tree: Tree, path: str) -> bool:
    for directory in Path(path).parents:
        build = tree.root / directory / "meson.build"
        if not build.is_file():
            continue
        wanted = Path(path).relative_to(directory).as_posix()
        code = re.sub(r"^([^'#]*(?:'[^']*'[^'#]*)*)#.*$", r"\1", build.read_text(), flags=re.MULTILINE)
        names = set(re.findall(r"'([^']+)'", code))
        pieces = {*Path(wanted).parent.parts, Path(wanted).stem, Path(wanted).suffix}
        if wanted in names or pieces <= names:
            return True
    return False


def mirror(tree: Tree) -> Iterator[Fault]:
    modules = {path.split("/")[1] for path in tree.files("engine") if path.count("/") > 1}
    tested = {path.split("/")[2] for path in tree.cpp("tests/unit") if path.count("/") > 2}
    for module in sorted(tested - modules):
        yield Fault(f"tests/unit/{module}", 1, "mirrors no module of engine/")
    compiled = {path.split("/")[1] for path in tree.files("engine") if path.endswith(".cpp")}
    for module in sorted(compiled - tested):
        yield Fault(f"engine/{module}", 1, f"has no tests in tests/unit/{module}")


def quotations(tree: Tree) -> Iterator[Fault]:
    for document, sources in QUOTED.items():
        shown = tree.text(document) if (tree.root / document).is_file() else ""
        for source in sources:
            if (tree.root / source).is_file() and code_of(tree, source) not in shown:
                yield Fault(document, 1, f"does not show {source} as it is")


def code_of(tree: Tree, path: str) -> str:
    """A file without the comment it begins with."""
    return re.sub(r"\A(?:(?://|# ).*\n)*", "", tree.text(path))


RULES = (
    layers, applications, include_names, public_headers, packages, once, length, reminders, top_level,
    built, mirror, quotations,
)  # fmt: skip


def faults(root: Path) -> list[Fault]:
    tree = Tree(root)
    return [fault for rule in RULES for fault in rule(tree)]


def main() -> int:
    found = faults(Path(sys.argv[1]).resolve())
    for fault in found:
        print(fault)
    print(f"tidy: {len(found)} faults" if found else "tidy: no faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
