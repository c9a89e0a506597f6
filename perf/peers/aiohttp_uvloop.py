"""aiohttp, its parser in C, on uvloop; one process. `python3 aiohttp_uvloop.py PORT`"""

import sys

import uvloop
from aiohttp import web


async def greet(_):
    return web.Response(text="Hello world!")


async def name(request):
    return web.Response(text=request.match_info["name"])


async def length(request):
    return web.Response(text=str(len(await request.read())))


uvloop.install()
app = web.Application()
app.router.add_get("/", greet)
app.router.add_get("/name/{name}", name)
app.router.add_post("/length", length)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, keepalive_timeout=3600,
            backlog=4096)
