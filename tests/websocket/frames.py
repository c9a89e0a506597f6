"""frames.py: WebSocket frames as bytes, written and read by hand, so that wrong ones can be sent too."""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import zlib
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = bytes([0x37, 0xFA, 0x21, 0x3D])


def masked(payload: bytes, mask: bytes = MASK) -> bytes:
    whole = mask * (len(payload) // 4 + 1)
    value = int.from_bytes(payload, "big") ^ int.from_bytes(whole[: len(payload)], "big")
    return value.to_bytes(len(payload), "big")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, mask: bytes | None = MASK) -> bytes:
    """As a client sends it. mask=None: as a server does."""
    bit = 0x80 if mask is not None else 0
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += struct.pack("!BH", bit | 126, len(payload))
    else:
        head += struct.pack("!BQ", bit | 127, len(payload))
    return head + (mask + masked(payload, mask) if mask is not None else payload)


def text(payload: str | bytes = "", **more: object) -> bytes:
    return frame(TEXT, payload.encode() if isinstance(payload, str) else payload, **more)  # type: ignore[arg-type]


def fragments(opcode: int, parts: list[bytes], rsv: int = 0) -> bytes:
    """A message in as many frames as there are parts."""
    last = len(parts) - 1
    return b"".join(
        frame(opcode if i == 0 else CONTINUATION, part, fin=i == last, rsv=rsv if i == 0 else 0)
        for i, part in enumerate(parts)
    )


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def handshake(path: str = "/ws", *fields: str, host: str = "localhost", key: str = KEY) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def random_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def accept_of(key: str) -> str:
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


@dataclass(frozen=True)
class Frame:
    opcode: int
    payload: bytes
    compressed: bool = False


class FrameReader:
    """What a server sends. Anything that is no frame of a server's raises ValueError."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        self.data += data
        frames = []
        while (one := self.next()) is not None:
            frames.append(one)
        return frames

    def next(self) -> Frame | None:
        if len(self.data) < 2:
            return None
        first, second = self.data[0], self.data[1]
        size, at = second & 0x7F, 2
        if second & 0x80:
            raise ValueError("the server sent a mask")
        if not first & 0x80:
            raise ValueError("the server sent a fragment")
        if first & 0x30:
            raise ValueError("the server set RSV2 or RSV3")
        if size >= 126:
            length_bytes = 2 if size == 126 else 8
            if len(self.data) < 2 + length_bytes:
                return None
            size = int.from_bytes(self.data[2 : 2 + length_bytes], "big")
            at += length_bytes
            if size < (126 if length_bytes == 2 else 65536):
                raise ValueError("the server sent a length that is not in its shortest form")
        if len(self.data) < at + size:
            return None
        payload = bytes(self.data[at : at + size])
        del self.data[: at + size]
        return Frame(first & 0x0F, payload, bool(first & 0x40))


class Deflate:
    """The client's half of permessage-deflate, in terms that were agreed on."""

    def __init__(self, terms: str) -> None:
        parts = dict(part.strip().partition("=")[::2] for part in terms.split(";")[1:])
        self.keeps_client = "client_no_context_takeover" not in parts
        self.keeps_server = "server_no_context_takeover" not in parts
        self.client_bits = int(parts.get("client_max_window_bits") or 15)
        self.server_bits = int(parts.get("server_max_window_bits") or 15)
        self.reset_client()
        self.reset_server()

    def reset_client(self) -> None:
        self.compressor = zlib.compressobj(6, zlib.DEFLATED, -max(self.client_bits, 9))

    def reset_server(self) -> None:
        self.expander = zlib.decompressobj(-self.server_bits)

    def compress(self, message: bytes) -> bytes:
        payload = self.compressor.compress(message) + self.compressor.flush(zlib.Z_SYNC_FLUSH)
        if not self.keeps_client:
            self.reset_client()
        return payload[:-4]

    def expand(self, payload: bytes) -> bytes:
        message = self.expander.decompress(payload + b"\x00\x00\xff\xff")
        if not self.keeps_server:
            self.reset_server()
        return message
