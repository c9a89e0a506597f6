#!/usr/bin/env python3
"""no_tls_test.py: a build without OpenSSL says of whatever is set of TLS that it has none, and starts nothing."""

from __future__ import annotations

import os
import subprocess
import unittest

from harness import IntegrationTest, binary, get, main

REFUSAL = "is set, but this build has no TLS: install libssl-dev and build again with -Dtls=enabled"


class NoTlsTest(IntegrationTest):
    def run_engine(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [binary("engine"), *arguments], cwd=self.directory, capture_output=True, text=True, timeout=20,
            env={**os.environ, **variables},
        )  # fmt: skip

    def test_each_key_of_the_file_is_refused_with_its_place(self) -> None:
        for key, value in (
            ("listen", '["127.0.0.1:0"]'),
            ("cert", '"a.pem"'),
            ("key", '"a.key"'),
            ("client_auth", '"required"'),
            ("client_ca", '"ca.pem"'),
            ("min_version", '"1.3"'),
            ("redirect", "true"),
            ("kernel", "false"),
            ("handshake", '"5s"'),
            ("session", '"1h"'),
            ("certificates", '[{ cert = "b.pem", key = "b.key", hosts = ["b.org"] }]'),
            ("hsts", '"365d"'),
        ):
            self.write("millrace.toml", f"[tls]\n\n{key} = {value}\n")
            for command in ("check", "serve"):
                done = self.run_engine(command)
                self.assertEqual((done.returncode, done.stderr), (2, f"millrace.toml:3: [tls] {key} {REFUSAL}\n"), key)

    def test_flags_and_variables(self) -> None:
        for arguments, variables, want in (
            (("--tls-listen", "127.0.0.1:0"), {}, "--tls-listen: [tls] listen"),
            (("--tls-cert", "a.pem"), {}, "--tls-cert: [tls] cert"),
            ((), {"MILLRACE_TLS_KEY": "a.key"}, "MILLRACE_TLS_KEY: [tls] key"),
        ):
            done = self.run_engine("serve", *arguments, "--config", "/dev/null", **variables)
            self.assertEqual((done.returncode, done.stderr), (2, f"{want} {REFUSAL}\n"))

    def test_what_is_printed_reads_back(self) -> None:
        printed = self.run_engine("check", "--print", "--config", "/dev/null")
        self.assertIn("[tls]", printed.stdout)
        self.write("millrace.toml", printed.stdout)
        again = self.run_engine("check")
        self.assertEqual((again.returncode, again.stderr), (0, ""))

    def test_plain_http_is_served(self) -> None:
        server = self.start("engine", config='[[route]]\npath = "/"\nrespond = { body = "plain" }\n')
        self.assertEqual(self.connect(server).ask(get()).body, b"plain")

    def test_load_by_https_is_refused(self) -> None:
        done = self.run_engine("bench", "https://127.0.0.1:1/")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("this build has no TLS", done.stderr)


if __name__ == "__main__":
    main()
