#!/usr/bin/env python3
"""The stock Anthropic Python SDK.

scenarios: text tools schema image thinking count models errors quota
"""

from __future__ import annotations

from functools import partial
from typing import Any

import anthropic
import checks
from anthropic import Anthropic, DefaultHttpxClient
from checks import CLIENT, Check, Counting, Weather, expect, require, small

FUNCTION = {"name": checks.TOOL, "description": checks.TOOL_TEXT, "input_schema": checks.TOOL_PARAMETERS}
# The SDK itself no longer knows temperatures; a model as small as the real one needs the lowest.
COLD = {"extra_body": {"temperature": 0}}
SAMPLING: dict[str, Any] = {"max_tokens": 64, **COLD}
counting = partial(Counting, Anthropic, DefaultHttpxClient)


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def finished(message: Any, *reasons: str) -> Any:
    """Checks what holds of every message and notes its usage."""
    require(message.type == "message" and message.role == "assistant", f"not a message: {message}")
    require(message.id and message.model, "id or model is missing")
    require(message.stop_reason in (reasons or ("end_turn", "max_tokens")), f"stop_reason is {message.stop_reason}")
    usage = message.usage
    # Unlike OpenAI's, these input tokens leave the cached ones out.
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    checks.used(input=usage.input_tokens + read + written, cached=read, output=usage.output_tokens)
    return message


