"""wire.py: a client's side of HTTP/1.1 for the soak: strict, asynchronous, and nothing of the engine's."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from dataclasses import dataclass, field

WAIT_S = 30.0  # An answer that takes this long is wrong, however busy the machine.


class Wrong(Exception):
    """An answer that is not the one wanted, or none."""


@dataclass
class Answer:
    status: int
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Peer:
    """One connection. Every wait is bounded; whatever the server does wrong becomes Wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(
        cls, address: tuple[str, int], limit: int = 1 << 16, trust: ssl.SSLContext | None = None
    ) -> Peer:
        name = "localhost" if trust else None
        async with asyncio.timeout(WAIT_S):
            return cls(
                *await asyncio.open_connection(*address, limit=limit, ssl=trust, server_hostname=name)
            )

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        async with asyncio.timeout(WAIT_S):
            await self.writer.drain()

    async def answer(self, method: str = "GET") -> Answer:
        try:
            async with asyncio.timeout(WAIT_S):
                answer = await self.head()
                while 100 <= answer.status < 200 and answer.status != 101:
                    answer = await self.head()
                if method != "HEAD" and answer.status not in (101, 204, 304):
                    answer.body = await self.content(answer)
                return answer
        except TimeoutError:
            raise Wrong(f"no answer in {WAIT_S} s") from None
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, KeyError) as fault:
            raise Wrong(f"a cut or malformed answer: {fault!r}") from None

    async def head(self) -> Answer:
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        version, status, _ = lines[0].split(" ", 2)
        if version != "HTTP/1.1":
            raise Wrong(f"a status line {lines[0]!r}")
        pairs = [line.split(":", 1) for line in lines[1:]]
        return Answer(int(status), {name.lower(): value.strip() for name, value in pairs})

    async def content(self, answer: Answer) -> bytes:
        if answer.fields.get("transfer-encoding") == "chunked":
            return await self.chunks()
        return await self.reader.readexactly(int(answer.fields["content-length"]))

    async def chunks(self) -> bytes:
        parts = bytearray()
        while size := int((await self.reader.readuntil(b"\r\n"))[:-2].split(b";")[0], 16):
            parts += await self.reader.readexactly(size)
            if await self.reader.readexactly(2) != b"\r\n":
                raise Wrong("a chunk does not end where its size says")
        while await self.reader.readuntil(b"\r\n") != b"\r\n":
            continue  # Trailers.
        return bytes(parts)

    async def exactly(self, size: int) -> bytes:
        try:
            async with asyncio.timeout(WAIT_S):
                return await self.reader.readexactly(size)
        except TimeoutError:
            raise Wrong(f"no {size} bytes in {WAIT_S} s") from None

    async def ended(self) -> None:
        """The server must close now, without another byte."""
        try:
            async with asyncio.timeout(WAIT_S):
                rest = await self.reader.read(1)
        except ConnectionError:
            return
        except TimeoutError:
            raise Wrong("not closed") from None
        if rest:
            raise Wrong(f"bytes behind the last answer: {rest!r}")

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Leaves by RST: whatever is unread or unsent is gone."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def expect(answer: Answer, status: int, body: bytes | None = None) -> None:
    if answer.status != status:
        raise Wrong(f"status {answer.status}, wanted {status}: {answer.body[:80]!r}")
    if body is not None and answer.body != body:
        raise Wrong(f"{len(answer.body)} bytes of content that differ from the {len(body)} wanted")


def request(path: str = "/", *fields: str, method: str = "GET", body: bytes | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: soak", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def chunked(path: str, parts: list[bytes], *fields: str) -> bytes:
    head = request(path, "Transfer-Encoding: chunked", *fields, method="POST")
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"
