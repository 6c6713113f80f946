"""A client of FastMCP makes tasks: fastmcp-client.py URL [KEY]. With a key, one whose first node dies. FastMCP 4 speaks 2026-07-28, FastMCP 3 2025-11-25."""

import asyncio
import json
import sys

import fastmcp
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

url = sys.argv[1]
is_modern = int(fastmcp.__version__.split(".")[0]) >= 4
questions = []

if is_modern:
    from fastmcp_tasks.client import call_tool_task


def connect(user="ada"):
    headers = {"authorization": f"Bearer {user}"}
    options = {"mode": "auto"} if is_modern else {}
    transport = StreamableHttpTransport(url, headers=headers)
    return Client(transport, elicitation_handler=answer, **options)


async def answer(message, response_type, params, context):
    questions.append(message)
    return {"name": "Ada"}


def make_task(client, name, arguments):
    if is_modern:
        return call_tool_task(client, name, arguments, raise_on_error=False)
    return client.call_tool(name, arguments, task=True, raise_on_error=False)


async def status_of(client, task):
    found = await (task.status() if is_modern else client.get_task_status(task.task_id))
    return found.status, getattr(found, "status_message", getattr(found, "statusMessage", None))


async def outcome(call):
    try:
        result = await call
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    is_error = getattr(result, "is_error", None) or getattr(result, "isError", False)
    return f"{'error: ' if is_error else ''}{result.content[0].text}"


async def ask_for_work(client, report):
    task = await make_task(client, "work", {"steps": 20, "stepMs": 100})
    seen = []
    while True:
        status, message = await status_of(client, task)
        seen.append(message)
        if status != "working":
            break
        await asyncio.sleep(0.1)
    report["told"] = sorted({message for message in seen if message} & {f"step {n}" for n in range(21)}) != []
    report["work"] = await outcome(task.result())


async def cancel(client, report):
    task = await make_task(client, "work", {"steps": 600, "stepMs": 100})
    async with connect("bob") as bob:
        if is_modern:
            from fastmcp_tasks.client import _send_get

            report["other"] = await outcome(_send_get(bob.session, task.task_id))
        else:
            report["other"] = await outcome(bob.get_task_status(task.task_id))
    await task.cancel()
    while (await status_of(client, task))[0] == "working":
        await asyncio.sleep(0.05)
    report["cancelled"] = (await status_of(client, task))[0]


async def survive(key):
    async with connect() as client:
        task = await make_task(client, "survive", {"key": key})
        print(json.dumps({"survive": await outcome(task.result())}))


async def main():
    report = {}
    async with connect() as client:
        report["echo"] = await outcome(client.call_tool("echo", {"message": "hé"}))
        await ask_for_work(client, report)
        for tool in ("only", "ask", "fail", "broken"):
            call = client.call_tool(tool, {}, raise_on_error=False) if is_modern else make_task(client, tool, {})
            made = await call if not is_modern else None
            report[tool] = await outcome(call if is_modern else made.result())
        report["questions"] = questions
        await cancel(client, report)
    print(json.dumps(report))


asyncio.run(survive(sys.argv[2]) if len(sys.argv) > 2 else main())
