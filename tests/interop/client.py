"""Runs the official MCP client against a connector: a URL, or a command that serves MCP on its standard output."""

import asyncio
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


def promise(what, holds, seen=""):
    print(f"{'ok' if holds else 'no'} {what}{'' if holds else f': {seen}'}")


async def ask(session):
    await session.initialize()
    tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    promise("lists the actions", list(tools) == ["greet", "sum", "share", "export", "fail"], list(tools))
    total = tools["sum"]
    promise("shows the limits of an argument", total.input_schema["properties"]["a"]["minimum"] == 0, total.input_schema)
    promise("shows what a result looks like", total.output_schema["properties"]["total"]["type"] == "integer", total.output_schema)
    promise("says what only reads", total.annotations.read_only_hint is True, total.annotations)
    promise("says what writes", tools["export"].annotations.read_only_hint is False, tools["export"].annotations)
    # This client raises an error if structured content does not match its schema.
    result = await session.call_tool("sum", {"a": 2, "b": 3})
    promise("returns structured content", result.structured_content == {"total": 5, "note": None}, result)
    result = await session.call_tool("greet", {"name": "Ann"})
    promise("returns a text", result.content[0].text == "hello Ann from the connector", result)
    result = await session.call_tool("export", {})
    promise("returns a file", result.content[0].resource.mime_type == "application/pdf", result)
    result = await session.call_tool("sum", {"a": -1, "b": 3})
    promise("refuses what breaks a limit", result.is_error is True, result)
    prompts = (await session.list_prompts()).prompts
    promise("lists the skills", [prompt.name for prompt in prompts] == ["greeting", "mcp:brief_by_hand"], prompts)
    prompt = await session.get_prompt("greeting")
    promise("tells a skill", prompt.messages[0].content.text == "Say hello.", prompt)


async def main(target):
    if target[0].startswith("http"):
        async with streamable_http_client(target[0]) as streams, ClientSession(*streams[:2]) as session:
            await ask(session)
    else:
        server = StdioServerParameters(command=target[0], args=target[1:])
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            await ask(session)


asyncio.run(main(sys.argv[1:]))
