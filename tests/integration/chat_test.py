#!/usr/bin/env python3
"""chat_test.py: the chat's page in Chromium, talking with a client by hand: what one says, the other sees."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "websocket"))

from devtools import Browser  # noqa: E402
from frames import TEXT, Frame, FrameReader, handshake, text  # noqa: E402
from harness import IntegrationTest, eventually, get, main  # noqa: E402


class Guest:
    """Someone in the room without a page."""

    def __init__(self, test: IntegrationTest, server: object, name: str) -> None:
        self.client = test.connect(server)
        self.client.sock.sendall(handshake("/chat"))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.client.sock.recv(1)
        self.reader = FrameReader()
        self.waiting: list[Frame] = []
        self.say(name)

    def say(self, words: str) -> None:
        self.client.sock.sendall(text(words))

    def hears(self) -> dict[str, object]:
        while not self.waiting:
            self.waiting += self.reader.feed(self.client.sock.recv(4096))
        one = self.waiting.pop(0)
        assert one.opcode == TEXT, one
        return json.loads(one.payload)

    def until(self, name: str, words: str) -> bool:
        while (line := self.hears()) != {**line, "name": name, "text": words}:
            pass
        return True


class ChatTest(IntegrationTest):
    def test_two_guests(self) -> None:
        server = self.start("chat", "--cores", "2")
        ann, bob = Guest(self, server, "Ann"), Guest(self, server, "Bob")
        self.assertTrue(ann.until("Bob", ""))
        ann.say("Hello, Bob <b>&</b> all")
        self.assertTrue(bob.until("Ann", "Hello, Bob <b>&</b> all"))
        bob.client.reset()
        self.assertTrue(ann.until("", "Bob has left"))

    def test_a_name_that_is_none(self) -> None:
        server = self.start("chat")
        guest = Guest(self, server, "x" * 25)
        self.assertIn(b"a name has 1 to 24 bytes", guest.client.sock.recv(200))

    def test_the_page(self) -> None:
        if shutil.which("chromium") is None:
            self.skipTest("chromium is not installed: ./dev setup")
        server = self.start("chat", "--cores", "2")
        url = "http://{}:{}/?name=Page".format(*server.address)
        guest = Guest(self, server, "Guest")
        with Browser(self.directory) as browser:
            browser.open(url)
            self.assertTrue(guest.until("Page", ""))
            guest.say("<i>Hello</i>, page")
            lines = "document.getElementById('lines').innerText"
            self.assertTrue(eventually(lambda: "<i>Hello</i>, page" in str(browser.evaluate(lines)), 20))
            browser.evaluate(
                "document.getElementById('text').value = 'Hello, guest'; document.querySelector('form').requestSubmit()"
            )
            self.assertTrue(guest.until("Page", "Hello, guest"))
            self.assertTrue(eventually(lambda: "Hello, guest" in str(browser.evaluate(lines)), 20))
            self.assertIn("2 people here", str(browser.evaluate("document.getElementById('state').textContent")))
            self.assertEqual(browser.evaluate("document.getElementById('text').value"), "")
        self.assertTrue(guest.until("", "Page has left"))
        self.assertEqual(self.connect(server).ask(get("/")).status, 200)


if __name__ == "__main__":
    main()
