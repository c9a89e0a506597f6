#!/usr/bin/env python3
"""limits_test.py: every limit of the configuration gives the status it must give, and no more memory."""

from __future__ import annotations

import time

from harness import Client, IntegrationTest, eventually, field, get, main

CONFIG = """
[limits]
header_bytes = "1k"
headers = 10
body = "10k"
pipeline = 4
[timeouts]
linger = "300ms"
"""


class LimitsTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("echo", config=CONFIG)
        self.client = self.connect(self.server)

    def refused(self, status: int, data: str, *more: str) -> None:
        """The status, then the close; the same in segments. The request behind is not served."""
        for cut in (len(data), len(data) // 2, 1):
            client = self.connect(self.server)
            client.send(data[:cut])
            time.sleep(0.01)
            try:
                client.send(data[cut:])
                for part in more:
                    client.send(part)
            except ConnectionError:
                pass
            response = client.response()
            assert response is not None
            self.assertEqual((response.status, field(response, "connection")), (status, "close"), data[:60])
            self.assertTrue(client.closed_within(2))
            self.assertEqual(len(client.reader.responses), 1)
        self.assertEqual(self.client.ask(get()).status, 200)

    def test_fields(self) -> None:  # Row 70.
        self.assertEqual(self.client.ask(get("/", *["X: y"] * 9)).status, 200)
        self.refused(431, get("/", *["X: y"] * 10), get())

    def test_a_long_field(self) -> None:  # Row 71.
        self.refused(431, get("/", "X: " + "v" * 1100), get())

    def test_a_long_head(self) -> None:  # Row 71.
        self.refused(431, get("/", *["X: " + "v" * 200] * 6), get())

    def test_a_head_that_never_ends(self) -> None:
        self.refused(431, "GET / HTTP/1.1\r\nHost: a\r\nX: " + "v" * 5000)

    def test_a_long_target(self) -> None:
        self.refused(414, get("/" + "a" * 1100), get())

    def test_a_long_body(self) -> None:  # Row 94.
        self.assertEqual(self.client.ask(get("/echo", method="POST", body="x" * 10240)).body, b"x" * 10240)
        self.refused(413, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10241\r\n\r\n")

    def test_a_long_body_is_not_asked_for(self) -> None:
        client = self.connect(self.server)
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 10241\r\n\r\n")
        response = client.response()
        assert response is not None
        self.assertEqual((response.status, client.reader.interim), (413, 0))
        self.assertTrue(client.closed_within(2))

    def test_a_long_chunked_body(self) -> None:  # Row 124: refused on the way, not at the end.
        chunk = "1000\r\n" + "x" * 4096 + "\r\n"
        self.refused(
            413, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", chunk, chunk, chunk
        )

    def test_a_chunk_that_is_too_long_at_once(self) -> None:
        self.refused(413, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2801\r\n")

    def test_more_requests_than_fit_the_pipeline(self) -> None:
        bodies = [str(number) for number in range(500)]
        self.client.send("".join(get("/echo", method="POST", body=body) for body in bodies))
        for body in bodies:
            response = self.client.response()
            assert response is not None
            self.assertEqual(response.body.decode(), body)


class ConnectionsTest(IntegrationTest):
    def test_connections_past_the_limit_wait_or_are_told(self) -> None:  # Row 157.
        server = self.start("echo", "--cores", "1", config="[limits]\nconnections = 4\n")
        inside = [self.connect(server) for _ in range(4)]
        for client in inside:
            self.assertEqual(client.ask(get()).status, 200)
        late = self.connect(server)
        late.send(get())
        status = self.status_within(late, 0.5)
        self.assertIn(status, (503, None))
        for client in inside:
            self.assertEqual(client.ask(get()).status, 200)
        for client in inside[:2]:
            client.close()
        if status is None:
            self.assertEqual(self.status_within(late, 5), 200)
        else:
            self.assertTrue(late.closed_within(2))
        self.assertTrue(eventually(lambda: self.served(server.address)))

    def status_within(self, client: Client, timeout_s: float) -> int | None:
        try:
            response = client.response(timeout_s)
        except TimeoutError:
            return None
        return response.status if response else 503  # Closed at once is a refusal too.

    def served(self, address: tuple[str, int]) -> bool:
        client = Client(address)
        try:
            client.send(get())
            return self.status_within(client, 1) == 200
        finally:
            client.close()


class ExchangesTest(IntegrationTest):
    def test_more_slow_requests_than_exchanges(self) -> None:
        server = self.start("app", "--cores", "1", config="[limits]\nexchanges = 2\n")
        clients = [self.connect(server) for _ in range(5)]
        for client in clients:
            client.send(get("/slow/700"))
        responses = [client.response() for client in clients]
        statuses = sorted(response.status for response in responses if response)
        self.assertEqual(statuses, [200, 200, 503, 503, 503])
        for response in responses:
            if response and response.status == 503:
                self.assertRegex(field(response, "retry-after") or "", "^[0-9]+$")
        self.assertEqual(self.connect(server).ask(get("/slow/1")).status, 200)


if __name__ == "__main__":
    main()
