"""response.py: reads what a server sent, strictly, as it comes in.

A reply that is not well formed (a bad status line, two lengths, a chunk that does not end) is an error of
the server in whatever case it turns up, so the reader never guesses. Two statuses are not HTTP/1:
9 is a body without a head (HTTP/0.9), 2 a frame of HTTP/2."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
STATUS_LINE = re.compile(rb"^HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n\0]*)?$")
LENGTH = re.compile(rb"^[0-9]{1,18}$")
CHUNK_SIZE = re.compile(rb"^([0-9A-Fa-f]{1,15})(?:;.*)?$")
HTTP_09, HTTP_2 = 9, 2


@dataclass
class Response:
    status: int
    fields: list[tuple[str, bytes]] = field(default_factory=list)
    body: bytes = b""

    def values(self, name: str) -> list[bytes]:
        return [value for key, value in self.fields if key == name]

    def head(self) -> tuple[int, list[tuple[str, bytes]]]:
        """What must be the same for HEAD and GET: all but the time."""
        return self.status, [pair for pair in self.fields if pair[0] != "date"]


class Malformed(Exception):
    """The server broke the protocol."""


class Incomplete(Exception):
    """More bytes are needed."""


class Reader:
    """Feed it bytes; it gives whole responses, in order."""

    def __init__(self, methods: tuple[str, ...] = ()) -> None:
        self.methods = methods
        self.responses: list[Response] = []
        self.interim = 0
        self.buffer = bytearray()
        self.at = 0
        self.eof = False
        self.error: str | None = None

    def feed(self, data: bytes) -> None:
        self.buffer += data
        self.read()

    def end(self) -> None:
        self.eof = True
        self.read()
        if self.leftover() and self.error is None:
            self.error = "the last response is cut off"

    def leftover(self) -> bytes:
        return bytes(self.buffer[self.at :])

    def read(self) -> None:
        try:
            while self.at < len(self.buffer) and self.error is None:
                self.read_one()
        except Incomplete:
            return
        except Malformed as fault:
            self.error = str(fault)

    def read_one(self) -> None:
        start = bytes(self.buffer[self.at : self.at + 5])
        if start != b"HTTP/"[: len(start)]:
            return self.read_foreign()
        response, after = self.read_head()
        if 100 <= response.status < 200 and response.status != 101:
            self.interim += 1
            self.at = after
            return
        after = self.read_body(response, after)
        self.at = after
        self.responses.append(response)
        if response.status == 101:
            self.at = len(self.buffer)

    def read_foreign(self) -> None:
        rest = self.leftover()
        if self.responses:
            raise Malformed(f"junk after a response: {rest[:40]!r}")
        if len(rest) >= 9 and rest[0] == 0 and rest[3] in (4, 7):
            status = HTTP_2
        elif self.eof:
            status = HTTP_09
        else:
            raise Incomplete
        self.responses.append(Response(status, body=rest))
        self.at = len(self.buffer)

    def read_head(self) -> tuple[Response, int]:
        end = self.buffer.find(b"\r\n\r\n", self.at)
        if end < 0:
            raise Incomplete
        first, *lines = bytes(self.buffer[self.at : end]).split(b"\r\n")
        match = STATUS_LINE.match(first)
        if match is None:
            raise Malformed(f"bad status line {first[:60]!r}")
        response = Response(int(match.group(1)))
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not TOKEN.match(name) or any(byte in line for byte in (b"\n", b"\r", b"\0")):
                raise Malformed(f"bad field line {line[:60]!r}")
            response.fields.append((name.decode().lower(), value.strip(b" \t")))
        return response, end + 4

    def read_body(self, response: Response, start: int) -> int:
        """Fills the body; gives where the next response begins. RFC 9112 section 6.3."""
        coding, lengths = response.values("transfer-encoding"), response.values("content-length")
        method = self.methods[len(self.responses)] if len(self.responses) < len(self.methods) else "GET"
        if coding and lengths:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if len(set(lengths)) > 1 or (lengths and not LENGTH.match(lengths[0])):
            raise Malformed("bad Content-Length")
        # "HEAD?": the request may have been refused before its method was known.
        if (
            method == "HEAD"
            or response.status in (101, 204, 304)
            or (method == "HEAD?" and response.status < 400)
        ):
            return start
        if coding:
            return self.read_chunked(response, coding, start)
        if lengths:
            return self.read_counted(response, int(lengths[0]), start, method == "HEAD?")
        if not self.eof:
            raise Incomplete
        response.body = bytes(self.buffer[start:])
        return len(self.buffer)

    def read_counted(self, response: Response, length: int, start: int, may_lack: bool) -> int:
        if len(self.buffer) - start >= length:
            response.body = bytes(self.buffer[start : start + length])
            return start + length
        if may_lack and self.eof:
            return len(self.buffer)
        raise Incomplete

    def read_chunked(self, response: Response, coding: list[bytes], at: int) -> int:
        if coding[-1].lower() != b"chunked":
            raise Malformed(f"odd Transfer-Encoding {coding!r}")
        parts: list[bytes] = []
        while True:
            end = self.buffer.find(b"\r\n", at)
            if end < 0:
                raise Incomplete
            match = CHUNK_SIZE.match(self.buffer[at:end])
            if match is None:
                raise Malformed(f"bad chunk size {bytes(self.buffer[at:end][:40])!r}")
            size = int(match.group(1), 16)
            if size == 0:
                response.body = b"".join(parts)
                return self.after_trailers(end)
            at = end + 2
            if len(self.buffer) < at + size + 2:
                raise Incomplete
            if self.buffer[at + size : at + size + 2] != b"\r\n":
                raise Malformed("a chunk does not end where its size says")
            parts.append(bytes(self.buffer[at : at + size]))
            at += size + 2

    def after_trailers(self, end: int) -> int:
        """`end` is the line end of the last chunk."""
        blank = self.buffer.find(b"\r\n\r\n", end)
        if blank < 0:
            raise Incomplete
        return blank + 4
