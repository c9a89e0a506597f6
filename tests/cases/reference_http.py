"""reference_http.py: HTTP/1.1 requests from bytes, strictly: heads, targets, framing, chunked content.

What the reference server believes; it is slow and plain, so that it can be read against the RFC."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

HEAD_BYTES_MAX, FIELDS_MAX, BODY_BYTES_MAX, EXTENSION_BYTES_MAX = 16384, 100, 8 << 20, 16384
CODINGS = {b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress", b"cow"}

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
NAME = re.compile(TOKEN)
VALUE_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
TARGET_FORBIDDEN = re.compile(rb"[^\x21\x22\x24-\x7e]")
HOST_NAME = rb"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+)"
HOST = re.compile(HOST_NAME + rb"(?::([0-9]*))?")
QUOTED = rb'"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*"'
EXTENSIONS = rb"(?:[ \t]*;[ \t]*" + TOKEN + rb"(?:[ \t]*=[ \t]*(?:" + TOKEN + rb"|" + QUOTED + rb"))?)*"
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(" + EXTENSIONS + rb")")


class Refusal(Exception):
    def __init__(self, status: int, close: bool = True) -> None:
        super().__init__(status)
        self.status, self.close = status, close


class More(Exception):
    """The input ends too early."""


@dataclass
class Request:
    method: bytes = b""
    path: bytes = b""
    minor: int = 1
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    length: int | None = None
    chunked: bool = False

    def values(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key == name]

    def keep_alive(self) -> bool:
        options = [
            option.strip(b" \t").lower()
            for value in self.values(b"connection")
            for option in value.split(b",")
        ]
        return b"close" not in options and (self.minor >= 1 or b"keep-alive" in options)


def next_line(data: bytes, at: int) -> tuple[bytes, int]:
    """A line ended by CRLF; every other CR or LF is refused (RFC 9112 section 2.2)."""
    end = data.find(b"\n", at)
    line = data[at:] if end < 0 else data[at:end]
    carriage = line.find(b"\r")
    if 0 <= carriage < len(line) - 1:
        raise Refusal(400)
    if end < 0:
        raise More
    if carriage < 0:
        raise Refusal(400)
    return line[:-1], end + 1


def read_field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    value = value.strip(b" \t")
    if not colon or not NAME.fullmatch(name) or VALUE_FORBIDDEN.search(value):
        raise Refusal(400)
    return name.lower(), value


def read_fields(data: bytes, at: int, fields: list[tuple[bytes, bytes]]) -> int:
    start = at
    while True:
        line, after = next_line(data, at)
        if after - start > HEAD_BYTES_MAX:
            raise Refusal(431)
        if not line:
            return after
        if len(fields) == FIELDS_MAX:
            raise Refusal(431)
        fields.append(read_field(line))
        at = after


def read_request_line(line: bytes) -> Request:
    parts = line.split(b" ")
    if len(parts) != 3 or not NAME.fullmatch(parts[0]):
        raise Refusal(400)
    method, target, version = parts
    match = VERSION.fullmatch(version)
    if match is None:
        raise Refusal(400)
    if match.group(1) != b"1":
        raise Refusal(505)
    return Request(method, read_target(method, target), int(match.group(2)))


def read_target(method: bytes, target: bytes) -> bytes:
    if not target or TARGET_FORBIDDEN.search(target):
        raise Refusal(400)
    if method == b"CONNECT":
        match = HOST.fullmatch(target)
        if match is None or not match.group(1):
            raise Refusal(400)
        return target
    if target == b"*" and method == b"OPTIONS":
        return target
    if target.startswith(b"/"):
        return target.partition(b"?")[0]
    scheme, colon, rest = target.partition(b"://")
    authority, slash, path = rest.partition(b"/")
    authority, question, _ = authority.partition(b"?")
    if not colon or scheme.lower() not in (b"http", b"https") or not valid_host(authority):
        raise Refusal(400)
    return b"/" + (b"" if question else path.partition(b"?")[0])


def valid_host(value: bytes) -> bool:
    match = HOST.fullmatch(value)
    return match is not None and value != b"." and int(match.group(1) or 0) <= 65535


def check_host(request: Request) -> None:
    hosts = request.values(b"host")
    if len(hosts) > 1 or (request.minor >= 1 and not hosts) or (hosts and not valid_host(hosts[0])):
        raise Refusal(400)


def frame(request: Request) -> None:
    """RFC 9112 section 6: how long the body is."""
    codings, lengths = request.values(b"transfer-encoding"), request.values(b"content-length")
    if codings:
        if lengths or request.minor == 0 or len(codings) > 1:
            raise Refusal(400)
        *before, last = [coding.strip(b" \t").lower() for coding in codings[0].split(b",")]
        if last != b"chunked" or not all(coding in CODINGS for coding in before):
            raise Refusal(400)
        if before:
            raise Refusal(501)
        request.chunked = True
    elif lengths:
        if len(lengths) > 1 or not lengths[0].isdigit() or not lengths[0].isascii() or len(lengths[0]) > 19:
            raise Refusal(400)
        request.length = int(lengths[0])
        if request.length > BODY_BYTES_MAX:
            raise Refusal(413)


class BodyReader:
    """Chunked content, from where it begins in the buffer."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.parts: list[bytes] = []
        self.size = self.extensions = self.overhead = 0

    def read(self, data: bytes) -> bool:
        while True:
            line, after = next_line(data, self.at)
            match = CHUNK_LINE.fullmatch(line)
            if match is None or int(match.group(1), 16) >= 1 << 63:
                raise Refusal(400)
            size = int(match.group(1), 16)
            if size == 0:
                return self.read_trailers(data, after)
            self.check_sizes(size, match.group(2), 0)
            if len(data) < after + size + 2:
                self.check_end(data[after + size : after + size + 2])
                raise More
            self.check_end(data[after + size : after + size + 2])
            self.parts.append(data[after : after + size])
            self.check_sizes(size, match.group(2), len(line) + 4, count=True)
            self.at = after + size + 2

    def check_end(self, end: bytes) -> None:
        if not b"\r\n".startswith(end):
            raise Refusal(400)

    def check_sizes(self, size: int, extension: bytes, overhead: int, count: bool = False) -> None:
        if self.size + size > BODY_BYTES_MAX:
            raise Refusal(413)
        if self.extensions + len(extension) > EXTENSION_BYTES_MAX:
            raise Refusal(400)
        if count:
            self.size, self.extensions = self.size + size, self.extensions + len(extension)
            self.overhead += overhead
        if self.overhead > 65536 + 2 * self.size:
            raise Refusal(400)

    def read_trailers(self, data: bytes, at: int) -> bool:
        if len(data) - at > HEAD_BYTES_MAX and b"\r\n\r\n" not in data[at - 2 : at + HEAD_BYTES_MAX]:
            raise Refusal(431)
        self.at = read_fields(data, at, [])
        return True
