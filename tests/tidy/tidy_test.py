"""Each rule of tidy.py finds its fault in a tree that has it, and nothing in one that has not."""
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import tidy

# A small tree without a fault: every test changes one thing in it.
GOOD = {
    "meson.build": "project('x', 'cpp')\n",
    "include/millrace/app.hpp": "#pragma once\n#include <string>\n#include <millrace/request.hpp>\n",
    "include/millrace/request.hpp": "#pragma once\n#include <cstdint>\n",
    "engine/base/list.hpp": "#pragma once\n#include <cstddef>\n",
    "engine/mem/slab.cpp": '#include <mimalloc.h>\n#include "engine/base/list.hpp"\n',
    "engine/mem/meson.build": "# the core's memory\nstatic_library('mr_mem',  # a slab's\n  'slab.cpp')\n",
    "engine/io/backend.hpp": '#pragma once\n#include <liburing.h>\n#include "engine/base/list.hpp"\n',
    "engine/http/head.hpp": "#pragma once\n#include <llhttp.h>\n",
    "engine/http/kernels/avx2.cpp": '#include "engine/http/head.hpp"\n',
    "engine/http/meson.build": "foreach isa : ['avx2']\n  x += 'kernels' / isa + '.cpp'\nendforeach\n",
    "engine/proto/exchange.hpp": '#pragma once\n#include "engine/http/head.hpp"\n'
    '#include "engine/io/backend.hpp"\n#include <millrace/request.hpp>\n',
    "apps/hello/main.cpp": "#include <millrace/app.hpp>\n",
    "apps/hello/meson.build": "executable('hello', 'main.cpp')\n",
    "apps/millrace/main.cpp": '#include "engine/base/list.hpp"\n',
    "apps/millrace/meson.build": "executable('millrace', 'main.cpp')\n",
    "tests/unit/main.cpp": "int main() {}\n",
    "tests/unit/meson.build": "executable('unit', 'mem/slab_test.cpp', 'http/head_test.cpp')\n",
    "tests/unit/mem/slab_test.cpp": '#include "engine/mem/slab.hpp"\n',
    "tests/unit/http/head_test.cpp": "#include <llhttp.h>\n",
    "build-x/engine/net/bad.cpp": '#include "engine/config/run.hpp"\n',
}


