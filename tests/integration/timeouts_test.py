#!/usr/bin/env python3
"""timeouts_test.py: a peer that stalls is told so where it can be told, and loses its connection.

The deadlines are short here; a margin of two seconds keeps a busy machine from failing the test."""

from __future__ import annotations

import time

from harness import Client, IntegrationTest, field, get, main

CONFIG = """
[timeouts]
header = "700ms"
body_idle = "700ms"
keepalive = "1s"
linger = "300ms"
"""
MARGIN_S = 2.0


class TimeoutsTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("echo", config=CONFIG)
        self.client = self.connect(self.server)

    def expect_408(self, earliest_s: float, latest_s: float, client: Client | None = None) -> None:
        client, started = client or self.client, time.monotonic()
        response = client.response(latest_s + MARGIN_S)
        assert response is not None
        self.assertEqual((response.status, field(response, "connection")), (408, "close"))
        self.assertGreater(time.monotonic() - started, earliest_s)
        self.assertTrue(client.closed_within(MARGIN_S))

    def test_a_head_that_stalls(self) -> None:  # Row 2.
        self.client.send("G")
        self.expect_408(0.4, 0.7)

    def test_a_head_that_trickles(
        self,
    ) -> None:  # Row 3: the deadline is a total, so a byte now and then does not help.
        started = time.monotonic()
        self.client.send("GET / HTTP/1.1\r\nX: ")
        while time.monotonic() - started < 0.7 + MARGIN_S and not self.client.reader.responses:
            try:
                self.client.send("a")
                self.client.receive_until(lambda: bool(self.client.reader.responses), 0.1)
            except TimeoutError:
                continue
            except ConnectionError:
                break
        self.expect_408(-1, 0)

    def test_a_second_head_that_stalls(self) -> None:
        self.assertEqual(self.client.ask(get()).status, 200)
        self.client.send("GET / HTTP/1.1\r\n")
        self.expect_408(0.4, 0.7)

    def test_a_body_that_stalls(self) -> None:  # Row 96.
        self.client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n" + "x" * 40)
        self.expect_408(0.4, 0.7)

    def test_a_chunked_body_that_stalls(self) -> None:
        self.client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel")
        self.expect_408(0.4, 0.7)

    def test_a_body_that_is_slow_but_steady(self) -> None:
        self.client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(0.2)
            self.client.send("x")
        response = self.client.response()
        assert response is not None
        self.assertEqual((response.status, response.body), (200, b"x" * 8))

    def test_an_idle_connection(self) -> None:
        self.assertEqual(self.client.ask(get()).status, 200)
        started = time.monotonic()
        self.assertTrue(self.client.closed_within(1.0 + MARGIN_S))
        self.assertGreater(time.monotonic() - started, 0.6)
        self.assertEqual(len(self.client.reader.responses), 1)

    def test_a_connection_that_never_asks(self) -> None:
        self.assertTrue(self.client.closed_within(1.0 + MARGIN_S))
        self.assertIn([one.status for one in self.client.reader.responses], ([], [408]))

    def test_others_are_served_meanwhile(self) -> None:
        self.client.send("G")
        other = self.connect(self.server)
        for _ in range(10):
            self.assertEqual(other.ask(get()).status, 200)
            time.sleep(0.05)
        self.expect_408(-1, 0.7)


if __name__ == "__main__":
    main()
