import asyncio
import os
import sys
import time

from fastmcp import Client
from prometheus_client import Histogram

sys.path.append(f"{os.path.dirname(__file__)}/..")
from telemetry import logger, registry  # noqa: E402

seconds = Histogram(
    "mcp_call_duration_seconds",
    "How long calls of tools took",
    ["tool", "outcome"],
    registry=registry,
)


async def call(client, name, arguments=None):
    """Calls a tool; its span is made by the client itself."""
    started_at = time.monotonic()
    outcome = "error"
    try:
        result = await client.call_tool(name, arguments, raise_on_error=False)
        if not result.is_error:
            outcome = "ok"
        return result
    finally:
        took = time.monotonic() - started_at
        seconds.labels(name, outcome).observe(took)
        log = logger.info if outcome == "ok" else logger.warning
        log("tools/call", extra={"tool": name, "outcome": outcome, "took": took})


async def main():
    async with Client(os.environ["MARKET_URL"]) as client:
        await call(client, "price", {"symbol": "AAPL"})
        await call(client, "price", {"symbol": "MSFT"})
        await call(client, "halt")


asyncio.run(main())
