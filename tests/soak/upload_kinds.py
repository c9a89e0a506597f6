"""upload_kinds.py: forms with files to apps/uploads: stored whole, or cut and forgotten."""

from __future__ import annotations

import asyncio
import random
from urllib.parse import quote

from kinds import World, kind
from wire import Peer, Wrong, chunked, expect, request

END = b"--\r\n"


def form(choose: random.Random, files: dict[str, bytes]) -> tuple[str, bytes]:
    """The Content-Type, and the parts: a field, then the files."""
    boundary = "soak-" + choose.randbytes(8).hex()
    parts = [b'name="note"\r\n\r\npassed over']
    for name, content in files.items():
        head = f'name="file"; filename="{name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        parts.append(head.encode() + content)
    line = b"--" + boundary.encode()
    body = b"".join(line + b"\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
    return f"Content-Type: multipart/form-data; boundary={boundary}", body + line + END


@kind(clients=2)
async def uploads(world: World, choose: random.Random) -> int:
    """Files by length or by chunks; what was stored is what was sent, on the disk and when it is asked for."""
    files = {}
    for _ in range(choose.randrange(1, 4)):
        size = choose.choice([0, 1, choose.randrange(5000), choose.randrange(200_000), choose.randrange(2_000_000)])
        files[f"{choose.randbytes(8).hex()} \u00e9.bin"] = choose.randbytes(size)
    kind_of, body = form(choose, files)
    peer = await Peer.connect(world.uploads, limit=1 << 20)
    cut = choose.randrange(len(body) + 1)
    by_chunks = chunked("/", [body[:cut], body[cut:]], kind_of)
    await peer.send(choose.choice([by_chunks, request("/", kind_of, method="POST", body=body)]))
    expect(await peer.answer(), 303)
    for name, content in files.items():
        stored = world.stored / name
        if not stored.exists() or stored.read_bytes() != content:
            raise Wrong(f"a file of {len(content)} bytes is not stored as it was sent")
        await peer.send(request("/files/" + quote(name)))
        expect(await peer.answer(), 200, content)
        stored.unlink()
    peer.close()
    return 1 + len(files)


@kind(clients=1)
async def cut_uploads(world: World, choose: random.Random) -> int:
    """An upload whose client leaves by RST in the midst of it: at the end of the soak no file may be there."""
    kind_of, body = form(choose, {"cut.bin": choose.randbytes(choose.randrange(1, 300_000))})
    peer = await Peer.connect(world.uploads)
    # Once the boundary behind it is there, the file is whole, and may be kept.
    missing = choose.randrange(len(b"-" + END), len(body))
    await peer.send(request("/", kind_of, method="POST", body=body)[:-missing])
    await asyncio.sleep(choose.random() * 0.01)
    peer.reset()
    return 0
