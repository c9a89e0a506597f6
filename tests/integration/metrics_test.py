#!/usr/bin/env python3
"""metrics_test.py: what /metrics counts is what happened, in a text that Prometheus's own parser takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from debian_python import load
from harness import Client, IntegrationTest, Server, binary, eventually, field, get, main

load("prometheus_client")
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

CONFIG = """
[limits]
headers = 10
[[route]]
path = "/metrics"
metrics = true
[[route]]
path = "/hello"
respond = { body = "hello" }
[[route]]
path = "/old"
redirect = "/hello"
"""
FORBID = str(Path(__file__).resolve().parent / "forbid.py")
CLOSED = "millrace_connections_closed_total"


class MetricsTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("engine", config=CONFIG)

    def values(self, server: Server | None = None) -> dict[tuple[str, str], float]:
        """By name and the last label's value."""
        text = self.connect(server or self.server).ask(get("/metrics")).body.decode()
        found: dict[tuple[str, str], float] = {}
        for family in text_string_to_metric_families(text):
            self.assertTrue(family.documentation and family.type in ("counter", "gauge"), family.name)
            for sample in family.samples:
                key = (sample.name, next(iter(sample.labels.values()), ""))
                self.assertNotIn(key, found)
                found[key] = sample.value
        return found

    def info(self, *flags: str, prefix: tuple[str, ...] = ()) -> dict[str, str]:
        """The labels of the one sample of millrace_info, of a server started so."""
        server = self.start("engine", *flags, config=CONFIG, prefix=prefix)
        text = self.connect(server).ask(get("/metrics")).body.decode()
        (info,) = (one for one in text_string_to_metric_families(text) if one.name == "millrace_info")
        (sample,) = info.samples
        return sample.labels

    def grows(self, key: tuple[str, str], by: float, before: dict[tuple[str, str], float]) -> None:
        """A core publishes at the end of its turn, and the connection may be another core's."""
        self.assertTrue(eventually(lambda: self.values()[key] - before[key] >= by), key)

    def test_replies_by_their_status(self) -> None:
        before = self.values()
        client = self.connect(self.server)
        for path, status in (("/hello", 200), ("/hello", 200), ("/old", 301), ("/nowhere", 404)):
            self.assertEqual(client.ask(get(path)).status, status)
        refused = self.connect(self.server).ask(get("/", *["X: y"] * 11))
        self.assertEqual(refused.status, 431)
        self.grows(("millrace_replies_total", "2xx"), 2, before)
        self.grows(("millrace_replies_total", "3xx"), 1, before)
        self.grows(("millrace_replies_total", "4xx"), 2, before)
        self.grows(("millrace_requests_refused_total", ""), 1, before)
        after = self.values()
        self.assertEqual(after["millrace_replies_total", "3xx"] - before["millrace_replies_total", "3xx"], 1)
        self.assertEqual(after["millrace_replies_total", "5xx"], 0)

    def test_bytes_and_connections(self) -> None:
        before = self.values()
        clients = [self.connect(self.server) for _ in range(20)]
        for client in clients:
            client.ask(get("/hello"))
        self.grows(("millrace_connections_accepted_total", ""), 20, before)
        self.grows(("millrace_sent_bytes_total", ""), 20 * 100, before)
        self.grows(("millrace_received_bytes_total", ""), 20 * len(get("/hello")), before)
        self.assertGreaterEqual(self.values()["millrace_connections_open", ""], 20)
        for client in clients:
            client.close()
        self.grows((CLOSED, "finished"), 20, before)

    def test_curl_and_head(self) -> None:
        url = "http://{}:{}/metrics".format(*self.server.address)
        told = subprocess.run(["curl", "-sSi", url], capture_output=True, text=True, check=True, timeout=20).stdout
        self.assertIn("Content-Type: text/plain; version=0.0.4; charset=utf-8\n", told)
        client = Client(self.server.address, ("HEAD",))
        self.addCleanup(client.close)
        head = client.ask(get("/metrics", method="HEAD"))
        self.assertGreater(int(field(head, "content-length") or 0), 1000)

    def test_the_backend_and_why(self) -> None:
        self.assertIn(self.info()["backend"], ("io_uring", "epoll"))
        self.assertEqual(self.info("--backend", "epoll"), {"backend": "epoll", "reason": ""})

    def test_the_backend_and_why_where_io_uring_is_forbidden(self) -> None:
        for number in ("EPERM", "ENOSYS"):
            labels = self.info(prefix=(sys.executable, FORBID, number))
            self.assertEqual(labels["backend"], "epoll", number)
            self.assertRegex(labels["reason"], "io_uring.*seccomp", number)

    def test_only_true_is_a_route_of_metrics(self) -> None:
        path = self.write("bad.toml", '[[route]]\npath = "/metrics"\nmetrics = 1\n')
        command = [binary("engine"), "check", "--config", str(path)]
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
        self.assertNotEqual(told.returncode, 0)
        self.assertIn("bad.toml:3: metrics = 1: expected true", told.stderr)


if __name__ == "__main__":
    main()
