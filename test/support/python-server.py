"""An MCP server of the library and over the transport that the arguments name.

It listens on a free port of 127.0.0.1, says which on standard output, and ends with its input.
"""

import asyncio
import os
import socket
import sys
import threading

import uvicorn
from pydantic import BaseModel

library, output = sys.argv[1:]
calls = []

if library == "mcp":
    from mcp.server.mcpserver import Context, MCPServer

    server = MCPServer("python", version="1.0.0")
    app = server.sse_app() if output == "sse" else server.streamable_http_app(
        json_response=output == "json", stateless_http=output == "stateless"
    )
else:
    from fastmcp import Context, FastMCP

    server = FastMCP("python", version="1.0.0")
    app = server.http_app(transport="sse") if output == "sse" else server.http_app(
        json_response=output == "json", stateless_http=output == "stateless"
    )


@server.tool()
def echo(message: str) -> str:
    """Returns the message."""
    calls.append("echo")
    return f"Echo: {message}"


@server.tool()
async def steps(context: Context) -> str:
    """Tells its progress three times."""
    calls.append("steps")
    for step in (1, 2, 3):
        await context.report_progress(step, 3)
    return "done"


class Name(BaseModel):
    name: str


@server.tool()
async def ask(context: Context) -> str:
    """Asks for a name, by a request of its own."""
    calls.append("ask")
    answer = await context.elicit("Who is it?", Name)
    return f"{answer.action} {answer.data.name}" if answer.action == "accept" else answer.action


@server.tool()
def called() -> str:
    """Names the tools that were called, in order."""
    return ",".join(calls)


@server.resource("note://one")
def note() -> str:
    """A note."""
    return "a note"


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
# From here on whoever connects waits until it is served.
listener.listen()
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))
