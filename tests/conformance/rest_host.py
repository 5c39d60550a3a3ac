"""localstripe on a free port of the loopback interface, which it prints. Ends when its standard input closes.

As it comes it writes its store to one fixed file and listens on every interface; here it does neither, so that several
may run at once. With --keys it honours Idempotency-Key as Stripe's reference describes it; as it comes it ignores it.
Payments, refunds and their states are localstripe's own.
"""

import asyncio
import collections
import os
import socket
import sys
import threading

from aiohttp import web
from localstripe import resources, server

resources.Store.dump_to_disk = lambda self: None

answers = {}
locks = collections.defaultdict(asyncio.Lock)


@web.middleware
async def honour_keys(request, handler):
    key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or key is None:
        return await handler(request)
    asked = (request.path, await request.read())
    async with locks[key]:
        if key not in answers:
            answer = await handler(request)
            answers[key] = (asked, answer.status, answer.body)
        before, status, body = answers[key]
    if before != asked:
        error = {"type": "idempotency_error", "message": "This key was used for something else."}
        return web.json_response({"error": error}, status=400)
    return web.Response(status=status, body=body, content_type="application/json")


def intents(request):
    """The intents with a key in their metadata, as a list has them: a list of everything takes long to make."""
    held = (thing for name, thing in resources.store.items() if name.startswith("payment_intent:"))
    mine = [thing._export() for thing in held if thing.metadata.get("tillroll_key") == request.match_info["key"]]
    return web.json_response(mine)


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


if "--keys" in sys.argv:
    server.app.middlewares.insert(0, honour_keys)
server.app.router.add_get("/_intents/{key}", intents)
threading.Thread(target=end_with_parent, daemon=True).start()
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
web.run_app(server.app, sock=listener, print=None, access_log=None)
