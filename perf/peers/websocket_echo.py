"""The echo of Python's websockets, without compression. `python3 websocket_echo.py PORT`"""

import asyncio
import logging
import sys

import websockets


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    async with websockets.serve(echo, "127.0.0.1", int(sys.argv[1]), compression=None, ping_interval=None):
        await asyncio.get_running_loop().create_future()


logging.disable()  # Nobody reads what it says of peers that leave without a close frame.
asyncio.run(main())
