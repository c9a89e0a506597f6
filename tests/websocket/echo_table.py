"""echo_table.py: what a WebSocket server that echoes must answer, case by case, from RFC 6455 and RFC 7692.

The numbers are those of the sections of the Autobahn test suite that ask for the same; `ws-` numbers are
the rows of group ws among the answers this engine has chosen. The answer is exact: every frame, in order."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from frames import (
    BINARY, CLOSE, CONTINUATION, MASK, PING, PONG, TEXT, Frame, close, fragments, frame, masked, text,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    id: str
    sent: bytes
    want: list[Frame] = field(default_factory=list)  # Before the close frame.
    code: int | None = 1000  # Of the server's close frame; 1005: an empty one.
    only_whole: bool = False  # Too long for every cut.


def echoes(*messages: str | bytes) -> list[Frame]:
    return [Frame(TEXT, m.encode()) if isinstance(m, str) else Frame(BINARY, m) for m in messages]


def pongs(*payloads: bytes) -> list[Frame]:
    return [Frame(PONG, payload) for payload in payloads]


END = close(1000)  # The client is content: every case that does not fail ends with it.


def sizes() -> Iterator[Case]:
    for opcode, section in ((TEXT, 1), (BINARY, 2)):
        for number, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
            payload = b"*" * size if opcode == TEXT else b"\xfe" * size
            sent = frame(opcode, payload)
            yield Case(f"1.{section}.{number}", sent + END, [Frame(opcode, payload)], only_whole=size > 1000)


def control() -> Iterator[Case]:
    binary = bytes([0, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0, 0xFF])
    yield Case("2.1", frame(PING) + END, pongs(b""))
    yield Case("2.2", frame(PING, b"Hello, world!") + END, pongs(b"Hello, world!"))
    yield Case("2.3", frame(PING, binary) + END, pongs(binary))
    yield Case("2.4", frame(PING, b"\xfe" * 125) + END, pongs(b"\xfe" * 125))
    yield Case("2.5", frame(PING, b"\xfe" * 126), code=1002)
    yield Case("2.7", frame(PONG) + END)
    yield Case("2.8", frame(PONG, b"unasked") + END)
    yield Case("2.9", frame(PONG, b"unasked") + frame(PING, b"asked") + END, pongs(b"asked"))
    ten = [f"ping {i}".encode() for i in range(10)]
    yield Case("2.10", b"".join(frame(PING, one) for one in ten) + END, pongs(*ten))


def reserved() -> Iterator[Case]:
    hello = text("Hello")
    yield Case("3.1", text("Hello", rsv=1), code=1002)
    yield Case("3.2", hello + text("Hello", rsv=2) + frame(PING), echoes("Hello"), 1002)
    yield Case("3.3", hello + text("Hello", rsv=3) + frame(PING), echoes("Hello"), 1002)
    yield Case("3.4", hello + text("Hello", rsv=4) + frame(PING), echoes("Hello"), 1002)
    yield Case("3.5", frame(BINARY, b"\0\xff", rsv=5), code=1002)
    yield Case("3.6", frame(PING, b"a", rsv=6), code=1002)
    yield Case("3.7", frame(CLOSE, b"\x03\xe8", rsv=7), code=1002)
    for section, opcodes in ((1, range(3, 8)), (2, range(11, 16))):
        for number, opcode in enumerate(opcodes, 1):
            yield Case(f"4.{section}.{number}", frame(opcode), code=1002)
            yield Case(f"4.{section}.{number}-payload", frame(opcode, b"a payload"), code=1002)
            sent = hello + frame(opcode, b"x") + frame(PING)
            yield Case(f"4.{section}.{number}-behind", sent, echoes("Hello"), 1002)


def fragmented() -> Iterator[Case]:
    yield Case("5.1", frame(PING, b"frag", fin=False) + frame(CONTINUATION, b"ment"), code=1002)
    yield Case("5.2", frame(PONG, b"frag", fin=False) + frame(CONTINUATION, b"ment"), code=1002)
    yield Case("5.3", fragments(TEXT, [b"frag", b"ment"]) + END, echoes("fragment"))
    begin, rest = text("frag", fin=False), frame(CONTINUATION, b"ment")
    yield Case("5.6", begin + frame(PING, b"in") + rest + END, [*pongs(b"in"), *echoes("fragment")])
    for number, fin in (("5.9", True), ("5.12", False)):
        sent = frame(CONTINUATION, b"of nothing", fin=fin) + text("Hello")
        yield Case(number, sent, code=1002)
    yield Case("5.15", begin + rest + frame(CONTINUATION, b"x", fin=False) + text("Hello"), echoes("fragment"), 1002)
    yield Case("5.16", (frame(CONTINUATION, b"x", fin=False) + text("Hello")) * 2, code=1002)
    yield Case("5.18", begin + text("ment"), code=1002)
    yield Case("5.18-binary", begin + frame(BINARY, b"ment"), code=1002)
    five = [b"fragment%d" % i for i in range(5)]
    parts = [frame(TEXT if i == 0 else CONTINUATION, one, fin=i == 4) for i, one in enumerate(five)]
    sent = b"".join(parts[:2]) + frame(PING, b"1") + b"".join(parts[2:4]) + frame(PING, b"2") + parts[4]
    yield Case("5.19", sent + END, [*pongs(b"1", b"2"), *echoes(b"".join(five).decode())])
    yield Case("5.empty", fragments(TEXT, [b"", b"", b"a", b"", b""]) + END, echoes("a"))
    yield Case("5.all-empty", fragments(BINARY, [b"", b""]) + END, echoes(b""))


# RFC 3629, and the stress test of Markus Kuhn that Autobahn's section 6 follows.
GOOD_TEXT = (
    "\u03ba\u1f79\u03c3\u03bc\u03b5", "Hello-\u00b5@\u00df\u00f6\u00e4\u00fc\u00e0\u00e1-UTF-8!!", "\0", "\u0080", "\u0800",
    "\U00010000", "\u007f", "\u07ff", "\uffff", "\ud7ff", "\ue000", "\ufffd", "\U0010ffff", "\ufffe", "\ufdd0",
    "\U0001fffe", "\U0010fffe",
)  # fmt: skip
BAD_TEXT = (
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80\x65\x64\x69\x74\x65\x64",
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xf4\x90\x80\x80\x65\x64\x69\x74\x65\x64",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf",
    b"\xfd\xbf\xbf\xbf\xbf\xbf", b"\xf4\x90\x80\x80", b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80\xbf\x80",
    b"\xc0 \xc1 ", b"\xe0 \xe1 ", b"\xf0 \xf1 ", b"\xf8 ", b"\xfc ", b"\xce", b"\xe1\xbd", b"\xf0\x90\x80", b"\xfe",
    b"\xff", b"\xfe\xfe\xff\xff", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf",
    b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80",
    b"\xed\xa0\x80", b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbf\xbf",
    b"\xed\xa0\x80\xed\xb0\x80",
)  # fmt: skip


def utf8() -> Iterator[Case]:
    yield Case("6.1", fragments(TEXT, [b"", b"middle", b""]) + END, echoes("middle"))
    for number, good in enumerate(GOOD_TEXT):
        octets = [bytes([byte]) for byte in good.encode("utf-8")]
        yield Case(f"6.good-{number}", text(good) + END, echoes(good))
        yield Case(f"6.good-{number}-octets", fragments(TEXT, octets) + END, echoes(good))
    for number, bad in enumerate(BAD_TEXT):
        octets = [bytes([byte]) for byte in bad]
        yield Case(f"6.bad-{number}", text(bad), code=1007)
        yield Case(f"6.bad-{number}-octets", fragments(TEXT, octets), code=1007)
        yield Case(f"6.bad-{number}-binary", frame(BINARY, bad) + END, echoes(bad))
        yield Case(f"6.bad-{number}-behind", text("good") + text(b"then " + bad), echoes("good"), 1007)
    # What cannot become a text any more is refused before its last fragment.
    yield Case("6.4.1", text(b"\xce\xba\xe1\xbd\xb9\xf4\x90", fin=False), code=1007)
    yield Case("6.4.2", text(b"\xce\xba\xe1\xbd\xb9", fin=False) + frame(CONTINUATION, b"\xed\xa0", fin=False), code=1007)
    half = text(b"edited" + b"\xf4\x90\x80\x80" + b"x" * 20)[: 6 + 8]
    yield Case("6.4.3", half, code=1007)


def closing() -> Iterator[Case]:
    hello = text("Hello")
    yield Case("7.1.1", hello + END, echoes("Hello"))
    yield Case("7.1.2", END + close(1001))
    yield Case("7.1.3", END + frame(PING, b"late"))
    yield Case("7.1.4", END + hello)
    yield Case("7.1.5", text("frag", fin=False) + END + frame(CONTINUATION, b"ment"))
    yield Case("7.1.6", text("x" * 262144) + END + frame(PING), echoes("x" * 262144), only_whole=True)
    yield Case("7.3.1", close(None), code=1005)
    yield Case("7.3.2", frame(CLOSE, b"\x03"), code=1002)
    yield Case("7.3.3", close(1000))
    yield Case("7.3.4", close(1000, b"Hello World"))
    yield Case("7.3.5", close(1000, b"*" * 123))
    yield Case("7.3.6", frame(CLOSE, struct.pack("!H", 1000) + b"*" * 124), code=1002)
    yield Case("7.5.1", close(1000, b"\xce\xba\xe1\xbd\xb9\xed\xa0\x80"), code=1007)
    yield Case("7.5.cut", close(1000, b"\xce\xba\xe1\xbd"), code=1007)
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        yield Case(f"7.7-{code}", close(code), code=code)
    for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Case(f"7.9-{code}", close(code), code=1002)


def large() -> Iterator[Case]:
    for opcode, section in ((TEXT, 1), (BINARY, 2)):
        for number, size in enumerate((1 << 16, 1 << 18, 1 << 20, 1 << 22, 1 << 23, 1 << 24), 1):
            payload = b"*" * size
            yield Case(f"9.{section}.{number}", frame(opcode, payload) + END, [Frame(opcode, payload)], only_whole=True)
    payload = bytes(range(32, 127)) * 11038  # A mebibyte.
    for opcode, section in ((TEXT, 3), (BINARY, 4)):
        for number, size in enumerate((64, 256, 1024, 4096, 16384, 65536, 262144, 1 << 20), 1):
            parts = [payload[at : at + size] for at in range(0, len(payload), size)]
            yield Case(f"9.{section}.{number}", fragments(opcode, parts) + END, [Frame(opcode, payload)], only_whole=True)
    for section, opcode in ((7, TEXT), (8, BINARY)):
        for number, size in enumerate((0, 16, 64, 256, 1024), 1):
            sent = frame(opcode, b"*" * size) * 1000
            yield Case(f"9.{section}.{number}", sent + END, [Frame(opcode, b"*" * size)] * 1000, only_whole=True)
    parts = [payload[at : at + 1300] for at in range(0, 65536, 1300)]
    yield Case("10.1.1", fragments(TEXT, parts) + END, [Frame(TEXT, b"".join(parts))], only_whole=True)


def chosen() -> Iterator[Case]:
    """Rows of group ws; 170 and 171 are HTTP, and stand in the table of answers."""
    yield Case("ws-172", text("Hello", mask=None), code=1002)
    yield Case("ws-172-behind", text("Hello") + text("Hello", mask=None), echoes("Hello"), 1002)
    yield Case("ws-172-close", frame(CLOSE, b"\x03\xe8", mask=None), code=1002)
    yield Case("ws-174", frame(CLOSE, b"\x03\xe8" + b"x" * 124), code=1002)
    yield Case("ws-174-fragment", frame(CLOSE, b"\x03\xe8", fin=False), code=1002)
    yield Case("ws-175", fragments(TEXT, [b"\xe2\x82", b"\x28"]), code=1007)
    yield Case("ws-178", b"\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00" + MASK, code=1002)
    yield Case("ws-178-all", b"\x82\xff" + b"\xff" * 8 + MASK, code=1002)
    yield Case("length-16-short", b"\x82\xfe\x00\x7d" + MASK + masked(b"x" * 125), code=1002)
    yield Case("length-64-short", b"\x82\xff" + struct.pack("!Q", 65535) + MASK, code=1002)
    yield Case("mask-zero", text("Hello", mask=b"\0\0\0\0") + END, echoes("Hello"))
    yield Case("too-long", b"\x82\xff" + struct.pack("!Q", (16 << 20) + 1) + MASK, code=1009)
    begun = frame(BINARY, b"x" * 100, fin=False)
    yield Case("too-long-together", begun + b"\x80\xff" + struct.pack("!Q", (16 << 20) - 99) + MASK, code=1009)


def all_cases() -> list[Case]:
    sections = (sizes, control, reserved, fragmented, utf8, closing, large, chosen)
    return [case for section in sections for case in section()]
