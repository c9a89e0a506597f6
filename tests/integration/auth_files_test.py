#!/usr/bin/env python3
"""auth_files_test.py: the files of `auth` are read again on HUP, without a word to who is connected; by curl."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import unittest

from harness import IntegrationTest, eventually, get, main
from server import Server

CONFIG = """
[[route]]
path = "/people"
auth = { users = "users" }
respond = { body = "come in" }
[[route]]
path = "/machines"
auth = { tokens = "tokens" }
respond = { body = "a machine" }
[[route]]
path = "/more"
auth = { tokens = "tokens", realm = "more" }
respond = { body = "more" }
"""
BEARER = "Authorization: Bearer "


@unittest.skipUnless(shutil.which("curl") and shutil.which("htpasswd"), "curl or htpasswd is not installed")
class AuthFilesTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.users(ada="open sesame", bob="by the moon")
        self.write("tokens", "0123456789abcdef\n")
        self.server = self.start("engine", config=CONFIG)

    def users(self, **passwords: str) -> None:
        lines = []
        for name, password in passwords.items():
            command = ["htpasswd", "-nbB", "-C", "4", name, password]
            lines.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
        self.write("users", "\n".join(lines) + "\n")

    def curl(self, path: str, *flags: str) -> int:
        host, port = self.server.address
        done = subprocess.run(
            ["curl", "-sS", "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}", *flags, f"http://{host}:{port}{path}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return int(done.stdout)

    def reload(self, server: Server) -> list[str]:
        """What it says: a line for each file."""
        before = len(server.stderr().splitlines())
        server.send(signal.SIGHUP)
        self.assertTrue(eventually(lambda: len(server.stderr().splitlines()) >= before + 2), server.stderr())
        return server.stderr().splitlines()[before:]

    def test_new_files_count_at_once(self) -> None:
        kept = self.connect(self.server)
        ask = get("/machines", BEARER + "0123456789abcdef")
        self.assertEqual(kept.ask(ask).status, 200)
        self.assertEqual(self.curl("/people", "-u", "ada:open sesame"), 200)
        self.users(ada="another", eve="a third")
        self.write("tokens", "fedcba9876543210\n")
        self.assertEqual(self.curl("/people", "-u", "ada:open sesame"), 200)  # Until it is told to read them.
        said = self.reload(self.server)
        self.assertEqual(said, ["millrace: users was read again", "millrace: tokens was read again"])
        for user, want in (("ada:open sesame", 401), ("ada:another", 200), ("bob:by the moon", 401), ("eve:a third", 200)):
            self.assertEqual(self.curl("/people", "-u", user), want, user)
        for path in ("/machines", "/more"):
            self.assertEqual(self.curl(path, "-H", BEARER + "fedcba9876543210"), 200)
            self.assertEqual(self.curl(path, "-H", BEARER + "0123456789abcdef"), 401)
        # The connection is still there, and judged by what counts now.
        self.assertEqual(kept.ask(ask).status, 401)
        self.assertEqual(kept.ask(get("/machines", BEARER + "fedcba9876543210")).status, 200)

    def test_a_bad_file_changes_nothing(self) -> None:
        for text, want in (("ada:open\n", "users:1: the hash of ada is of no strong kind"), ("", "users: names nobody")):
            self.write("users", text)
            said = self.reload(self.server)
            self.assertEqual(len(said), 2, said)
            self.assertTrue(said[0].startswith(f"millrace: {want}"), said)
            self.assertTrue(said[0].endswith("; who could come in by that file still can"), said)
            self.assertEqual(said[1], "millrace: tokens was read again")
            self.assertEqual(self.curl("/people", "-u", "ada:open sesame"), 200)
        (self.directory / "users").unlink()
        self.assertIn("users: cannot be read (No such file or directory)", self.reload(self.server)[0])
        self.assertEqual(self.curl("/people", "-u", "ada:open sesame"), 200)

    def test_under_load_nobody_is_dropped_or_judged_wrong(self) -> None:
        stop = threading.Event()
        faults: list[str] = []
        answered = [0] * 4

        def ask_on(index: int) -> None:
            client = self.connect(self.server)
            while not stop.is_set():
                for token, want in (("stays", 200), ("nobody", 401)):
                    reply = client.ask(get("/machines", BEARER + token))
                    if reply is None or reply.status != want:
                        faults.append(f"{token}: {reply and reply.status}")
                        return
                answered[index] += 1

        self.write("tokens", "stays\n")
        self.reload(self.server)
        threads = [threading.Thread(target=ask_on, args=(index,)) for index in range(len(answered))]
        for thread in threads:
            thread.start()
        for number in range(20):
            self.write("tokens", f"round{number}\nstays\n")
            self.reload(self.server)
            self.assertEqual(self.curl("/machines", "-H", f"{BEARER}round{number}"), 200)
        self.assertTrue(eventually(lambda: min(answered) > 0))
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])


if __name__ == "__main__":
    main()
