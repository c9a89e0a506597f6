#!/usr/bin/env python3
"""websocket_tls_test.py: the same WebSockets by wss: large messages both ways, and the closing handshake."""

from __future__ import annotations

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "websocket"))

from frames import BINARY, CLOSE, PING, Frame, FrameReader, close, frame, handshake, text  # noqa: E402
from harness import main  # noqa: E402
from tls_support import TlsTest  # noqa: E402


class WebSocketTlsTest(TlsTest):
    def test_messages_and_the_end(self) -> None:
        server = self.start_tls("sockets")
        sock = self.open(server)
        sock.settimeout(20)
        sock.sendall(handshake("/deflate") + text("behind the handshake"))
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(4096)
        head, _, rest = data.partition(b"\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
        message = random.Random(9).randbytes(3_000_000)
        sock.sendall(frame(PING, b"p") + frame(BINARY, message) + close(1000))
        reader = FrameReader()
        frames = reader.feed(rest)
        while part := sock.recv(1 << 16):
            frames += reader.feed(part)
        self.assertEqual([one.opcode for one in frames], [1, 10, BINARY, CLOSE])
        self.assertEqual(frames[0].payload, b"behind the handshake")
        self.assertEqual(frames[2], Frame(BINARY, message))


if __name__ == "__main__":
    main()
