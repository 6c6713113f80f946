"""The official client in Python looks at a cluster: look.py sse|http legacy|auto URL KEY."""

import asyncio
import json
import sys

from mcp import Client
from mcp.client.sse import sse_client
from mcp.types import CreateMessageResult, ElicitResult, TextContent

transport, mode, url, key = sys.argv[1:]
NOTE = "note://one"
updated = asyncio.Event()
begun = asyncio.Event()
progress = []


async def on_message(message):
    if "ResourceUpdated" in type(message).__name__:
        updated.set()


async def on_elicit(context, params):
    return ElicitResult(action="accept", content={"name": "Ada"})


async def on_sample(context, params):
    content = TextContent(type="text", text="Paris")
    return CreateMessageResult(role="assistant", content=content, model="none")


async def on_progress(done, total, message):
    progress.append(f"{done:g}/{total:g}")


async def on_begun(done, total, message):
    if not begun.is_set():
        begun.set()
        print("begun", flush=True)


async def text(client, name, args=None, **options):
    result = await client.call_tool(name, args or {}, **options)
    return result.content[0].text


async def look():
    made = sse_client(url) if transport == "sse" else url
    client = Client(
        made,
        mode=mode,
        message_handler=on_message,
        elicitation_callback=on_elicit,
        sampling_callback=on_sample,
    )
    async with client:
        report = {
            "list": sorted(tool.name for tool in (await client.list_tools()).tools),
            "call": await text(client, "echo", {"message": "hé"}),
        }
        await text(client, "steps", progress_callback=on_progress)
        report["progress"] = progress
        call = asyncio.ensure_future(
            text(client, "write", {"key": key, "ms": 6_000}, progress_callback=on_begun)
        )
        await asyncio.wait_for(begun.wait(), 30)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        report["elicitation"] = await text(client, "ask")
        report["sampling"] = await text(client, "sample")
        if mode == "legacy":
            await client.session.subscribe_resource(NOTE)
            await text(client, "touch")
            await asyncio.wait_for(updated.wait(), 15)
            report["subscription"] = True
        else:
            async with client.listen(resource_subscriptions=[NOTE]) as changes:
                await text(client, "touch")
                async for _ in changes:
                    report["subscription"] = True
                    break
        if mode == "legacy" and transport == "http":
            begun.clear()
            args = {"key": f"{key}-cut", "ms": 3_000}
            report["resume"] = await text(client, "write", args, progress_callback=on_begun)
        print(json.dumps(report))


asyncio.run(look())
