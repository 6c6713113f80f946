import asyncio
import json
import os
from contextlib import AsyncExitStack

from fastmcp import Client


async def main():
    urls = json.loads(os.environ["MARKET_URLS"])
    async with AsyncExitStack() as stack:

        async def open(url):
            client = await stack.enter_async_context(Client(url))
            return client, await client.list_tools()

        opened = await asyncio.gather(*map(open, urls.values()), return_exceptions=True)
        alive = []
        for name, server in zip(urls, opened):
            if isinstance(server, BaseException):
                print(f"{name}: down")
            else:
                client, tools = server
                alive.append(client)
                print(f"{name}: {len(tools)} tools")
        for client in alive:
            result = await client.call_tool("price", {"symbol": "AAPL"})
            print(result.content[0].text)


asyncio.run(main())
