"""kinds.py: the kinds of traffic of the soak. One more is one more function:

    @kind(clients=4)
    async def name(world: World, choose: random.Random) -> int: ...

It is called again and again, by so many clients at a time; it does one thing from connect to close, raises
Wrong where an answer is not the one wanted, and gives the number of answers it has verified."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from logs import Logs
from wire import Peer, Wrong, chunked, expect, request

Address = tuple[str, int]


@dataclass
class World:
    """What is served, and where."""

    app: Address
    files: Address
    echo: Address
    contents: dict[str, bytes]
    uploads: Address
    stored: Path = Path()  # Where the uploads are.
    logs: Logs = field(default_factory=Logs)  # Of the files.
    tls: Address | None = None  # Of the application too; none where the engine is built without TLS.
    trust: ssl.SSLContext | None = None
    renew: Callable[[], bytes] = bytes  # Gives the application another certificate, and HUP; what it is, in DER.


@dataclass(frozen=True)
class Kind:
    name: str
    run: Callable[[World, random.Random], Awaitable[int]]
    clients: int
    needs_tls: bool = False


KINDS: list[Kind] = []


def kind(
    clients: int, needs_tls: bool = False
) -> Callable[[Callable[[World, random.Random], Awaitable[int]]], object]:
    def register(run: Callable[[World, random.Random], Awaitable[int]]) -> object:
        KINDS.append(Kind(run.__name__, run, clients, needs_tls))
        return run

    return register


@kind(clients=8)
async def pipelined(world: World, choose: random.Random) -> int:
    """Posts and gets in one write, of every framing; answers in order."""
    peer, wanted, data = await Peer.connect(world.app), [], b""
    for _ in range(choose.randrange(1, 60)):
        way, body = choose.randrange(4), choose.randbytes(choose.randrange(1200))
        if way == 0:
            data += request("/fast/" + body.hex()[:40])
            wanted.append(body.hex()[:40].encode())
        elif way == 1:
            data += request("/echo", method="POST", body=body)
            wanted.append(body)
        elif way == 2:
            cut = choose.randrange(len(body) + 1)
            data += chunked("/echo", [body[:cut], body[cut:]])
            wanted.append(body)
        else:
            data += request()
            wanted.append(b"hello")
    sending = asyncio.create_task(peer.send(data))
    for body in wanted:
        answer = await peer.answer()
        if body:
            expect(answer, 200, body)
    await sending
    peer.close()
    return len(wanted)


@kind(clients=6)
async def trickled(world: World, choose: random.Random) -> int:
    """A request in pieces of a few bytes."""
    body = choose.randbytes(choose.randrange(200))
    peer, data = await Peer.connect(world.app), request("/echo", method="POST", body=body)
    while data:
        size = choose.randrange(1, 40)
        await peer.send(data[:size])
        data = data[size:]
        await asyncio.sleep(choose.random() * 0.01)
    expect(await peer.answer(), 200, body)
    peer.close()
    return 1


@kind(clients=2)
async def large(world: World, choose: random.Random) -> int:
    """Megabytes up and down again, by length and by chunks."""
    peer = await Peer.connect(world.app, limit=1 << 20)
    body = choose.randbytes(64) * choose.randrange(1000, 60_000)
    parts = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    for data in (request("/echo", method="POST", body=body), chunked("/echo", parts)):
        sending = asyncio.create_task(peer.send(data))
        expect(await peer.answer(), 200, body)
        await sending
    peer.close()
    return 2


@kind(clients=4)
async def files(world: World, choose: random.Random) -> int:
    """Whole, by parts, by its tag again, and what is not there."""
    name = choose.choice(list(world.contents))
    peer, content = await Peer.connect(world.files, limit=1 << 20), world.contents[name]
    await peer.send(request(f"/{name}"))
    whole = await peer.answer()
    expect(whole, 200, content)
    first = choose.randrange(len(content))
    last = choose.randrange(first, len(content))
    await peer.send(request(f"/{name}", f"Range: bytes={first}-{last}"))
    expect(await peer.answer(), 206, content[first : last + 1])
    await peer.send(request(f"/{name}", f"If-None-Match: {whole.fields['etag']}") + request("/none"))
    expect(await peer.answer(), 304)
    expect(await peer.answer(), 404)
    world.logs.asked.update({f"/{name}": 3, "/none": 1})
    peer.close()
    return 4


@kind(clients=4)
async def slow_reading(world: World, choose: random.Random) -> int:
    """The largest file, read in little sips."""
    name = max(world.contents, key=lambda one: len(world.contents[one]))
    peer = await Peer.connect(world.files, limit=1 << 12)
    await peer.send(request(f"/{name}"))
    answer, body = await peer.head(), bytearray()
    expect(answer, 200)
    while len(body) < int(answer.fields["content-length"]):
        part = await peer.reader.read(choose.randrange(1000, 60_000))
        if not part:
            raise Wrong(f"cut after {len(body)} bytes")
        body += part
        await asyncio.sleep(choose.random() * 0.02)
    answer.body = bytes(body)
    expect(answer, 200, world.contents[name])
    world.logs.asked[f"/{name}"] += 1
    peer.close()
    return 1


@kind(clients=6)
async def coroutines(world: World, choose: random.Random) -> int:
    """Handlers that wait, with others behind them; answers in the order of the requests."""
    peer, count = await Peer.connect(world.app), choose.randrange(1, 30)
    await peer.send(b"".join(request(f"/order/{number}/{choose.randrange(1, 30)}") for number in range(count)))
    for number in range(count):
        expect(await peer.answer(), 200, str(number).encode())
    peer.close()
    return count


@kind(clients=4)
async def in_parts(world: World, choose: random.Random) -> int:
    """Replies written and bodies read in parts, with a plain request between them."""
    peer = await Peer.connect(world.app, limit=1 << 18)
    count, size = choose.randrange(40), choose.randrange(1, 9000)
    end = choose.choice(["-", "declared", "trailer"])
    body = choose.randbytes(choose.randrange(100_000))
    cut = choose.randrange(len(body) + 1)
    parts = [body[:cut], body[cut:]]
    data = request(f"/stream/{count}/{size}/{end}") + request() + chunked("/echo-parts", parts)
    sending = asyncio.create_task(peer.send(data + chunked("/upload", parts)))
    expect(await peer.answer(), 200, b"x" * (count * size))
    expect(await peer.answer(), 200, b"hello")
    expect(await peer.answer(), 200, body)
    expect(await peer.answer(), 200, f"{len(body)} {sum(body)} -".encode())
    await sending
    peer.close()
    return 4


@kind(clients=3)
async def one_request_each(world: World, choose: random.Random) -> int:
    """A connection a request: HTTP/1.0, Connection: close, HEAD, and a half-close."""
    way = choose.randrange(4)
    peer = await Peer.connect(world.app)
    if way == 0:
        await peer.send(b"GET / HTTP/1.0\r\n\r\n")
        expect(await peer.answer(), 200, b"hello")
    elif way == 1:
        await peer.send(request("/", "Connection: close") + request("/mark", method="POST"))
        expect(await peer.answer(), 200, b"hello")
    elif way == 2:
        await peer.send(request("/", "Connection: close", method="HEAD"))
        expect(await peer.answer("HEAD"), 200)
    else:
        await peer.send(request("/slow/5"))
        peer.writer.write_eof()
        expect(await peer.answer(), 200, b"slow")
    await peer.ended()
    peer.close()
    return 1


BAD = (
    (b"GARBAGE\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
    (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n", 400),
    (b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
    (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 431),
)


@kind(clients=2)
async def refused(world: World, choose: random.Random) -> int:
    """What no server may accept, with a request behind that must not run."""
    data, status = choose.choice(BAD)
    peer = await Peer.connect(world.app)
    await peer.send(request() + data + request("/mark", method="POST"))
    expect(await peer.answer(), 200, b"hello")
    expect(await peer.answer(), status)
    await peer.ended()
    peer.close()
    return 2


@kind(clients=2)
async def failing(world: World, choose: random.Random) -> int:
    """Handlers that throw, at once and later; the connection goes on."""
    peer = await Peer.connect(world.app)
    await peer.send(request("/throw") + request("/throw-later") + request())
    expect(await peer.answer(), 500)
    expect(await peer.answer(), 500)
    expect(await peer.answer(), 200, b"hello")
    peer.close()
    return 3


@kind(clients=4)
async def resets(world: World, choose: random.Random) -> int:
    """Connections that end at any moment, by RST. Nothing can be verified but that nobody else notices."""
    peer = await Peer.connect(choose.choice([world.app, world.files]))
    data = choose.choice(
        [request() * 50, request("/slow/20") * 3, request("/echo", method="POST", body=b"x" * 3000), b"GET"]
    )
    await peer.send(data[: choose.randrange(len(data) + 1)])
    await asyncio.sleep(choose.random() * 0.01)
    peer.reset()
    return 0
