import asyncio
import os

from fastmcp import Client
from fastmcp.exceptions import ToolError


class Reconnecting:
    """A client that connects again, and repeats what only looks."""

    def __init__(self, url):
        self.client = Client(url)
        self.safe = set()

    async def connect(self):
        await self.client.__aenter__()
        tools = await self.client.list_tools()
        self.safe = {t.name for t in tools if t.annotations and t.annotations.read_only_hint}

    async def call(self, name, arguments):
        for attempt in range(5):
            try:
                if not self.client.is_connected():
                    await self.connect()
                return await self.client.call_tool(name, arguments)
            except ToolError:
                raise
            except Exception:
                if name not in self.safe or attempt == 4:
                    raise
                await self.close()
                await asyncio.sleep(0.25 * 2**attempt)

    async def close(self):
        try:
            await self.client.close()
        except Exception:
            pass  # it is gone already


async def main():
    client = Reconnecting(os.environ["MARKET_URL"])
    await client.connect()
    for tool, arguments in [
        ("price", {"symbol": "AAPL"}),
        ("ticker", {"ticks": 10}),
        ("price", {"symbol": "MSFT"}),
    ]:
        print((await client.call(tool, arguments)).content[0].text)
    await client.close()


asyncio.run(main())
