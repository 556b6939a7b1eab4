"""The official Python SDK as a client of the gateway, in front of server-everything and server-filesystem.

Run by `cargo xtask e2e` once for each era: legacy handshake, and 2026-07-28, which the gateway bridges to these servers.
GATEWAY and KEY come from the environment, FOLDER is the folder that server-filesystem may show.
"""

import os
import sys

import anyio
from mcp import Client, MCPError
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

GATEWAY, KEY, FOLDER = (os.environ[name] for name in ("GATEWAY", "KEY", "FOLDER"))
MODE = sys.argv[1]
UNKNOWN = -32602


def connected(path: str) -> Client:
    http_client = create_mcp_http_client(headers={"Authorization": f"Bearer {KEY}"})
    return Client(streamable_http_client(GATEWAY + path, http_client=http_client), mode=MODE)


def text_of(result) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


def expect(found, wanted) -> None:
    assert found == wanted, f"{found!r} is not {wanted!r}"


async def expect_unknown(client: Client, tool: str) -> None:
    try:
        await client.call_tool(tool, {})
    except MCPError as error:
        expect(error.error.code, UNKNOWN)
    else:
        raise AssertionError(f"{tool} can be called")


async def everything() -> None:
    async with connected("/servers/everything/mcp") as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert {"echo", "get-sum"} <= set(tools), tools
        expect(text_of(await client.call_tool("echo", {"message": 'Grüße, "世界"'})), 'Echo: Grüße, "世界"')
        weather = await client.call_tool("get-structured-content", {"location": "Chicago"})
        expect(weather.structured_content["temperature"], 36)
        assert (await client.call_tool("get-sum", {"a": "two"})).is_error

        steps = []

        async def note(progress: float, total: float | None, message: str | None) -> None:
            steps.append((progress, total))

        arguments = {"duration": 0.3, "steps": 3}
        await client.call_tool("trigger-long-running-operation", arguments, progress_callback=note)
        expect(steps, [(1, 3), (2, 3), (3, 3)])

        read = await client.read_resource("demo://resource/dynamic/text/7")
        assert read.contents[0].text.startswith("Resource 7:"), read
        prompt = await client.get_prompt("args-prompt", {"city": "Lyon"})
        expect(prompt.messages[0].content.text, "What's weather in Lyon?")


async def files() -> None:
    async with connected("/servers/files/mcp") as client:
        tools = sorted(tool.name for tool in (await client.list_tools()).tools)
        expect(tools, ["list_directory", "read_text_file"])
        notes = await client.call_tool("read_text_file", {"path": f"{FOLDER}/notes.txt"})
        assert "billing service" in text_of(notes), notes
        assert (await client.call_tool("read_text_file", {"path": "/etc/hostname"})).is_error
        await expect_unknown(client, "write_file")


async def aggregate() -> None:
    async with connected("/mcp") as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert {"everything__echo", "files__read_text_file"} <= tools, tools
        assert "files__write_file" not in tools
        expect(text_of(await client.call_tool("everything__echo", {"message": "both"})), "Echo: both")
        await expect_unknown(client, "files__write_file")
        resources = (await client.list_resources()).resources
        read = await client.read_resource(resources[0].uri)
        expect(str(read.contents[0].uri), str(resources[0].uri))


async def main() -> None:
    for work in (everything, files, aggregate):
        await work()
        print(f"Python ({MODE}) {work.__name__}: as expected", flush=True)


anyio.run(main)
