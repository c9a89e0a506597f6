#!/usr/bin/env python3
"""protocol_rules_test.py: demands of RFC 9110 and RFC 9112 that need a handler or a file of a special kind;
tests/conformance_rfc has the list of all."""

from __future__ import annotations

import os
import time
from email.utils import parsedate_to_datetime

from harness import Client, IntegrationTest, field, get, main


class StatusTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("app")
        self.client = self.connect(self.server)

    def test_a_status_without_a_reason_keeps_its_space(self) -> None:
        self.client.send(get("/status/299"))
        self.assertTrue(self.client.sock.recv(100).startswith(b"HTTP/1.1 299 \r\n"))

    def test_a_205_has_no_content(self) -> None:
        response = self.client.ask(get("/status/205"))
        self.assertEqual((response.status, field(response, "content-length"), response.body), (205, "0", b""))
        self.assertEqual(self.client.ask(get()).body, b"hello")


class FileTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.write("public/note.txt", "text")
        self.server = self.start(
            "engine", config=f'[[route]]\npath = "/*"\nfiles = "{self.directory / "public"}"\n'
        )
        self.client = self.connect(self.server)

    def test_a_file_from_the_future_was_modified_now(self) -> None:
        future = time.time() + 30 * 86400
        os.utime(self.directory / "public" / "note.txt", (future, future))
        response = self.client.ask(get("/note.txt"))
        modified, date = field(response, "last-modified") or "", field(response, "date") or ""
        self.assertLessEqual(parsedate_to_datetime(modified), parsedate_to_datetime(date))

    def test_conditions_of_what_is_not_there_are_ignored(self) -> None:
        before = "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"
        for condition in ("If-None-Match: *", 'If-Match: "a"', before):
            self.assertEqual(self.client.ask(get("/none.txt", condition)).status, 404, condition)
        there = Client(self.server.address)
        self.addCleanup(there.close)
        self.assertEqual(there.ask(get("/note.txt", 'If-Match: "a"')).status, 412)


if __name__ == "__main__":
    main()
