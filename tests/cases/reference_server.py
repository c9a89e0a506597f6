#!/usr/bin/env python3
"""reference_server.py: a small, slow, strict server that answers both tables rightly, for testing the runner.

With --fault NAME it is wrong in one way. selftest.py checks that the runner finds each of them."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys

from reference_http import HEAD_BYTES_MAX, NAME, BodyReader, More, Refusal, Request
from reference_http import check_host, frame, next_line, read_fields, read_request_line

EMPTY_LINES_MAX = 8
METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT")
ROUTES = {b"/": (b"GET", b"HEAD"), b"/echo": (b"POST",)}
BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%00")


class Connection(asyncio.Protocol):
    fault = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""
        self.request: Request | None = None
        self.body: BodyReader | None = None
        self.empty_lines = self.count = 0
        self.closing = self.continued = False
        self.held: bytes | None = None

    def data_received(self, data: bytes) -> None:
        if self.closing:
            return
        if (
            self.fault == "first-segment-only"
            and not self.buffer
            and self.count == 0
            and b"\r\n\r\n" not in data
        ):
            return self.refuse(Refusal(400))
        if self.fault == "loses-cut-crlf" and self.buffer.endswith(b"\r") and data == b"\n":
            return
        self.buffer += data
        try:
            while self.buffer and not self.closing:
                self.read_one()
        except More:
            return
        except Refusal as refusal:
            self.refuse(refusal)

    def eof_received(self) -> bool:
        self.transport.close()
        return True

    def read_one(self) -> None:
        if self.request is None:
            self.read_head()
        request = self.request
        assert request is not None
        if request.chunked:
            body = self.body or BodyReader(0)
            self.body = body
            self.expect_continue(request)
            body.read(self.buffer)
            content, after = b"".join(body.parts), body.at
        else:
            after = request.length or 0
            if len(self.buffer) < after:
                self.expect_continue(request)
                raise More
            content = self.buffer[:after]
        self.buffer = self.buffer[after:]
        self.request, self.body, self.continued = None, None, False
        self.serve(request, content)

    def read_head(self) -> None:
        while self.buffer.startswith(b"\r\n"):
            self.buffer = self.buffer[2:]
            self.empty_lines += 1
            if self.empty_lines > EMPTY_LINES_MAX:
                raise Refusal(400)
        self.check_beginning()
        line, after = next_line(self.buffer, 0)
        request = read_request_line(line)
        data = self.buffer
        if self.fault == "space-before-colon":
            data = re.sub(rb"([!-9;-~]+)[ \t]+:", rb"\1:", data)
        if len(data) > HEAD_BYTES_MAX and b"\r\n\r\n" not in data[:HEAD_BYTES_MAX]:
            raise Refusal(431 if after < HEAD_BYTES_MAX else 414)
        after = read_fields(data, after, request.fields)
        self.buffer, self.empty_lines = data[after:], 0
        check_host(request)
        frame(request)
        if self.fault == "ignores-te" and request.chunked:
            request.chunked, request.length = False, 0
        self.request = request

    def check_beginning(self) -> None:
        """What can be said of a request line that has not ended."""
        data = self.buffer
        if not data or data == b"\r":
            raise More
        method, space, rest = data.partition(b" ")
        if len(method) > HEAD_BYTES_MAX:
            raise Refusal(501)
        if not (NAME.fullmatch(method) if space else NAME.match(method)):
            raise Refusal(400)
        if not space and NAME.match(method).end() != len(method):  # type: ignore[union-attr]
            raise Refusal(400)
        if b"\n" not in data[:HEAD_BYTES_MAX] and len(rest) > HEAD_BYTES_MAX - 100:
            raise Refusal(414)

    def expect_continue(self, request: Request) -> None:
        values = request.values(b"expect")
        wants = [value.lower() for value in values] == [b"100-continue"] and request.minor >= 1
        if wants and not self.buffer and not self.continued and self.fault != "no-continue":
            status = self.answer(request, b"")[0]
            if status != 200:
                raise Refusal(status)
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.continued = True

    # Replies.

    def serve(self, request: Request, content: bytes) -> None:
        self.count += 1
        status, body, allow = self.answer(request, content)
        if self.fault == "dies" and content == b"one":
            os._exit(3)
        self.reply(request, status, body, allow)

    def answer(self, request: Request, content: bytes) -> tuple[int, bytes, bytes]:
        if request.method not in METHODS:
            return 501, b"no", b""
        expectations = [value.lower() for value in request.values(b"expect")]
        if request.minor >= 1 and expectations not in ([], [b"100-continue"]):
            return 417, b"no", b""
        if BAD_ESCAPE.search(request.path):
            return 400, b"no", b""
        if request.path == b"*":
            return 204, b"", b"GET, HEAD, OPTIONS, POST"
        allowed = ROUTES.get(request.path)
        if request.method in (b"TRACE", b"CONNECT"):
            return 405, b"no", b"GET, HEAD, OPTIONS"
        if allowed is None:
            return 404, b"no", b""
        if request.method == b"OPTIONS":
            return 204, b"", b", ".join((*allowed, b"OPTIONS"))
        if request.method not in allowed:
            return 405, b"no", b", ".join((*allowed, b"OPTIONS"))
        return 200, content if request.method == b"POST" else b"hello", b""

    def reply(self, request: Request, status: int, body: bytes, allow: bytes) -> None:
        close = not request.keep_alive()
        if self.fault == "closes-always":
            close = True
        if self.fault == "wrong-body" and request.path == b"/echo" and len(body) > 3:
            body = body[:-1] + b"?"
        wire = self.serialise(
            status, body, close, allow if self.fault != "no-allow" else b"", request.minor == 0 and not close
        )
        if request.method == b"HEAD" and self.fault != "body-for-head":
            wire = wire[: wire.index(b"\r\n\r\n") + 4]
        if self.fault == "junk-after" and status == 200:
            wire += b"\r\n"
        if self.fault == "twice" and request.path == b"/echo":
            wire += wire
        if self.fault == "drops-second" and self.count == 2:
            wire = b""
        if self.fault == "stuck" and self.count == 2 and b"localhost" not in request.values(b"host"):
            wire = b""
        if self.fault == "swaps":
            wire = self.swap(wire)
        self.transport.write(wire)
        if close and self.fault != "keeps-where-close":
            self.close()

    def swap(self, wire: bytes) -> bytes:
        """Holds the first of two pipelined replies back behind the second."""
        if self.held is not None:
            wire, self.held = wire + self.held, None
        elif self.buffer:
            wire, self.held = b"", wire
        return wire

    def serialise(self, status: int, body: bytes, close: bool, allow: bytes, keep: bool) -> bytes:
        head = b"HTTP/1.1 %d -\r\n" % status
        if self.fault != "no-date":
            head += b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
        if status != 204:
            head += b"Content-Length: %d\r\n" % len(body)
        if allow:
            head += b"Allow: %s\r\n" % allow
        if (close and self.fault != "closes-unsaid") or keep:
            head += b"Connection: close\r\n" if close else b"Connection: keep-alive\r\n"
        return head + b"\r\n" + body

    def refuse(self, refusal: Refusal) -> None:
        if self.fault == "serves-bad":
            self.transport.write(self.serialise(200, b"hello", True, b"", False))
            return self.close()
        if self.fault == "silent-refusal":
            return self.transport.close()
        keeps = self.fault in ("keeps-after-refusal", "runs-behind-refusal")
        self.transport.write(self.serialise(refusal.status, b"no", not keeps, b"", False))
        if not keeps:
            return self.close()
        behind = self.buffer.find(b"GET ", 1) if self.fault == "runs-behind-refusal" else -1
        self.request, self.body = None, None
        rest, self.buffer = self.buffer[behind:] if behind > 0 else b"", b""
        if rest:
            self.data_received(rest)

    def close(self) -> None:
        """Says that nothing more comes, and reads on until the peer has seen it."""
        self.closing = True
        if self.transport.can_write_eof():
            self.transport.write_eof()
        asyncio.get_running_loop().call_later(2.0, self.transport.close)


async def serve(arguments: argparse.Namespace) -> int:
    Connection.fault = arguments.fault
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(Connection, "127.0.0.1", arguments.port, backlog=4096)
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    print(f"reference: http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()
    if arguments.fault == "complains":
        print("server.cpp:7:3: runtime error: signed integer overflow", file=sys.stderr)
    return 3 if arguments.fault == "bad-exit" else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", default="")
    return asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
