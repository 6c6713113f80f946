import asyncio
import json
import os
import time

from fastmcp import Client


class Cached:
    """A client that keeps for a minute what tools answered that only look."""

    def __init__(self, client):
        self.client = client
        self.kept = {}
        self.looks = set()

    async def call(self, name, arguments):
        if not self.looks:
            tools = await self.client.list_tools()
            self.looks = {t.name for t in tools if t.annotations and t.annotations.read_only_hint}
        if name not in self.looks:
            return await self.client.call_tool(name, arguments)
        key = (name, json.dumps(arguments))
        until, result = self.kept.get(key, (0, None))
        if until > time.monotonic():
            return result
        result = await self.client.call_tool(name, arguments)
        self.kept[key] = (time.monotonic() + 60, result)
        if len(self.kept) > 1000:
            del self.kept[next(iter(self.kept))]  # the oldest one
        return result


async def main():
    async with Client(os.environ["MARKET_URL"]) as client:
        cached = Cached(client)
        for tool, symbol in [
            ("price", "AAPL"),
            ("price", "AAPL"),
            ("price", "MSFT"),
            ("buy", "AAPL"),
            ("buy", "AAPL"),
        ]:
            print((await cached.call(tool, {"symbol": symbol})).content[0].text)


asyncio.run(main())
