#!/usr/bin/env python3
"""refused_test.py: no request behind a refused one is ever run, whether or not its reply would be seen.

Behind the bytes of every case that must end its connection comes a request that leaves a mark."""

from __future__ import annotations

import time
from pathlib import Path

from harness import Client, IntegrationTest, get, main
from table import Case, load

TABLES = Path(__file__).resolve().parent.parent / "cases"
MARK = get("/mark", method="POST", body="").encode()


def ends_the_connection(case: Case) -> bool:
    return all(answer.close is True for answer in case.answers) and not case.half_close and not case.steps


class RefusedTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("app", config='[timeouts]\nlinger = "200ms"\n')
        self.watcher = self.connect(self.server)

    def marks(self) -> int:
        return int(self.watcher.ask(get("/marks")).body)

    def run_case(self, case: Case, pause_s: float) -> None:
        client = Client(self.server.address, case.methods)
        try:
            client.send(case.raw if pause_s else case.raw + MARK)
            time.sleep(pause_s)
            if pause_s:
                client.send(MARK)
            client.closed_within(5)
        except ConnectionError:
            pass
        finally:
            client.close()

    def test_a_mark_is_seen_where_it_may_be_left(self) -> None:
        self.assertEqual(self.marks(), 0)
        client = self.connect(self.server)
        self.assertEqual(client.ask(get() + MARK.decode()).status, 200)
        self.assertEqual(client.ask(b"").status, 200)
        self.assertEqual(self.marks(), 1)

    def test_behind_every_refusal(self) -> None:
        cases = [
            case
            for name in ("http1.jsonl", "answers.jsonl")
            for case in load(TABLES / name)
            if ends_the_connection(case)
        ]
        self.assertGreater(len(cases), 200)
        for case in cases:
            for pause_s in (0, 0.002):
                self.run_case(case, pause_s)
                self.assertEqual(self.marks(), 0, f"{case.id}, after {pause_s} s")


if __name__ == "__main__":
    main()
