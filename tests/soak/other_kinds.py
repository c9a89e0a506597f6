"""other_kinds.py: kinds of traffic that speak something else than plain HTTP/1.1: TLS and WebSocket."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import struct

import wire
from kinds import World, kind
from wire import Peer, Wrong, expect, request

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3.


@kind(clients=3, needs_tls=True)
async def secure(world: World, choose: random.Random) -> int:
    """A handshake, pipelined requests and bodies both ways inside of it, and a clean end."""
    assert world.tls is not None
    peer = await Peer.connect(world.tls, limit=1 << 18, trust=world.trust)
    bodies = [choose.randbytes(choose.randrange(1, 40_000)) for _ in range(choose.randrange(1, 8))]
    data = b"".join(request("/echo", method="POST", body=body) for body in bodies)
    sending = asyncio.create_task(peer.send(data + request("/", "Connection: close")))
    for body in bodies:
        expect(await peer.answer(), 200, body)
    expect(await peer.answer(), 200, b"hello")
    await sending
    await peer.ended()
    peer.close()
    return len(bodies) + 1


@kind(clients=1, needs_tls=True)
async def reloads(world: World, choose: random.Random) -> int:
    """Another certificate is read while connections go on: those keep theirs, and who comes then is shown it."""
    peer = await hello(world)
    wanted = world.renew()
    count, until = 1, asyncio.get_running_loop().time() + wire.WAIT_S
    while True:
        other = await hello(world)
        count += 1
        shown = other.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        other.close()
        if shown == wanted:
            break
        if asyncio.get_running_loop().time() > until:
            raise Wrong("the new certificate is not shown")
        await asyncio.sleep(0.05)
    await peer.send(request())
    expect(await peer.answer(), 200, b"hello")
    await asyncio.sleep(choose.random())
    peer.close()
    return count + 1


async def hello(world: World) -> Peer:
    """A connection by TLS on which one request was answered."""
    assert world.tls is not None
    peer = await Peer.connect(world.tls, trust=world.trust)
    await peer.send(request())
    expect(await peer.answer(), 200, b"hello")
    return peer


@kind(clients=4)
async def websocket(world: World, choose: random.Random) -> int:
    """Messages of every size, whole and in fragments, with pings between; each comes back as it was."""
    return await talk(await Peer.connect(world.echo, limit=1 << 18), choose)


@kind(clients=1, needs_tls=True)
async def secure_websocket(world: World, choose: random.Random) -> int:
    """The same inside of TLS."""
    assert world.tls is not None
    return await talk(await Peer.connect(world.tls, limit=1 << 18, trust=world.trust), choose)


async def talk(peer: Peer, choose: random.Random) -> int:
    count = choose.randrange(1, 30)
    await shake_hands(peer, choose)
    for _ in range(count):
        binary = choose.random() < 0.5
        size = choose.choice([0, 1, 125, 126, choose.randrange(5000), choose.randrange(200_000)])
        message = choose.randbytes(size) if binary else choose.randbytes(size // 2).hex().encode()
        kind_of = BINARY if binary else TEXT
        cut = choose.randrange(len(message) + 1) if choose.random() < 0.3 else len(message)
        whole = cut == len(message)
        data = frame(choose, kind_of, message[:cut], last=whole)
        if not whole:
            data += frame(choose, PING, b"between") + frame(choose, 0, message[cut:])
        sending = asyncio.create_task(peer.send(data))
        if not whole and await read_message(peer) != (PONG, b"between"):
            raise Wrong("no pong for a ping between fragments")
        if await read_message(peer) != (kind_of, message):
            raise Wrong(f"a message of {len(message)} bytes did not come back")
        await sending
    await peer.send(frame(choose, CLOSE, struct.pack(">H", 1000)))
    if await read_message(peer) != (CLOSE, struct.pack(">H", 1000)):
        raise Wrong("another close than 1000")
    await peer.ended()
    peer.close()
    return count + 1


async def shake_hands(peer: Peer, choose: random.Random) -> None:
    key = base64.b64encode(choose.randbytes(16))
    fields = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    await peer.send(request("/ws", *fields, f"Sec-WebSocket-Key: {key.decode()}"))
    answer = await peer.answer()
    expect(answer, 101)
    wanted = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
    if answer.fields.get("sec-websocket-accept") != wanted:
        raise Wrong("a wrong Sec-WebSocket-Accept")


def frame(choose: random.Random, opcode: int, data: bytes, last: bool = True) -> bytes:
    """A client's frame, masked (RFC 6455 section 5.2)."""
    mask, size = choose.randbytes(4), len(data)
    head = bytes([opcode | (0x80 if last else 0)])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        head += bytes([0x80 | 127]) + struct.pack(">Q", size)
    stream = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
    return head + mask + (int.from_bytes(data, "big") ^ stream).to_bytes(size, "big")


async def read_message(peer: Peer) -> tuple[int, bytes]:
    """The next message, its fragments put together; or a control frame."""
    opcode, data = 0, b""
    try:
        while True:
            first, second = await peer.exactly(2)
            size = second & 0x7F
            if size >= 126:
                size = int.from_bytes(await peer.exactly(2 if size == 126 else 8), "big")
            if first & 0x70 or second & 0x80:
                raise Wrong(f"a frame with reserved bits or a mask: {first:#x} {second:#x}")
            part = await peer.exactly(size)
            if first & 0x08:
                return first & 0x0F, part
            opcode, data = opcode or first & 0x0F, data + part
            if first & 0x80:
                return opcode, data
    except asyncio.IncompleteReadError:
        raise Wrong("closed inside of a message") from None
