#!/usr/bin/env python3
"""ticker_test.py: the ticker with curl, and its page in Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

from harness import IntegrationTest, eventually, get, main


class TickerTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("ticker")
        self.url = "http://{}:{}".format(*self.server.address)

    def watch(self, *flags: str) -> list[tuple[int, dict[str, float]]]:
        """What curl sees in a second and a half: number and data of each event."""
        done = subprocess.run(
            ["curl", "-sSN", "--max-time", "1.5", *flags, f"{self.url}/prices"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        found = re.findall(r"event: price\nid: ([0-9]+)\ndata: (.*)\n\n", done.stdout)
        return [(int(number), json.loads(data)) for number, data in found]

    def test_events_are_numbered_and_a_client_that_comes_back_goes_on(self) -> None:
        first = self.watch()
        self.assertEqual([number for number, _ in first], list(range(len(first))))
        self.assertGreaterEqual(len(first), 2)
        self.assertEqual(first[0][1]["watching"], 1)
        again = self.watch("-H", "Last-Event-ID: 41")
        self.assertEqual(again[0][0], 42)

    def test_the_page_shows_them(self) -> None:
        browser = shutil.which("chromium")
        if browser is None:
            self.skipTest("chromium is not installed: ./dev setup")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.directory}"]

        def shown() -> bool:
            dump = subprocess.run(
                [*command, "--timeout=3000", "--dump-dom", self.url],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            ).stdout
            return re.search(r'id="price" class="(up|down)">[0-9]+\.[0-9]{2}<', dump) is not None

        self.assertTrue(eventually(shown, 60))
        self.assertTrue(eventually(lambda: self.watch()[0][1]["watching"] == 1, 10), "its stream has ended with it")
        self.assertEqual(self.connect(self.server).ask(get("/nowhere")).status, 404)


if __name__ == "__main__":
    main()
