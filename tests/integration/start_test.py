#!/usr/bin/env python3
"""start_test.py: what the binary says when it cannot serve: one sentence, what is wrong and what mends it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import unittest
from pathlib import Path

from harness import SANITIZED, Client, IntegrationTest, binary, get, main
from server import Server

PASS = str(Path(__file__).resolve().parent / "pass_sockets.py")
FORBID = str(Path(__file__).resolve().parent / "forbid.py")

# A bad file; the line and what must be named: the key, and the nearest known one where it is unknown.
BAD_FILES = (
    ('[server]\nlisen = ["127.0.0.1:0"]\n', 2, ("lisen", "listen")),
    ('[limits]\nheaders = 5\nheader_byte = "16k"\n', 3, ("header_byte", "header_bytes")),
    ("[sever]\n", 1, ("sever", "server")),
    ('[timeouts]\nheader = "10 parsecs"\n', 2, ("header", "10 parsecs")),
    ("[timeouts]\nheader = 10\n", 2, ("header",)),
    ("[limits]\nheaders = 0\n", 2, ("headers",)),
    ('[server]\ncores = "some"\n', 2, ("cores", "some")),
    ('[server]\nlisten = ["nowhere"]\n', 2, ("nowhere",)),
    ('\n[[route]]\npath = "/x"\n', 2, ("route", "respond", "redirect", "files")),
    ('[[route]]\npath = "/x"\nredirect = "/y"\nrespond = { body = "z" }\n', 1, ("redirect", "respond")),
    ('[[route]]\npath = "/x"\nrespond = { stauts = 200 }\n', 3, ("stauts", "status")),
    ('[[route]]\npath = "x"\nredirect = "/y"\n', 2, ("x",)),
    ("[server\n", 1, ()),
    ("[server]\ncores = 1\ncores = 2\n", 3, ("cores",)),
)


class StartCase(IntegrationTest):
    def run_engine(
        self, *arguments: str, prefix: tuple[str, ...] = (), environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs it to its end, in an empty directory."""
        return subprocess.run(
            [*prefix, binary("engine"), *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            cwd=self.directory,
            env={**os.environ, **(environment or {})},
        )

    def assert_sentence(self, done: subprocess.CompletedProcess[str], status: int, *words: str) -> None:
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for word in words:
            self.assertIn(word.lower(), done.stderr.lower())


class PassedSocketsTest(StartCase):
    """LISTEN_FDS, as systemd's socket units have it."""

    def passed(self, *addresses: str, cores: str = "2") -> Server:
        prefix = (sys.executable, PASS, *addresses, "--")
        return self.start("engine", "--cores", cores, listen="", prefix=prefix)

    def test_sockets_that_were_passed_are_served(self) -> None:
        path = str(self.directory / "passed.sock")
        server = self.passed("tcp", path)
        for address in (server.address, path):
            clients = [Client(address) for _ in range(20)]
            for client in clients:
                self.addCleanup(client.close)
                self.assertEqual(client.ask(get()).status, 200)
        server.stop()
        self.assertTrue(Path(path).exists(), "whoever opened the socket removes its file")

    def test_sockets_for_another_process_are_not_taken(self) -> None:
        done = self.run_engine(
            *("check", "--print"),
            prefix=(sys.executable, PASS, "--other-pid", "tcp", "--"),
        )
        self.assertIn("127.0.0.1:8080", done.stdout)

    def test_a_flag_beats_them(self) -> None:
        prefix = (sys.executable, PASS, "tcp", "--")
        done = self.run_engine("check", "--print", "--listen", "127.0.0.1:9", prefix=prefix)
        self.assertRegex(done.stdout, r'listen = \["127.0.0.1:9"\] +# --listen')

    def test_what_cannot_be_taken(self) -> None:
        self.assert_sentence(
            self.run_engine("serve", "--listen", "fd:77"), 1, "fd:77 is not open", "ListenStream"
        )
        self.assert_sentence(self.run_engine("serve", "--listen", "fd:0"), 1, "fd:0 is no socket", "ListenStream")
        shell = ("sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=many exec "$@"', "sh")
        self.assert_sentence(self.run_engine("serve", prefix=shell), 2, "LISTEN_FDS", "many", "1 to 1024")


class StartTest(StartCase):
    def test_a_port_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.assert_sentence(self.run_engine("--port", str(port)), 1, "in use", str(port))

    def test_a_port_in_use_by_itself(self) -> None:
        server = self.start("engine")
        port = server.address[1]
        self.assert_sentence(self.run_engine("--port", str(port)), 1, "in use", str(port))
        self.assertEqual(self.connect(server).ask(get()).status, 200)

    def test_an_address_of_another_machine(self) -> None:
        self.assert_sentence(self.run_engine("--listen", "192.0.2.1:0"), 1, "192.0.2.1")

    def test_bad_flags(self) -> None:
        for arguments, words in (
            (("--prot", "1"), ("--prot", "--port")),
            (("sevre",), ("sevre", "serve")),
            (("--port", "99999"), ("99999",)),
            (("--cores", "many"), ("many",)),
            (("--backend", "kqueue"), ("kqueue", "auto", "uring", "epoll")),
            (("--listen", "here"), ("here",)),
            (("--config", "absent.toml"), ("absent.toml",)),
        ):
            done = self.run_engine(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), (arguments, done.stderr))
            for word in words:
                self.assertIn(word, done.stderr)

    def test_bad_files(self) -> None:
        for text, line, words in BAD_FILES:
            path = self.write("bad.toml", text)
            for command in ((), ("check",)):
                done = self.run_engine(*command, "--config", str(path))
                said = done.stdout + done.stderr
                self.assertEqual(done.returncode, 2, text + said)
                self.assertIn(f"bad.toml:{line}", said, text)
                for word in words:
                    self.assertIn(word, said, text)
                self.assertNotIn("http://", said)

    def test_every_problem_of_a_file_is_named(self) -> None:
        path = self.write(
            "bad.toml", "[server]\nlisen = []\n[limits]\nheaders = -1\n[timeouts]\nheader = true\n"
        )
        said = self.run_engine("check", "--config", str(path)).stderr
        for line in (2, 4, 6):
            self.assertIn(f"bad.toml:{line}", said)

    def test_the_environment_is_checked_too(self) -> None:
        done = self.run_engine("check", environment={"MILLRACE_LIMITS_HEADERS": "lots"})
        self.assertEqual(done.returncode, 2)
        self.assertIn("MILLRACE_LIMITS_HEADERS", done.stdout + done.stderr)


class PermissionTest(StartCase):
    def setUp(self) -> None:
        super().setUp()
        self.directory.chmod(0o755)
        self.nobody: tuple[str, ...] = ()
        if os.geteuid() == 0:
            # A coverage build's counts that root began are not its to write, and it says so among its own words.
            counts = self.directory / "counts"
            counts.mkdir()
            counts.chmod(0o777)
            lose_root = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
            self.nobody = ("env", f"GCOV_PREFIX={counts}", *lose_root)
        trial = subprocess.run([*self.nobody, binary("engine"), "version"], capture_output=True)
        if trial.returncode != 0:
            self.skipTest("the binary cannot be run as another user from where it lies")

    def test_a_port_for_root(self) -> None:
        if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 81:
            self.skipTest("every user may listen on every port here")
        self.assert_sentence(self.run_engine("--port", "81", prefix=self.nobody), 1, "permission", ":81")

    def test_a_directory_of_somebody_else(self) -> None:
        path = self.directory / "locked" / "socket"
        path.parent.mkdir(mode=0o555)
        done = self.run_engine("--listen", f"unix:{path}", prefix=self.nobody)
        self.assert_sentence(done, 1, "permission", str(path))


class ForbiddenTest(StartCase):
    """io_uring is forbidden: who named it gets a sentence, everybody else is served on epoll."""

    # EPERM as Docker's profile answers; ENOSYS as some that pretend there is no io_uring.
    FILTERS = tuple((sys.executable, FORBID, number) for number in ("EPERM", "ENOSYS"))

    def test_seccomp(self) -> None:
        for prefix in self.FILTERS:
            done = self.run_engine("--port", "0", "--backend", "uring", prefix=prefix)
            self.assert_sentence(done, 1, "io_uring", "seccomp")
            doctor = self.run_engine("doctor", "--backend", "uring", prefix=prefix)
            self.assertEqual(doctor.returncode, 1)
            self.assertIn("seccomp", doctor.stdout + doctor.stderr)

    def test_seccomp_falls_back(self) -> None:
        for prefix in self.FILTERS:
            server = self.start("echo", "--cores", "2", prefix=prefix)
            for _ in range(8):  # So that both cores have some.
                client = self.connect(server)
                self.assertEqual(client.ask(get("/echo", method="POST", body="x" * 100_000)).status, 200)
                self.assertEqual(client.ask(get()).body, b"hello")
            self.assertRegex(server.stdout(), r"\(2 cores, epoll\)")
            said = server.stderr().strip()
            self.assertEqual(len(said.splitlines()), 1, said)
            for word in ("epoll", "io_uring", "seccomp", "--security-opt"):
                self.assertIn(word, said)

    def test_the_fallback_is_shown(self) -> None:
        for arguments in (("version", "--features"), ("doctor",), ("check", "--print")):
            done = self.run_engine(*arguments, prefix=self.FILTERS[0])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"(?s)backend.*epoll.*seccomp")

    def test_epoll_by_name(self) -> None:
        for prefix in ((), self.FILTERS[0]):
            server = self.start("engine", "--backend", "epoll", prefix=prefix)
            self.assertEqual(self.connect(server).ask(get()).status, 200)
            self.assertIn("epoll)", server.stdout())
            self.assertEqual(server.stderr(), "")
        self.assertRegex(self.run_engine("doctor", "--backend", "epoll").stdout, r"backend +epoll")

    @unittest.skipIf(SANITIZED, "UBSan opens a pipe to look at an object, and takes its failure for a wrong type")
    def test_no_descriptor_for_epoll(self) -> None:
        done = self.run_engine("--backend", "epoll", "--port", "0", "--cores", "1", prefix=("prlimit", "--nofile=5"))
        self.assert_sentence(done, 1, "epoll cannot be used: Too many open files", "ulimit -n")

    def test_no_memory_for_the_rings(self) -> None:
        """Newer kernels charge the rings to the memory cgroup, where the limit says nothing."""
        prefix = (
            "prlimit",
            "--memlock=0",
            "setpriv",
            "--bounding-set",
            "-ipc_lock",
            "--inh-caps",
            "-ipc_lock",
        )
        server = self.start("engine", prefix=prefix)
        self.assertEqual(self.connect(server).ask(get()).status, 200)
        done = self.run_engine("doctor", "--backend", "uring", prefix=prefix)
        if "epoll)" in server.stdout():
            self.assertRegex(server.stderr(), r"(?i)epoll.*io_uring.*memlock.*ulimit -l")
            self.assertEqual(done.returncode, 1)
            self.assertIn("memlock", done.stdout.lower())
        else:
            print("this kernel does not charge rings to memlock: io_uring serves where it is 0", file=sys.stderr)
            self.assertIn("io_uring)", server.stdout())
            self.assertEqual(server.stderr(), "")
            self.assertEqual(done.returncode, 0)

    def test_too_few_descriptors_to_start(self) -> None:
        done = self.run_engine("--port", "0", prefix=("prlimit", "--nofile=4"))
        if done.returncode == 127 or "runtime error" in done.stderr:
            self.skipTest("the loader or a sanitizer needs more itself")
        self.assert_sentence(done, 1, "descriptor")


