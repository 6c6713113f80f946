import asyncio
import os

from fastmcp import Client


async def main():
    async with Client(os.environ["MARKET_URL"]) as client:
        print(", ".join(tool.name for tool in await client.list_tools()))
        result = await client.call_tool("price", {"symbol": "AAPL"})
        print(result.content[0].text)


asyncio.run(main())
