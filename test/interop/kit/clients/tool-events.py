"""A client of the tool-events transport in nothing but Python's library: tool-events.py URL KEY.

It is written from docs/tool-events.md alone.
"""

import json
import sys
import urllib.request
from urllib.parse import parse_qs, urljoin, urlsplit

base, key = sys.argv[1:]
url = base.rstrip("/").removesuffix("/sse") + "/sse"


def events(stream):
    name, data = "message", []
    for line in stream:
        line = line.decode().rstrip("\r\n")
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line == "" and data:
            yield name, "\n".join(data)
            name, data = "message", []
        elif line == "":
            name = "message"


def open_stream():
    headers = {"Accept": "text/event-stream", "api_key": key}
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers))


def call(session_id, tool, args):
    body = json.dumps({"session_id": session_id, "tool": tool, "args": args}).encode()
    headers = {"Content-Type": "application/json", "api_key": key}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        for name, data in events(answer):
            if name in ("result", "error"):
                return name, json.loads(data)
    raise RuntimeError("the answer ended without a result")


with open_stream() as stream:
    told = events(stream)
    session_id = tools = None
    while session_id is None or tools is None:
        name, data = next(told)
        if name == "endpoint":
            session_id = parse_qs(urlsplit(urljoin(url, data)).query)["session_id"][0]
        elif name == "tools":
            tools = json.loads(data)
    _, echo = call(session_id, "echo", {"message": "hé"})
    _, failed = call(session_id, "fail", {})
    kind, unknown = call(session_id, "no_such_tool", {})
    call(session_id, "grow", {})
    grown = None
    while grown is None:
        name, data = next(told)
        if name == "tools":
            grown = json.loads(data)
    print(
        json.dumps(
            {
                "tools": sorted(tool["name"] for tool in tools),
                "schema": next(t for t in tools if t["name"] == "echo")["input_schema"]["required"],
                "echo": echo["content"][0]["text"],
                "failed": failed["content"][0]["text"] if failed.get("isError") else "no error",
                "unknown": [kind, list(unknown)],
                "grown": sorted(tool["name"] for tool in grown),
            }
        )
    )
