#!/usr/bin/env python3
"""signals_test.py: TERM drains, a second one ends it, INT drains at once; the others do not kill."""

from __future__ import annotations

import signal
import socket
import time

from harness import Client, IntegrationTest, eventually, field, get, main
from server import Server


class SignalsTest(IntegrationTest):
    def start_slow(self, server: Server, milliseconds: int) -> Client:
        """A request whose handler runs."""
        watcher, client = self.connect(server), self.connect(server)
        client.send(get(f"/slow/{milliseconds}"))
        self.assertTrue(eventually(lambda: b"running=1" in watcher.ask(get("/counts")).body))
        watcher.close()
        return client

    def refuses(self, server: Server) -> bool:
        try:
            Client(server.address).close()
        except OSError:
            return True
        return False

    def drains(self, number: signal.Signals) -> None:
        server = self.start("app")
        idle = self.connect(server)
        self.assertEqual(idle.ask(get()).status, 200)
        client = self.start_slow(server, 2500)
        server.send(number)
        self.assertTrue(eventually(lambda: self.refuses(server), 0.8))
        self.assertTrue(idle.closed_within(0.8))
        self.assertIsNone(server.process.poll())
        response = client.response()
        assert response is not None
        self.assertEqual((response.body, field(response, "connection")), (b"slow", "close"))
        self.assertTrue(client.closed_within(2))
        self.assertEqual(server.wait(5), 0)

    def test_term_lets_requests_end(self) -> None:
        self.drains(signal.SIGTERM)

    def test_int_lets_requests_end(self) -> None:
        self.drains(signal.SIGINT)

    def test_quit_lets_requests_end(self) -> None:
        self.drains(signal.SIGQUIT)

    def test_term_with_nothing_under_way_is_prompt(self) -> None:
        server, started = self.start("app"), time.monotonic()
        server.send(signal.SIGTERM)
        self.assertEqual(server.wait(5), 0)
        self.assertLess(time.monotonic() - started, 2)

    def test_a_second_term_ends_it_now(self) -> None:
        server = self.start("app")
        self.start_slow(server, 30_000)
        server.send(signal.SIGTERM)
        self.assertIsNone(server.wait(0.3))
        server.send(signal.SIGTERM)
        self.assertIsNotNone(server.wait(3))
        self.assertGreaterEqual(server.process.returncode, 0)  # Not killed by the signal.

    def test_the_grace_ends(self) -> None:
        server = self.start("app", config='[drain]\ngrace = "500ms"\n')
        self.start_slow(server, 30_000)
        started = time.monotonic()
        server.send(signal.SIGTERM)
        self.assertIsNotNone(server.wait(5))
        self.assertGreater(time.monotonic() - started, 0.3)

    def test_the_delay_before_a_drain(self) -> None:
        server = self.start("app", config='[drain]\ndelay = "700ms"\n')
        server.send(signal.SIGTERM)
        time.sleep(0.3)
        self.assertEqual(self.connect(server).ask(get()).status, 200)
        self.assertEqual(server.wait(5), 0)

    def test_int_skips_the_delay(self) -> None:
        server = self.start("app", config='[drain]\ndelay = "20s"\n')
        server.send(signal.SIGINT)
        self.assertEqual(server.wait(3), 0)

    def test_others_do_not_kill(self) -> None:
        server = self.start("app")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
            server.send(number)
            time.sleep(0.1)
            self.assertIsNone(server.process.poll(), number)
            self.assertEqual(self.connect(server).ask(get()).status, 200)

    def test_a_unix_socket_is_gone_afterwards(self) -> None:
        path = self.directory / "socket"
        server = self.start("app", "--listen", f"unix:{path}")
        self.assertEqual(Client(str(path)).ask(get()).status, 200)
        server.send(signal.SIGTERM)
        self.assertEqual(server.wait(5), 0)
        with socket.socket(socket.AF_UNIX) as sock:
            self.assertRaises(OSError, sock.connect, str(path))
        again = self.start("app", "--listen", f"unix:{path}")
        self.assertEqual(Client(str(path)).ask(get()).status, 200)
        self.assertEqual(again.stop(), [])


if __name__ == "__main__":
    main()
