#!/usr/bin/env python3
"""parts_test.py: the parts of the runner that need no server, and the tables themselves."""

from __future__ import annotations

import socket
import sys
import unittest
from typing import Any

from delivery import Seen, segments
from judge import judge
from receive_queue import ReceiveQueues
from response import Reader
from run import ANY_TABLE, TABLES
from table import Case, load, read_case

DATE = b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + DATE + b"Content-Length: 2\r\n\r\nhi"
LAST = OK.replace(b"Content", b"Connection: close\r\nContent", 1)


def case_of(expect: dict[str, Any], **more: Any) -> Case:
    return read_case({"id": "x", "source": "", "level": "must", "raw": "GET", "expect": expect, **more})


def seen_of(data: bytes, methods: tuple[str, ...] = (), *, closed: bool = False, probe: Any = None) -> Seen:
    reader = Reader(methods)
    reader.feed(data)
    if closed:
        reader.end()
    return Seen(reader, due=len(reader.responses), eof=closed, closed=closed, probe=probe)


class ReaderTest(unittest.TestCase):
    def test_reads_the_same_however_it_is_cut(self) -> None:
        wire = (
            OK + b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n" + b"HTTP/1.1 204 No\r\n\r\n" + OK
        )
        for cut in range(len(wire) + 1):
            reader = Reader()
            reader.feed(wire[:cut])
            reader.feed(wire[cut:])
            self.assertEqual([one.status for one in reader.responses], [200, 404, 204, 200])
            self.assertEqual([one.body for one in reader.responses], [b"hi", b"abc", b"", b"hi"])
            self.assertEqual((reader.interim, reader.leftover(), reader.error), (1, b"", None))

    def test_refuses_what_is_not_well_formed(self) -> None:
        for wire in (
            b"HTTP/2 200 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nA b\r\n\r\n",
            b"HTTP/1.1 200 OK\nA: b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            OK + b"junk",
            b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
            OK + b"\r\n" + OK,
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        ):
            reader = Reader()
            reader.feed(wire)
            self.assertIsNotNone(reader.error, wire)

    def test_a_cut_off_response_is_an_error(self) -> None:
        for end in range(1, len(OK)):
            self.assertIsNotNone(seen_of(OK[:end], closed=True).reader.error, OK[:end])

    def test_the_method_decides_on_the_body(self) -> None:
        head = OK[:-2]
        self.assertEqual(len(seen_of(head + head, ("HEAD", "HEAD")).reader.responses), 2)
        self.assertEqual(len(seen_of(head).reader.responses), 0)
        refused = head.replace(b"200", b"400")
        self.assertEqual(len(seen_of(refused, ("HEAD?",), closed=True).reader.responses), 1)

    def test_until_the_end(self) -> None:
        seen = seen_of(b"HTTP/1.0 200 OK\r\n\r\nbody", closed=True)
        self.assertEqual(seen.reader.responses[0].body, b"body")

    def test_other_protocols(self) -> None:
        self.assertEqual(seen_of(b"<html>", closed=True).reader.responses[0].status, 9)
        self.assertEqual(seen_of(b"\0\0\0\4\0\0\0\0\0").reader.responses[0].status, 2)


