import asyncio
import os

import httpx2
from fastmcp import Client


class Renewing(httpx2.Auth):
    """A bearer token, renewed once for all requests that find it refused."""

    def __init__(self):
        self.token = None
        self.lock = asyncio.Lock()

    async def renew(self, used):
        async with self.lock:
            if self.token == used:
                async with httpx2.AsyncClient() as http:
                    self.token = (await http.get(os.environ["ISSUER_URL"])).text
            return self.token

    async def async_auth_flow(self, request):
        used = self.token or await self.renew(None)
        request.headers["Authorization"] = f"Bearer {used}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {await self.renew(used)}"
            yield request


async def main():
    async with Client(os.environ["MARKET_URL"], auth=Renewing()) as client:

        async def price(symbol):
            return (await client.call_tool("price", {"symbol": symbol})).content[0].text

        print(await price("AAPL"))
        prices = await asyncio.gather(*map(price, ["AAPL", "MSFT", "NVDA"]))
        print(", ".join(prices))


asyncio.run(main())
