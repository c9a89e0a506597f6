"""log_kinds.py: a log that is moved away under traffic, and opened again by USR1."""

from __future__ import annotations

import asyncio
import random

import wire
from kinds import World, kind
from wire import Peer, Wrong, expect, request


@kind(clients=1)
async def rotations(world: World, choose: random.Random) -> int:
    """The log is moved away while this connection and others go on, and is there again."""
    logs, number = world.logs, choose.getrandbits(64)
    peer = await Peer.connect(world.files)

    async def ask() -> None:
        path = f"/rotation/{number}"
        await peer.send(request(path))
        expect(await peer.answer(), 404)
        logs.asked[path] += 1

    await ask()
    logs.rotate()
    asked, until = 1, asyncio.get_running_loop().time() + wire.WAIT_S
    while not logs.current.exists():
        await ask()
        asked += 1
        if asyncio.get_running_loop().time() > until:
            raise Wrong("the log is not opened again")
        await asyncio.sleep(0.01)
    await ask()
    await asyncio.sleep(choose.random())
    peer.close()
    return asked + 1
