#!/usr/bin/env python3
"""deflate_test.py: permessage-deflate against zlib on the client's side: Autobahn's sections 12 and 13, and what is
wrong or hostile."""

from __future__ import annotations

import random
import re
import socket
import sys
import unittest
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, Deflate, Frame, FrameReader, close, frame, handshake  # noqa: E402
from harness import IntegrationTest, main  # noqa: E402

SIZES = (1, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072)
BOTH_RESET = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def sentences(size: int, seed: int) -> bytes:
    """Text as people write it: it compresses, and differs from message to message."""
    choose = random.Random(seed)
    words = ("wheel", "water", "mill", "race", "stone", "grain", "\u00fcber", "flour", "sluice", "river", "\u2014")
    text = b""
    while len(text) < size:
        text += choose.choice(words).encode() + b" "
    return text[:size].decode(errors="ignore").ljust(1).encode()


class Client:
    def __init__(self, address: tuple[str, int], path: str, offer: str) -> None:
        self.sock = socket.create_connection(address, 20)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(handshake(path, f"Sec-WebSocket-Extensions: {offer}"))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.sock.recv(1)
        self.head = head.decode("latin-1")
        found = re.search(r"Sec-WebSocket-Extensions: (.*)\r\n", self.head)
        self.terms = found[1] if found else None
        self.deflate = Deflate(self.terms) if self.terms else None
        self.reader = FrameReader()
        self.frames: list[Frame] = []

    def send(self, message: bytes, opcode: int = TEXT) -> None:
        self.sock.sendall(frame(opcode, self.deflate.compress(message), rsv=4))

    def next(self) -> Frame:
        while not self.frames:
            data = self.sock.recv(1 << 20)
            if not data:
                raise AssertionError("closed by the server")
            self.frames += self.reader.feed(data)
        return self.frames.pop(0)

    def message(self) -> bytes:
        one = self.next()
        assert one.opcode in (TEXT, BINARY), one
        return self.deflate.expand(one.payload) if one.compressed else one.payload

    def code(self) -> int:
        one = self.next()
        assert one.opcode == CLOSE, one
        return int.from_bytes(one.payload[:2], "big")

    def close(self) -> None:
        self.sock.close()


class DeflateTest(IntegrationTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = self.start("sockets")

    def open(self, path: str, offer: str) -> Client:
        client = Client(self.server.address, path, offer)
        self.addCleanup(client.close)
        return client

    def test_messages_of_every_size_come_back(self) -> None:
        for path in ("/deflate", "/takeover", "/small-window"):
            client = self.open(path, "permessage-deflate; client_max_window_bits")
            for size in SIZES:
                for opcode in (TEXT, BINARY):
                    for seed in range(20 if size <= 8192 else 3):
                        message = sentences(size, seed)
                        with self.subTest(path=path, size=size, seed=seed):
                            client.send(message, opcode)
                            self.assertEqual(client.message(), message)

    def test_what_does_not_compress_comes_back_too(self) -> None:
        choose = random.Random(12)
        client = self.open("/takeover", "permessage-deflate")
        for size in SIZES:
            message = choose.randbytes(size)
            client.send(message, BINARY)
            self.assertEqual(client.message(), message)

    def test_every_offer(self) -> None:
        offers = [
            ("permessage-deflate", BOTH_RESET),
            ("permessage-deflate; client_no_context_takeover; server_no_context_takeover", BOTH_RESET),
            ("permessage-deflate; server_max_window_bits=9", BOTH_RESET + "; server_max_window_bits=9"),
            ("permessage-deflate; server_max_window_bits=15", BOTH_RESET),
            ("permessage-deflate; client_max_window_bits=9", BOTH_RESET),
            ("permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=9",
             BOTH_RESET + "; server_max_window_bits=9"),
            ("x-other; a=b, permessage-deflate", BOTH_RESET),
            ("permessage-deflate; server_max_window_bits=8", None),
            ("permessage-deflate; unheard_of", None),
            ("x-webkit-deflate-frame", None),
        ]  # fmt: skip
        for offer, terms in offers:
            with self.subTest(offer):
                client = self.open("/deflate", offer)
                self.assertEqual(client.terms, terms)
                if terms is None:
                    client.sock.sendall(frame(TEXT, b"plain"))
                    self.assertEqual(client.next(), Frame(TEXT, b"plain"))
                    continue
                for seed in range(3):
                    client.send(sentences(3000, seed))
                    self.assertEqual(client.message(), sentences(3000, seed))

    def test_a_context_that_is_kept_makes_repetition_cheap(self) -> None:
        message = random.Random(1).randbytes(500)
        sizes = {}
        for path in ("/deflate", "/takeover"):
            client = self.open(path, "permessage-deflate")
            for _ in range(3):
                client.send(message, BINARY)
                one = client.next()
                self.assertEqual(client.deflate.expand(one.payload), message)
                sizes[path] = len(one.payload)
        self.assertGreater(sizes["/deflate"], 400)
        self.assertLess(sizes["/takeover"], 50)

    def test_a_compressed_message_in_fragments_with_pings_between(self) -> None:
        client = self.open("/deflate", "permessage-deflate")
        message = sentences(20000, 4)
        payload = client.deflate.compress(message)
        parts = [payload[at : at + 100] for at in range(0, len(payload), 100)]
        sent = b""
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            sent += frame(CONTINUATION if number else TEXT, part, fin=last, rsv=0 if number else 4)
            sent += frame(PING, b"between") if number == 1 else b""
        client.sock.sendall(sent)
        self.assertEqual(client.next().payload, b"between")
        self.assertEqual(client.message(), message)

    def test_what_is_wrong_is_told(self) -> None:
        bad_text = zlib.compressobj(6, zlib.DEFLATED, -15)
        bad_text = (bad_text.compress(b"ab\xed\xa0\x80") + bad_text.flush(zlib.Z_SYNC_FLUSH))[:-4]
        cases = [
            ("no DEFLATE stream", frame(TEXT, b"\xff" * 20, rsv=4), 1007),
            ("ends within a block", frame(BINARY, b"\x00\x06\x00\xf9\xffH", rsv=4), 1007),
            ("not UTF-8 once expanded", frame(TEXT, bad_text, rsv=4), 1007),
            ("RSV1 on a continuation", frame(TEXT, b"\x00", fin=False, rsv=4) + frame(CONTINUATION, b"", rsv=4), 1002),
            ("RSV1 on a ping", frame(PING, b"", rsv=4), 1002),
            ("RSV2", frame(TEXT, b"", rsv=6), 1002),
        ]
        for name, sent, code in cases:
            with self.subTest(name):
                client = self.open("/deflate", "permessage-deflate")
                client.sock.sendall(sent)
                self.assertEqual(client.code(), code)

    def test_a_bomb_is_stopped_at_the_limit(self) -> None:
        client = self.open("/deflate", "permessage-deflate")
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = packer.compress(b"\0" * (256 << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
        self.assertLess(len(bomb), 1 << 20)
        client.sock.sendall(frame(BINARY, bomb[:-4], rsv=4))
        self.assertEqual(client.code(), 1009)
        tight = self.open("/tight", "permessage-deflate")
        tight.send(b"a" * 1025)
        self.assertEqual(tight.code(), 1009)

    def test_closing_is_never_compressed(self) -> None:
        client = self.open("/deflate", "permessage-deflate")
        client.sock.sendall(close(1000))
        self.assertEqual(client.next(), Frame(CLOSE, (1000).to_bytes(2, "big")))


if __name__ == "__main__":
    main()
