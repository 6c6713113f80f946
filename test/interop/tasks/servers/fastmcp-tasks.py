"""A server of FastMCP whose tools run as tasks: fastmcp-tasks.py EVENTS.

FastMCP 4 serves the extension of protocol 2026-07-28, FastMCP 3 the experimental tasks of 2025-11-25.
It listens on a free port of 127.0.0.1, says which on standard output, and ends with its input. Callers
are `Bearer ada` and `Bearer bob`.
"""

import asyncio
import os
import socket
import sys
import threading
from datetime import timedelta

import fastmcp
import uvicorn
from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier

is_modern = int(fastmcp.__version__.split(".")[0]) >= 4
users = {name: {"client_id": name, "sub": name, "scopes": []} for name in ("ada", "bob")}
server = FastMCP("fastmcp", version="1.0.0", auth=StaticTokenVerifier(users))

if is_modern:
    import mcp_types
    from fastmcp.utilities.tasks import TaskConfig
    from fastmcp_tasks import TasksExtension
    from mcp.shared.exceptions import MCPError

    server.add_extension(TasksExtension(minimum_check_interval=timedelta(milliseconds=20)))

    def protocol_error():
        return MCPError(code=-32050, message="it is broken")
else:
    from fastmcp.server.tasks import TaskConfig
    from mcp.shared.exceptions import McpError
    from mcp.types import ErrorData

    def protocol_error():
        return McpError(ErrorData(code=-32050, message="it is broken"))


def as_task(mode):
    return TaskConfig(mode=mode, poll_interval=timedelta(milliseconds=200))


def event(name):
    with open(sys.argv[1], "a") as file:
        file.write(f"{name}\n")


@server.tool(annotations={"readOnlyHint": True})
def echo(message: str) -> str:
    """Returns the message at once: it never is a task."""
    return f"Echo: {message}"


@server.tool(task=as_task("optional"))
async def work(steps: int, stepMs: int, context: Context) -> str:
    """Takes its time, and tells how far it is."""
    event("work")
    try:
        for step in range(1, steps + 1):
            await context.report_progress(step, steps, f"step {step}")
            await asyncio.sleep(stepMs / 1000)
    except asyncio.CancelledError:
        event("work cancelled")
        raise
    return "done"


@server.tool(task=as_task("required"))
async def fail() -> str:
    """Ends with an error of its own."""
    event("fail")
    raise ToolError("it failed")


@server.tool(task=as_task("required"))
async def broken() -> str:
    """Ends with an error of the protocol."""
    event("broken")
    raise protocol_error()


if is_modern:

    @server.tool(task=as_task("required"))
    async def ask(context: Context) -> str | mcp_types.InputRequiredResult:
        """Asks who is there, by its result."""
        event("ask")
        answers = context.input_responses
        if not answers:
            params = mcp_types.ElicitRequestFormParams(
                message="Who are you?",
                requested_schema={
                    "type": "object",
                    "properties": {"name": {"type": "string"}},
                    "required": ["name"],
                },
            )
            request = mcp_types.ElicitRequest(params=params)
            return mcp_types.InputRequiredResult(input_requests={"who": request})
        return f"Hello, {answers['who'].content['name']}"
else:
    from dataclasses import dataclass

    @dataclass
    class Name:
        name: str

    @server.tool(task=as_task("required"))
    async def ask(context: Context) -> str:
        """Asks who is there, by a request of its own."""
        event("ask")
        answer = await context.elicit("Who are you?", Name)
        return f"Hello, {answer.data.name}"


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
# From here on whoever connects waits until it is served.
listener.listen()
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(server.http_app(), log_level="warning", timeout_graceful_shutdown=1)
asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
