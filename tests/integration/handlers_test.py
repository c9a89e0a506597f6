#!/usr/bin/env python3
"""handlers_test.py: what handlers may do, and what the engine makes of it on the wire."""

from __future__ import annotations

import random
import socket
import threading
import time

from harness import Client, IntegrationTest, eventually, field, get, main, rss_kib


class HandlersTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("app")
        self.client = self.connect(self.server)

    def counts(self) -> dict[str, int]:
        text = self.client.ask(get("/counts")).body.decode()
        return {name: int(value) for name, value in (pair.split("=") for pair in text.split())}

    def test_the_host_of_an_absolute_target_wins(self) -> None:  # Row 35.
        self.assertEqual(self.client.ask(get("/host")).body, b"a 0")
        self.assertEqual(self.client.ask(get("http://b/host")).body, b"b 0")
        self.assertEqual(self.client.ask(get("http://b:8080/host")).body, b"b 8080")

    def test_a_header_with_a_line_end(self) -> None:  # Row 72.
        for kind in ("crlf", "lf", "cr", "nul", "name"):
            response = self.client.ask(get(f"/bad-header/{kind}"))
            self.assertEqual(
                (response.status, field(response, "x-injected"), field(response, "x-bad")),
                (500, None, None),
                kind,
            )
        self.assertNotIn(b"njected", self.client.reader.buffer)
        self.assertEqual(self.client.ask(get()).status, 200)

    def test_a_handler_that_throws(self) -> None:
        for path in ("/throw", "/throw-later"):
            response = self.client.ask(get(path))
            self.assertEqual(response.status, 500)
            self.assertNotIn(b"secret", response.body)
        self.assertEqual(self.client.ask(get()).status, 200)
        self.assertTrue(eventually(lambda: "secret" in self.server.stderr(), 3))

    def test_statuses_without_a_body(self) -> None:  # Row 154.
        for status in (204, 304):
            self.client.reader.methods = ()
            response = self.client.ask(get(f"/status/{status}"))
            self.assertEqual(
                (response.status, field(response, "content-length"), field(response, "transfer-encoding")),
                (status, None, None),
            )
            self.assertEqual(self.client.ask(get()).body, b"hello")

    def test_an_interim_status_is_no_answer(self) -> None:  # Row 154.
        self.assertEqual(self.client.ask(get("/status/103")).status, 500)
        self.assertEqual(self.client.ask(get()).body, b"hello")

    def test_head_on_every_route(self) -> None:  # Row 153.
        for path in ("/", "/fast/7", "/slow/10", "/status/404", "/throw", "/nope"):
            client = Client(self.server.address, ("HEAD", "GET"))
            self.addCleanup(client.close)
            head = client.ask(get(path, method="HEAD"))
            whole = client.ask(get(path))
            self.assertEqual(head.head(), whole.head(), path)
            self.assertEqual(head.body, b"")

    def test_trailers_are_a_map_of_their_own(self) -> None:  # Rows 119 and 120.
        head = "POST /trailer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
        self.assertEqual(
            self.client.ask(head + "X-Sum: 1\r\n\r\n").body, b"trailer=1 header=- host=a authorization=-"
        )
        forbidden = (
            "Host: evil\r\nAuthorization: Basic eDp5\r\nContent-Length: 7\r\nTransfer-Encoding: gzip\r\n"
        )
        self.assertEqual(
            self.client.ask(head + forbidden + "X-Sum: 2\r\n\r\n").body,
            b"trailer=2 header=- host=a authorization=-",
        )

    def test_a_reply_does_not_wait_for_the_one_behind(self) -> None:
        started = time.monotonic()
        self.client.send(get("/fast/1") + get("/slow/1500") + get("/fast/2"))
        first = self.client.response()
        self.assertLess(time.monotonic() - started, 1.0)
        rest = [self.client.response(), self.client.response()]
        self.assertEqual([one.body for one in (first, *rest) if one], [b"1", b"slow", b"2"])

    def test_replies_keep_their_order(self) -> None:
        choose = random.Random(7)
        clients = [self.connect(self.server) for _ in range(20)]
        for client in clients:
            parts = [
                get(f"/order/{number}/{choose.randrange(30)}" if number % 3 else f"/fast/{number}")
                for number in range(40)
            ]
            client.send("".join(parts))
        for client in clients:
            bodies = [response.body for response in (client.response() for _ in range(40)) if response]
            self.assertEqual(bodies, [str(number).encode() for number in range(40)])

    def test_a_client_that_resets_cancels_its_handler(self) -> None:  # Row 148.
        before = self.counts()
        for _ in range(20):
            leaving = Client(self.server.address)
            leaving.send(get("/slow/60000"))
            self.assertTrue(eventually(lambda: self.counts()["running"] == 1))
            leaving.reset()
            self.assertTrue(eventually(lambda: self.counts()["running"] == 0, 5))
        after = self.counts()
        self.assertEqual(after["cancelled"] - before["cancelled"], 20)
        self.assertEqual(after["finished"], before["finished"])

    def test_resets_with_requests_in_every_state(self) -> None:  # Row 148.
        choose = random.Random(11)
        for _ in range(150):
            leaving = Client(self.server.address)
            paths = [
                choose.choice(("/", "/slow/20", "/order/1/5", "/fast/3", "/slow/60000")) for _ in range(8)
            ]
            leaving.send("".join(get(path) for path in paths))
            time.sleep(choose.random() * 0.01)
            leaving.reset()
        self.assertTrue(eventually(lambda: self.counts()["running"] == 0, 5))

    def test_a_client_that_only_stops_sending_gets_its_answer(self) -> None:  # Row 146.
        client = self.connect(self.server)
        client.send(get("/slow/300"))
        client.sock.shutdown(socket.SHUT_WR)
        response = client.response()
        assert response is not None
        self.assertEqual(response.body, b"slow")
        self.assertTrue(client.closed_within(2))

    def test_reading_stops_behind_a_slow_handler(self) -> None:  # Row 143.
        count, before = 100_000, rss_kib(self.server.pid)
        client = self.connect(self.server)
        request = get("/fast/1").encode()
        client.send(get("/slow/1500"))
        client.sock.settimeout(60)
        sender = threading.Thread(target=lambda: client.send(request * count), daemon=True)
        sender.start()
        time.sleep(1.0)
        self.grown_at_most(self.server, before, 16 * 1024)
        first = client.response()
        assert first is not None
        self.assertEqual(first.body, b"slow")
        client.receive_until(lambda: len(client.reader.responses) == count + 1, 60)
        sender.join(10)
        self.assertTrue(all(one.body == b"1" for one in client.reader.responses[1:]))
        self.grown_at_most(self.server, before, 16 * 1024)


if __name__ == "__main__":
    main()
