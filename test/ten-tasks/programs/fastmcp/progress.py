import asyncio
import os

from fastmcp import Client


async def show(progress, total, message):
    print(f"{progress:g} of {total:g}")


async def main():
    async with Client(os.environ["MARKET_URL"]) as client:
        result = await client.call_tool("ticker", {"ticks": 3}, progress_handler=show)
        print(result.content[0].text)

        async def cancel(progress, total, message):
            call.cancel()

        call = asyncio.create_task(
            client.call_tool("ticker", {"ticks": 1000}, progress_handler=cancel)
        )
        try:
            await call
        except asyncio.CancelledError:
            print("cancelled")
        price = await client.call_tool("price", {"symbol": "AAPL"})
        print(price.content[0].text)


asyncio.run(main())
