import asyncio
import os

from fastmcp import Client
from fastmcp.client.messages import MessageHandler

URI = "market://news"


class Updates(MessageHandler):
    def __init__(self):
        self.changed = asyncio.Event()

    async def on_resource_updated(self, message):
        if str(message.params.uri) == URI:
            self.changed.set()


last = None


async def follow():
    """Follows it on one connection, until the end is told; raises when that is lost."""
    global last
    updates = Updates()
    client = Client(os.environ["MARKET_URL"], mode="legacy", message_handler=updates)
    async with client:
        await client.session.subscribe_resource(URI)
        while True:
            updates.changed.clear()
            [contents] = await client.read_resource(URI)
            if contents.text != last:
                last = contents.text
                print(last)
            if last == "closing":
                return
            while not updates.changed.is_set():
                try:
                    await asyncio.wait_for(updates.changed.wait(), 2)
                except asyncio.TimeoutError:
                    await client.ping()  # nothing else tells that the connection is lost


async def main():
    for attempt in range(5):
        try:
            return await follow()
        except Exception:
            await asyncio.sleep(0.25 * 2**attempt)


asyncio.run(main())