def text_of(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def text_scenario(model: str) -> dict[str, Check]:
    client = Anthropic()
    request: dict[str, Any] = {"model": model, "max_tokens": 24, "system": checks.SYSTEM, **COLD}

    def plain() -> None:
        answer = client.messages.create(messages=user(checks.hello(False)), **request)
        checks.require_hello(model, text_of(finished(answer)))

    def events() -> None:
        stream = list(client.messages.create(messages=user(checks.hello(True)), stream=True, **request))
        kinds = [event.type for event in stream]
        require(kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"], f"events: {kinds}")
        require(kinds.count("content_block_start") == kinds.count("content_block_stop") == 1, f"events: {kinds}")
        deltas = [event.delta.text for event in stream if event.type == "content_block_delta"]
        require(len(deltas) > 1, f"not a stream of text: {deltas}")
        checks.require_hello(model, "".join(deltas))
        start, end = stream[0].message, stream[-2]
        # Upstreams of other dialects tell the input only at the end, and the end is what counts.
        for name, tokens in end.usage.model_dump(exclude_none=True).items():
            setattr(start.usage, name, tokens or getattr(start.usage, name))
        start.stop_reason = end.delta.stop_reason
        finished(start)

    def helper() -> None:
        blocks = [{"type": "text", "text": checks.hello(True)}, {"type": "text", "text": " Again."}]
        with client.messages.stream(messages=user(blocks), **request) as stream:
            deltas = list(stream.text_stream)
            answer = finished(stream.get_final_message())
        checks.require_hello(model, text_of(answer))
        require("".join(deltas) == text_of(answer), f"{deltas} is not {text_of(answer)!r}")

    return {"plain": plain, "streamed events": events, "stream helper": helper}


def ask_with_tools(model: str, messages: list[Any], stream: bool, **more: Any) -> Any:
    request: dict[str, Any] = {"model": model, "messages": messages, "tools": [FUNCTION], **SAMPLING, **more}
    if not stream:
        return Anthropic().messages.create(**request)
    with Anthropic().messages.stream(**request) as events:
        return events.get_final_message()


def two_steps(model: str, stream: bool) -> None:
    messages = user(checks.weather(stream))
    choice = {"tool_choice": {"type": "any", "disable_parallel_tool_use": True}} if small(model) else {}
    first = finished(ask_with_tools(model, messages, stream, **choice), "tool_use")
    calls = [block for block in first.content if block.type == "tool_use"]
    require(len(calls) == 1, f"expected one tool call: {first.content}")
    checks.require_call(model, calls[0].id, calls[0].name, calls[0].input)
    result = {"type": "tool_result", "tool_use_id": calls[0].id, "content": checks.TOOL_RESULT}
    messages += [{"role": "assistant", "content": first.content}, *user([result])]
    # A model of this size may call again; what it is sent and says arrives all the same.
    reasons = ("end_turn", "max_tokens", *(["tool_use"] if small(model) else []))
    second = finished(ask_with_tools(model, messages, stream), *reasons)
    if second.stop_reason == "tool_use":
        return
    require(all(block.type != "tool_use" for block in second.content), f"called again: {second.content}")
    checks.require_answer(model, text_of(second))


def tools_scenario(model: str) -> dict[str, Check]:
    return {"plain": partial(two_steps, model, False), "streamed": partial(two_steps, model, True)}


def schema_scenario(model: str) -> dict[str, Check]:
    def parsed() -> None:
        answer = Anthropic().messages.parse(
            model=model, messages=user(checks.as_json()), output_format=Weather, **SAMPLING
        )
        checks.require_weather(model, finished(answer).parsed_output)

    return {"parsed": parsed}


def image_scenario(model: str) -> dict[str, Check]:
    def described() -> None:
        source = {"type": "base64", "media_type": "image/png", "data": checks.PIXEL}
        parts = [{"type": "image", "source": source}, {"type": "text", "text": checks.picture()}]
        answer = finished(Anthropic().messages.create(model=model, messages=user(parts), max_tokens=16))
        require(text_of(answer) == "A single pixel.", f"answer: {answer}")

    return {"input": described}


def thinking_scenario(model: str) -> dict[str, Check]:
    def carried(stream: bool) -> None:
        """What the model thought aloud is understood, and accepted when it comes back."""
        messages = user(checks.riddle(stream))
        request = {"model": model, "max_tokens": 2048, "thinking": {"type": "enabled", "budget_tokens": 1024}}
        client = Anthropic()
        if stream:
            with client.messages.stream(messages=messages, **request) as events:
                first = finished(events.get_final_message())
        else:
            first = finished(client.messages.create(messages=messages, **request))
        require({block.type for block in first.content} <= {"thinking", "text"}, f"content: {first.content}")
        require(text_of(first) == "It is seven.", f"content: {first.content}")
        messages += [{"role": "assistant", "content": first.content}, *user(checks.hello(stream))]
        checks.require_hello(model, text_of(finished(client.messages.create(messages=messages, **request))))

    return {"plain": partial(carried, False), "streamed": partial(carried, True)}


def count_scenario(model: str) -> dict[str, Check]:
    def counted() -> None:
        def count(text: str, **more: Any) -> int:
            return int(Anthropic().messages.count_tokens(model=model, messages=user(text), **more).input_tokens)

        short, long = count(checks.hello(False)), count(checks.hello(False) + " Take your time, there is no hurry.")
        require(0 < short < long, f"{short} tokens of a short text, {long} of a longer one")
        require(count(checks.hello(False), system=checks.SYSTEM * 8, tools=[FUNCTION]) > short, "tools count nothing")

    return {"more text, more tokens": counted}


def models_scenario(model: str) -> dict[str, Check]:
    def listed() -> None:
        found = list(Anthropic().models.list())
        require(found and all(entry.type == "model" and entry.id for entry in found), f"models: {found}")
        require(all(entry.display_name and entry.created_at for entry in found), f"models: {found}")
        require(model in [entry.id for entry in found], f"{model} is not among {[entry.id for entry in found]}")

    return {"list": listed}


def ask(client: Counting, **request: Any) -> Any:
    return client.sdk.messages.create(messages=user(f"An error for {CLIENT}"), **({"max_tokens": 64} | request))


def errors_scenario(model: str) -> dict[str, Check]:
    def bad_key() -> None:
        client = counting(api_key=checks.UNKNOWN_KEY)
        error = expect(anthropic.AuthenticationError, lambda: ask(client, model=model))
        require(error.body["error"]["type"] == "authentication_error" and client.sent == 1, f"body {error.body}")

    def unknown_model() -> None:
        client = counting()
        error = expect(anthropic.NotFoundError, lambda: ask(client, model=checks.UNKNOWN_MODEL))
        require(checks.UNKNOWN_MODEL in str(error) and client.sent == 1, f"{client.sent} attempts: {error}")

    def bad_request() -> None:
        client = counting()
        error = expect(anthropic.BadRequestError, lambda: ask(client, model=model, max_tokens=-1))
        require("max_tokens" in error.body["error"]["message"] and client.sent == 1, f"body {error.body}")

    def cut_stream() -> None:
        client = counting()
        seen: list[str] = []

        def consume() -> None:
            for event in ask(client, model="demo/cut-3", stream=True):
                require(event.type not in ("message_delta", "message_stop"), f"an end was made up: {event}")
                seen.extend([event.delta.text] if event.type == "content_block_delta" else [])

        expect(anthropic.APIError, consume, exactly=False)
        require("".join(seen) and client.sent == 1, f"{client.sent} attempts, text {seen}")

    return {
        "bad key is AuthenticationError": bad_key,
        "unknown model is NotFoundError": unknown_model,
        "bad field is BadRequestError": bad_request,
        "cut stream is APIError": cut_stream,
    }


def quota_scenario(model: str) -> dict[str, Check]:
    def refused(stream: bool) -> None:
        client = counting()
        error = expect(anthropic.PaymentRequiredError, lambda: ask(client, model=model, stream=stream))
        require(error.status_code == 402 and client.sent == 1, f"{error.status_code} after {client.sent} attempts")

    return {"402, once": partial(refused, False), "streamed 402, once": partial(refused, True)}


if __name__ == "__main__":
    checks.run(
        {
            "text": text_scenario,
            "tools": tools_scenario,
            "schema": schema_scenario,
            "image": image_scenario,
            "thinking": thinking_scenario,
            "count": count_scenario,
            "models": models_scenario,
            "errors": errors_scenario,
            "quota": quota_scenario,
        }
    )
