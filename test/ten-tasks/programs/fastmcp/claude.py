import asyncio
import os

from anthropic import AsyncAnthropic
from anthropic.lib.tools.mcp import async_mcp_tool
from fastmcp import Client


def with_approval(tool, client):
    runnable = async_mcp_tool(tool, client.session)
    if tool.annotations and tool.annotations.read_only_hint:
        return runnable

    async def declined(input):
        print(f"may it {tool.name}? no")
        return "The user declined this call."

    runnable.call = declined
    return runnable


async def main():
    async with Client(os.environ["MARKET_URL"]) as client:
        runner = AsyncAnthropic().beta.messages.tool_runner(
            model="claude-sonnet-5-5",
            max_tokens=16_384,
            max_iterations=25,
            messages=[{"role": "user", "content": "Buy Apple."}],
            tools=[with_approval(tool, client) for tool in await client.list_tools()],
            stream=True,
        )
        async for stream in runner:
            async for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    print(event.delta.text, end="", flush=True)


asyncio.run(main())