class TidyTest(unittest.TestCase):
    def faults(self, **changes: str | None) -> list[str]:
        """The faults of GOOD with the files changed, or taken out (None)."""
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory) / "build" / "checkout"  # What lies above the root does not count.
            for name, text in {**GOOD, **changes}.items():
                if text is not None:
                    (root / name).parent.mkdir(parents=True, exist_ok=True)
                    (root / name).write_text(text)
            return [str(fault) for fault in tidy.faults(root)]

    def expect(self, want: str, **changes: str | None) -> None:
        found = self.faults(**changes)
        self.assertEqual(len(found), 1, found)
        self.assertIn(want, found[0])

    def test_good_tree(self) -> None:
        self.assertEqual(self.faults(), [])

    def test_layers(self) -> None:
        upward = (("base", "mem"), ("mem", "io"), ("io", "http"), ("http", "io"), ("net", "http"),
                  ("net", "proto"), ("proto", "serve"), ("serve", "ext"), ("ext", "config"))  # fmt: skip
        for module, target in upward:
            with self.subTest(f"{module} includes {target}"):
                self.expect(
                    f"engine/{module}/new.hpp:2: {module} must not include {target}",
                    **{f"engine/{target}/other.hpp": "#pragma once\n",
                       f"engine/{module}/new.hpp": f'#pragma once\n#include "engine/{target}/other.hpp"\n'},
                )  # fmt: skip

    def test_downward_is_no_fault(self) -> None:
        for module, below in tidy.LAYERS.items():
            for target in below - {"include"}:
                with self.subTest(f"{module} includes {target}"):
                    self.assertEqual(self.faults(**{
                        f"engine/{target}/other.hpp": "#pragma once\n",
                        f"engine/{module}/new.hpp": f'#pragma once\n#include "engine/{target}/other.hpp"\n',
                    }), [])  # fmt: skip

    def test_layers_have_no_cycle(self) -> None:
        for module, below in tidy.LAYERS.items():
            for target in below:
                self.assertNotIn(module, tidy.LAYERS[target])

    def test_unknown_module(self) -> None:
        self.expect("in no known module", **{"engine/magic/a.hpp": "#pragma once\n"})

    def test_public_header_names_the_engine(self) -> None:
        found = self.faults(**{"include/millrace/a.hpp": '#pragma once\n#include "engine/base/list.hpp"\n'})
        self.assertTrue(any("include must not include base" in fault for fault in found), found)

    def test_public_header_names_a_package_or_the_system(self) -> None:
        for header in ("fmt/core.h", "sys/socket.h", "unistd.h"):
            self.expect("a public header includes", **{"include/millrace/a.hpp": f"#pragma once\n#include <{header}>\n"})

    def test_application_uses_the_engine(self) -> None:
        self.expect("public headers alone", **{"apps/hello/main.cpp": '#include "engine/base/list.hpp"\n'})

    def test_include_names(self) -> None:
        self.expect("there is no list.hpp", **{"engine/mem/a.hpp": '#pragma once\n#include "list.hpp"\n'})
        self.expect("as <millrace/app.hpp>", **{"engine/mem/a.hpp": '#pragma once\n#include "millrace/app.hpp"\n'})

    def test_packages(self) -> None:
        for header, owner in (("mimalloc.h", "mem"), ("liburing.h", "io"), ("llhttp.h", "http"),
                              ("toml++/toml.h", "config"), ("CLI/CLI.hpp", "config"),
                              ("linux/io_uring.h", "io"), ("openssl/ssl.h", "ext"),
                              ("simdjson.h", "proto and engine/serve"), ("zlib.h", "ext and engine/proto")):  # fmt: skip
            with self.subTest(header):
                text = f"#pragma once\n  #  include <{header}>\n"
                self.expect(f"a.hpp:2: only engine/{owner} includes {header}", **{"engine/base/a.hpp": text})
                for one in owner.split(" and engine/"):
                    self.assertEqual(self.faults(**{f"engine/{one}/a.hpp": text}), [])

    def test_once(self) -> None:
        self.expect("no #pragma once", **{"engine/base/list.hpp": "int x;\n"})

    def test_length(self) -> None:
        limit = "#pragma once\n" + "int x;\n" * (tidy.LINES_MAX - 1)
        self.assertEqual(self.faults(**{"engine/base/list.hpp": limit}), [])
        self.expect("has 401 lines", **{"engine/base/list.hpp": limit + "int y;\n"})

    def test_long_files_list(self) -> None:
        with mock.patch.dict(tidy.LONG_FILES, {"engine/base/list.hpp": "a reason"}):
            self.assertEqual(self.faults(**{"engine/base/list.hpp": "#pragma once\n" * 401}), [])
            self.expect("take it off the list")
            self.expect("but gone", **{"engine/base/list.hpp": None, "engine/mem/slab.cpp": "int x;\n",
                                       "engine/io/backend.hpp": None, "engine/proto/exchange.hpp": None,
                                       "apps/millrace/main.cpp": "int main() {}\n"})  # fmt: skip

    def test_reminders(self) -> None:
        word = "TO" + "DO"
        self.expect("a.hpp:2: a reminder", **{"engine/base/a.hpp": f"#pragma once\n// {word}: later\n"})
        self.assertEqual(self.faults(**{"engine/base/a.hpp": f"#pragma once\n// {word}(#7): later\n"}), [])

    def test_top_level(self) -> None:
        self.expect("notes.txt:1: does not belong", **{"notes.txt": "x\n"})
        self.expect("src:1: does not belong", **{"src/a.cpp": "x\n"})

    def test_top_level_by_git_sees_tracked_names_alone(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            for name in ("README.md", "notes.txt", "scratch.txt"):
                (root / name).write_text("x\n")
            if not shutil.which("git"):
                self.skipTest("there is no git here")
            subprocess.run(["git", "init", "-q", directory], check=True)
            subprocess.run(["git", "-C", directory, "add", "README.md", "notes.txt"], check=True)
            self.assertEqual(tidy.Tree(root).top_level(), {"README.md", "notes.txt"})

    def test_built(self) -> None:
        self.expect("b.cpp:1: is in no meson.build", **{"engine/mem/b.cpp": "int x;\n"})
        self.expect("b.cpp:1: is in no meson.build", **{"tests/unit/mem/b.cpp": "int x;\n"})

    def test_built_is_not_named_by_a_comment(self) -> None:
        self.expect("slab.cpp:1: is in no meson.build", **{
            "engine/mem/meson.build": "# 'slab.cpp'\nx = 'a'  # 'slab.cpp'\n"})  # fmt: skip

    def test_mirror(self) -> None:
        self.expect("mirrors no module", **{
            "tests/unit/magic/a.cpp": "int x;\n", "tests/unit/magic/meson.build": "x = 'a.cpp'\n"})  # fmt: skip
        self.expect("engine/io:1: has no tests", **{
            "engine/io/a.cpp": "int x;\n", "engine/io/meson.build": "x = 'a.cpp'\n"})  # fmt: skip

    def test_quotations(self) -> None:
        source = "// What it is.\n#include <x>\nint main() {}\n"
        shown = {"README.md": "# X\n```cpp\n#include <x>\nint main() {}\n```\n",
                 "tests/outside/project/application.cpp": source}  # fmt: skip
        self.assertEqual(self.faults(**shown), [])
        self.expect("does not show", **shown | {"README.md": "# X\nint main() {}\n"})

    def test_exit_status(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            script = [Path(tidy.__file__), directory]
            self.assertEqual(subprocess.run(["python3", *script], capture_output=True, check=False).returncode, 0)
            (Path(directory) / "notes.txt").write_text("x\n")
            self.assertEqual(subprocess.run(["python3", *script], capture_output=True, check=False).returncode, 1)


if __name__ == "__main__":
    unittest.main()
