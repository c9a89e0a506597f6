"""reply_kinds.py: replies in other forms than plain bytes: compressed, and server-sent events."""

from __future__ import annotations

import gzip
import random
import zlib

from kinds import World, kind
from wire import Answer, Peer, Wrong, expect, request

COMPRESSED_FROM = 1024  # Shorter replies stay as they are; a streamed one has no length to go by.


def lines(count: int) -> bytes:
    return b"".join(b"line %d\n" % line for line in range(count))


def unpacked(answer: Answer) -> Answer:
    try:
        return Answer(answer.status, answer.fields, gzip.decompress(answer.body))
    except (OSError, EOFError, zlib.error) as fault:
        raise Wrong(f"no gzip: {fault!r}") from None


@kind(clients=3)
async def compressed(world: World, choose: random.Random) -> int:
    """Pipelined, in memory and streamed, by gzip where it was asked for; Python's gzip gives the bytes wanted."""
    peer, asked, data = await Peer.connect(world.app, limit=1 << 18), [], b""
    for _ in range(choose.randrange(1, 8)):
        streamed, accepted = choose.random() < 0.5, choose.random() < 0.8
        count = choose.choice([choose.randrange(1, 40), choose.randrange(500, 4000)])
        text = lines(count)
        path = f"/compressed/stream/{count}/0" if streamed else f"/compressed/lines/{count}"
        data += request(path, *(["Accept-Encoding: gzip"] if accepted else []))
        asked.append((accepted and (streamed or len(text) >= COMPRESSED_FROM), text))
    await peer.send(data)
    for packed, text in asked:
        answer = await peer.answer()
        if (answer.fields.get("content-encoding") == "gzip") != packed:
            raise Wrong(f"{len(text)} bytes as {answer.fields.get('content-encoding')}")
        expect(unpacked(answer) if packed else answer, 200, text)
    peer.close()
    return len(asked)


@kind(clients=3)
async def events(world: World, choose: random.Random) -> int:
    """Server-sent events behind the last one seen, then comments that keep the connection open, then the end."""
    peer, last = await Peer.connect(world.app), choose.randrange(1_000_000)
    await peer.send(request("/events", f"Last-Event-ID: {last}") + request())
    answer = await peer.answer()
    wanted = b"".join(
        b"event: count\nid: %d\nretry: 1000\ndata: line\ndata: %d\n\n" % (number, number)
        for number in range(last + 1, last + 4)
    )
    if answer.body.replace(b":\n\n", b"") != wanted:
        raise Wrong(f"other events than those behind {last}: {answer.body[:200]!r}")
    expect(answer, 200)
    expect(await peer.answer(), 200, b"hello")
    peer.close()
    return 2
