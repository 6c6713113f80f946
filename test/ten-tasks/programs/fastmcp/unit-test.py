import asyncio

from fastmcp import Client, FastMCP


def create_market():
    server = FastMCP("market")

    @server.tool
    def price(symbol: str) -> str:
        return f"{symbol} 1"

    return server


async def main():
    async with Client(create_market()) as client:
        result = await client.call_tool("price", {"symbol": "AAPL"})
        assert result.content[0].text == "AAPL 1"
        print("passed")


asyncio.run(main())