class CommandsTest(StartCase):
    def test_no_arguments(self) -> None:
        environment = {"MILLRACE_SERVER_LISTEN": "127.0.0.1:0"}
        with Server([binary("engine")], cwd=self.directory, environment=environment) as server:
            client = self.connect(server)
            page = client.ask(get())
            self.assertEqual(page.status, 200)
            self.assertIn(b"<html", page.body.lower())
            self.assertEqual(len(server.stdout().strip().splitlines()), 1, server.stdout())
            self.assertRegex(server.stdout(), r"millrace .*http://127\.0\.0\.1:\d+ .*core.*io_uring")
            self.assertEqual(server.stop(), [])
        self.write("public/index.html", "mine")
        with Server([binary("engine")], cwd=self.directory, environment=environment) as server:
            self.assertEqual(self.connect(server).ask(get()).body, b"mine")
            self.assertEqual(server.stop(), [])

    def test_port_from_the_environment(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        done = self.run_engine("check", "--print", environment={"PORT": str(port)})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(f"0.0.0.0:{port}", done.stdout)

    def test_a_flag_beats_the_environment_and_that_the_file(self) -> None:
        path = self.write(
            "site.toml", '[server]\nlisten = ["127.0.0.1:1"]\ncores = 1\n[limits]\nheaders = 7\n'
        )
        environment = {"MILLRACE_SERVER_LISTEN": "127.0.0.1:2", "MILLRACE_SERVER_CORES": "2"}
        done = self.run_engine(
            "check", "--print", "--config", str(path), "--listen", "127.0.0.1:3", environment=environment
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("127.0.0.1:3", done.stdout)
        self.assertNotRegex(done.stdout, r"127\.0\.0\.1:[12]\b")
        self.assertRegex(done.stdout, r"cores\s*=\s*2\b")
        self.assertRegex(done.stdout, r"headers\s*=\s*7\b")

    def test_routes_of_the_file(self) -> None:
        path = self.write(
            "site.toml",
            '[[route]]\npath = "/hello"\nrespond = { status = 203, type = "text/x", body = "hi" }\n'
            '[[route]]\npath = "/old"\nredirect = "/new"\n',
        )
        listed = self.run_engine("routes", "--config", str(path))
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertRegex(listed.stdout, r"/hello\b.*respond")
        self.assertRegex(listed.stdout, r"/old\b.*redirect.*/new")
        server = self.start("engine", config=path.read_text())
        client = self.connect(server)
        hello = client.ask(get("/hello"))
        self.assertEqual((hello.status, hello.values("content-type"), hello.body), (203, [b"text/x"], b"hi"))
        moved = client.ask(get("/old"))
        self.assertIn(moved.status, (301, 302, 307, 308))
        self.assertEqual(moved.values("location"), [b"/new"])

    def test_what_it_says_of_itself(self) -> None:
        for arguments, pattern in (
            (("version",), r"\d+\.\d+\.\d+"),
            (("version", "--features"), "io_uring"),
            (("--help",), "--listen"),
            (("check",), "ok"),
            (("doctor",), "io_uring"),
            (("doctor",), "memlock"),
            (("doctor",), "nofile"),
        ):
            done = self.run_engine(*arguments)
            self.assertEqual(done.returncode, 0, (arguments, done.stdout, done.stderr))
            self.assertRegex(done.stdout, pattern)

    def test_cores_follow_the_affinity_mask(self) -> None:
        with Server(
            ["taskset", "-c", str(min(os.sched_getaffinity(0))), binary("echo"), "--port", "0"],
            cwd=self.directory,
        ) as server:
            if not SANITIZED:
                threads = os.listdir(f"/proc/{server.pid}/task")
                self.assertLessEqual(len(threads), 2)  # The main one, and one core.
            self.assertRegex(server.stdout(), r"\b1 core\b")
            self.assertEqual(server.stop(), [])


if __name__ == "__main__":
    main()
