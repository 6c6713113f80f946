"""The official client in Python, which knows no tasks, calls tools that may be some: mcp-client.py URL MODE."""

import asyncio
import json
import sys

from mcp import Client

url, mode = sys.argv[1:]


async def outcome(call):
    try:
        result = await call
    except Exception as error:
        return f"{getattr(getattr(error, 'error', None), 'code', None)}"
    return result.content[0].text


async def main():
    async with Client(url, mode=mode) as client:
        work = await outcome(client.call_tool("work", {"steps": 3, "stepMs": 100}))
        only = await outcome(client.call_tool("only", {}))
        print(json.dumps({"work": work, "only": only}))


asyncio.run(main())