class JudgeTest(unittest.TestCase):
    KEEP: dict[str, Any] = {"status": [200], "responses": 1, "close": False}

    def test_right(self) -> None:
        self.assertIsNone(judge(case_of(self.KEEP), seen_of(OK, probe=[404])))
        self.assertIsNone(judge(case_of({**self.KEEP, "close": True}), seen_of(LAST, closed=True)))
        self.assertIsNone(
            judge(case_of({"status": [0], "responses": 0, "close": True}), seen_of(b"", closed=True))
        )
        self.assertIsNone(judge(case_of({"status": [], "responses": 0, "close": False}), seen_of(b"")))
        self.assertIsNone(
            judge(case_of({"any_of": [{**self.KEEP, "status": [400]}, self.KEEP]}), seen_of(OK))
        )

    def test_wrong(self) -> None:
        get = OK + OK.replace(b"hi", b"ho")
        interim = b"HTTP/1.1 100 Continue\r\n\r\n"
        for expect, seen in (
            (self.KEEP, seen_of(LAST, closed=True)),
            (self.KEEP, seen_of(b"")),
            (self.KEEP, seen_of(get)),
            (self.KEEP, seen_of(OK, probe="timeout")),
            (self.KEEP, seen_of(OK, probe="eof")),
            (self.KEEP, seen_of(OK, probe=[200, 404])),
            (self.KEEP, seen_of(OK, probe=[200])),
            ({**self.KEEP, "status": [400]}, seen_of(OK)),
            ({**self.KEEP, "close": True}, seen_of(OK)),
            ({**self.KEEP, "bodies": ["ho"]}, seen_of(OK)),
            ({**self.KEEP, "interim": False}, seen_of(interim + OK)),
            ({**self.KEEP, "headers": [{"allow": "GET"}]}, seen_of(OK)),
            ({**self.KEEP, "headers": [{"content-length": None}]}, seen_of(OK)),
            ({**self.KEEP, "headers": [{"content-length": "^3$"}]}, seen_of(OK)),
            ({**self.KEEP, "close_hdr": True}, seen_of(OK)),
            (
                {**self.KEEP, "no_te": True},
                seen_of(b"HTTP/1.1 200 OK\r\n" + DATE + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            ),
            ({"status": [[200], [404]], "responses": 2, "close": "any"}, seen_of(get)),
            (
                {"status": [400], "responses": [1, 2], "close": "any"},
                seen_of(OK.replace(b"200", b"400") + OK),
            ),
            (
                {"status": [[200], [200]], "responses": 2, "close": False, "same_head": [0, 1]},
                seen_of(OK + OK.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n")),
            ),
            ({"status": [], "responses": 0, "close": False}, seen_of(OK)),
            ({"status": [], "responses": 0, "close": False}, seen_of(b"", closed=True)),
            ({"status": [0], "responses": 0, "close": True}, seen_of(b"")),
        ):
            self.assertIsNotNone(judge(case_of(expect), seen), (expect, bytes(seen.reader.buffer)))

    def test_no_answer_excuses_a_broken_rule(self) -> None:
        keep, last = case_of({**self.KEEP, "close": "any"}), case_of({**self.KEEP, "close": True})
        self.assertIsNone(judge(keep, seen_of(OK)))
        self.assertIsNone(judge(last, seen_of(LAST, closed=True)))
        for case, seen in (
            (keep, seen_of(OK.replace(DATE, b""))),
            (keep, seen_of(OK.replace(DATE, DATE + DATE))),
            (keep, seen_of(OK.replace(b"GMT", b"UTC"))),
            (keep, seen_of(OK.replace(DATE, DATE + b"Content-Length: 2\r\n"))),
            (keep, seen_of(b"HTTP/1.1 200 OK\r\n" + DATE + b"Connection: close\r\n\r\n", closed=True)),
            (last, seen_of(OK, closed=True)),
        ):
            self.assertIsNotNone(judge(case, seen), bytes(seen.reader.buffer))
        for status, fields, right in (
            (204, b"", True),
            (204, b"Content-Length: 0\r\n", False),
            (304, b"", True),
            (405, b"Content-Length: 0\r\nAllow: GET\r\n", True),
            (405, b"Content-Length: 0\r\n", False),
            (426, b"Content-Length: 0\r\nUpgrade: websocket\r\n", True),
            (426, b"Content-Length: 0\r\n", False),
        ):
            seen = seen_of(b"HTTP/1.1 %d -\r\n" % status + DATE + fields + b"\r\n")
            case = case_of({"status": [status], "responses": 1, "close": "any"})
            self.assertEqual(judge(case, seen) is None, right, bytes(seen.reader.buffer))
        two = case_of({"status": [[200], [200]], "responses": 2, "close": "any"})
        self.assertIsNone(judge(two, seen_of(OK + LAST, closed=True)))
        self.assertIsNotNone(judge(two, seen_of(LAST + OK)))

    def test_100_continue_must_come_before_the_content(self) -> None:
        seen = seen_of(OK)
        seen.interim_first = False
        self.assertIsNotNone(judge(case_of({**self.KEEP, "interim": True}), seen))


class TableTest(unittest.TestCase):
    def test_an_unknown_key_is_an_error(self) -> None:
        keep: dict[str, Any] = {"status": [200], "responses": 1, "close": False}
        cases: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
            (keep, {"wait": 1}),
            ({**keep, "body": "x"}, {}),
            ({**keep, "close": "maybe"}, {}),
            ({"any_of": [keep], "status": [200]}, {}),
            (keep, {"level": "may"}),
            (keep, {"modes": ["half"]}),
            (keep, {"then": [{"wait": "ever", "timeout_ms": 1, "raw": ""}]}),
        )
        for expect, more in cases:
            with self.assertRaises(ValueError):
                case_of(expect, **more)

    def test_the_tables_are_whole(self) -> None:
        first, second, third = (load(path) for path in TABLES)
        self.assertEqual((len(first), len(second), len(third)), (301, 326, 563))
        self.assertEqual({case.level for case in second}, {"row"})
        self.assertEqual(len({case.id for case in (*first, *second, *third)}), 301 + 326 + 563)
        self.assertTrue(all(case.rfc for case in (*third, *load(ANY_TABLE))))

    def test_the_tables_do_not_contradict_each_other(self) -> None:
        first, second, third = (load(path) for path in TABLES)
        by_bytes = {case.raw: case for case in first if not case.steps}
        for case in (*second, *third):
            other = by_bytes.get(case.raw.replace(b"Host: a\r\n", b"Host: localhost\r\n"))
            if other is None or case.steps or other.half_close != case.half_close:
                continue
            wanted = {status for answer in case.answers for one in answer.status for status in one}
            allowed = {status for answer in other.answers for one in answer.status for status in one}
            self.assertTrue(wanted <= allowed, f"{case.id} {wanted} against {other.id} {allowed}")


class SegmentsTest(unittest.TestCase):
    def test_every_mode_sends_every_byte(self) -> None:
        data = bytes(range(256)) * 30
        for mode in ("whole", "byte", "split", "cut:7"):
            self.assertEqual(b"".join(segments(data, mode, "x")), data)
        self.assertEqual([len(part) for part in segments(data[:100], "byte", "x")], [1] * 100)
        self.assertEqual([len(part) for part in segments(data, "cut:7", "x")], [7, len(data) - 7])
        self.assertEqual(segments(b"", "whole", "x"), [])

    def test_short_inputs_are_cut_everywhere(self) -> None:
        case = case_of({"status": [200], "responses": 1, "close": False}, raw="x" * 511)
        self.assertEqual(len(case.deliveries()), 3 + 510)
        case = case_of({"status": [200], "responses": 1, "close": False}, raw="x" * 512)
        self.assertEqual(len(case.deliveries()), 3)


class ReceiveQueueTest(unittest.TestCase):
    def test_knows_what_was_not_read(self) -> None:
        queues = ReceiveQueues()
        self.addCleanup(queues.close)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            with socket.create_connection(listener.getsockname()) as client:
                server, _ = listener.accept()
                with server:
                    ends = listener.getsockname(), client.getsockname()
                    if queues.taken(*ends) is None:
                        self.skipTest("the kernel does not tell the length of receive queues (sock_diag)")
                    client.send(b"ab")
                    self.assertIs(queues.taken(*ends), False)
                    server.recv(1)
                    self.assertIs(queues.taken(*ends), False)
                    server.recv(1)
                    self.assertIs(queues.taken(*ends), True)
            self.assertIs(queues.taken(listener.getsockname(), ("127.0.0.1", 1)), True)


if __name__ == "__main__":
    sys.exit(not unittest.main(exit=False, verbosity=1).result.wasSuccessful())
