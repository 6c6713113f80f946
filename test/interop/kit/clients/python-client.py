"""A client in Python looks at the server: python-client.py mcp|fastmcp sse|http legacy|auto URL."""

import asyncio
import json
import sys

library, transport, mode, url = sys.argv[1:]
progress, logged = [], []
changed = asyncio.Event()


async def on_progress(done, total, message):
    progress.append(f"{done:g}/{total:g}")


async def on_log(params):
    logged.append(params.data["msg"] if isinstance(params.data, dict) else params.data)


async def on_message(message):
    if "ToolListChanged" in type(message).__name__:
        changed.set()


def connect():
    if library == "fastmcp":
        from fastmcp import Client
        from fastmcp.client.transports import SSETransport, StreamableHttpTransport

        made = SSETransport(url) if transport == "sse" else StreamableHttpTransport(url)
        return Client(made, mode=mode, log_handler=on_log, message_handler=on_message)
    from mcp import Client
    from mcp.client.sse import sse_client

    made = sse_client(url) if transport == "sse" else url
    return Client(
        made, mode=mode, log_level="info", logging_callback=on_log, message_handler=on_message
    )


def is_error(result):
    return getattr(result, "is_error", None) or getattr(result, "isError", False)


async def look():
    async with connect() as client:
        tools = await client.list_tools()
        tools = getattr(tools, "tools", tools)
        echo = await client.call_tool("echo", {"message": "hé"})
        options = {"raise_on_error": False} if library == "fastmcp" else {}
        failed = await client.call_tool("fail", {}, **options)
        handler = "progress_handler" if library == "fastmcp" else "progress_callback"
        await client.call_tool("steps", {}, **{handler: on_progress})
        contents = await client.read_resource("note://one")
        contents = getattr(contents, "contents", contents)
        prompt = await client.get_prompt("greet", {"name": "Ada"})
        report = {
            "tools": sorted(tool.name for tool in tools),
            "echo": echo.content[0].text,
            "failed": failed.content[0].text if is_error(failed) else "no error",
            "progress": progress,
            "logged": logged,
            "resource": contents[0].text,
            "prompt": prompt.messages[0].content.text,
        }
        if mode == "legacy":
            await client.call_tool("grow", {})
            await asyncio.wait_for(changed.wait(), 15)
            report["changed"] = True
        elif library == "mcp":
            async with client.listen(tools_list_changed=True) as changes:
                await client.call_tool("grow", {})
                async for _ in changes:
                    report["changed"] = True
                    break
        print(json.dumps(report))


asyncio.run(look())
