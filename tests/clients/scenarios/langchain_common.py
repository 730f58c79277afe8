"""What LangChain's chat models have in common: text, two-step tool calls and structured output, whatever they speak."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import checks
from checks import Check, Weather, require, small
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

# Makes a chat model of a maximum of tokens.
Make = Callable[[int], Any]


@tool(checks.TOOL, description=checks.TOOL_TEXT)
def get_weather(city: str) -> str:
    return checks.TOOL_RESULT if city else ""


def counted(message: AIMessage) -> AIMessage:
    usage = message.usage_metadata
    require(usage is not None, "the answer has no usage")
    require(usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"], f"usage: {usage}")
    cached = usage.get("input_token_details", {}).get("cache_read", 0)
    checks.used(input=usage["input_tokens"], cached=cached, output=usage["output_tokens"])
    return message


def whole(chunks: Any) -> tuple[AIMessageChunk, int]:
    """The chunks added up, as LangChain does it, and how many of them brought text."""
    total: Any = None
    texts = 0
    for chunk in chunks:
        total = chunk if total is None else total + chunk
        texts += bool(chunk.text)
    require(total is not None, "an empty stream")
    return total, texts


def text(make: Make, model: str) -> dict[str, Check]:
    def plain() -> None:
        checks.require_hello(model, counted(make(24).invoke(checks.hello(False))).text)

    def streamed() -> None:
        messages = [SystemMessage(checks.SYSTEM), HumanMessage(checks.hello(True))]
        answer, texts = whole(make(24).stream(messages))
        require(texts > 1, f"not a stream of text: {answer}")
        checks.require_hello(model, counted(answer).text)

    return {"invoke": plain, "stream": streamed}


def two_steps(make: Make, model: str, stream: bool) -> None:
    def ask(messages: list[Any], **choice: Any) -> AIMessage:
        bound = make(64).bind_tools([get_weather], **choice)
        return counted(whole(bound.stream(messages))[0] if stream else bound.invoke(messages))

    messages: list[Any] = [HumanMessage(checks.weather(stream))]
    forced = {"tool_choice": "any", "parallel_tool_calls": False} if small(model) else {}
    first = ask(messages, **forced)
    require(len(first.tool_calls) == 1, f"expected one tool call: {first}")
    call = first.tool_calls[0]
    checks.require_call(model, call["id"], call["name"], call["args"])
    result = get_weather.invoke(call)
    require(isinstance(result, ToolMessage) and result.content == checks.TOOL_RESULT, f"result: {result!r}")
    second = ask([*messages, first, result])
    # A model of this size may call again; what it is sent and says arrives all the same.
    if small(model) and second.tool_calls:
        return
    require(not second.tool_calls, f"called again: {second}")
    checks.require_answer(model, second.text)


def tools(make: Make, model: str) -> dict[str, Check]:
    return {"invoke": partial(two_steps, make, model, False), "stream": partial(two_steps, make, model, True)}


def schema(make: Make, model: str, **options: Any) -> dict[str, Check]:
    def structured() -> None:
        bound = make(256).with_structured_output(Weather, include_raw=True, **options)
        answer = bound.invoke(checks.as_json())
        require(answer["parsing_error"] is None, f"parsing: {answer['parsing_error']}")
        counted(answer["raw"])
        checks.require_weather(model, answer["parsed"])

    return {"with_structured_output": structured}
