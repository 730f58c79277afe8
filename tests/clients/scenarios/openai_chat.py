#!/usr/bin/env python3
"""The stock OpenAI Python SDK: chat completions.

scenarios: text tools schema image demo errors quota
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import checks
import openai
from checks import CLIENT, Check, Weather, expect, prompt, require, small
from openai import OpenAI
from openai_common import counting, errors, quota

FUNCTION = {
    "type": "function",
    "function": {"name": checks.TOOL, "description": checks.TOOL_TEXT, "parameters": checks.TOOL_PARAMETERS},
}
SAMPLING: dict[str, Any] = {"max_tokens": 64, "temperature": 0}


def user(content: Any) -> list[Any]:
    return [{"role": "user", "content": content}]


def counted(usage: Any) -> None:
    require(usage is not None, "the answer has no usage")
    require(usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, f"usage does not add up: {usage}")
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    checks.used(input=usage.prompt_tokens, cached=cached, output=usage.completion_tokens)


def collect(chunks: Iterator[Any]) -> dict[str, Any]:
    """One streamed choice put together: text, tool calls, finish reason, usage and the number of text deltas."""
    whole: dict[str, Any] = {"text": "", "calls": {}, "finish": None, "usage": None, "deltas": 0}
    for chunk in chunks:
        require(chunk.object == "chat.completion.chunk", f"not a chunk: {chunk.object}")
        whole["usage"] = chunk.usage or whole["usage"]
        for choice in chunk.choices:
            whole["finish"] = choice.finish_reason or whole["finish"]
            if choice.delta.content:
                whole["text"] += choice.delta.content
                whole["deltas"] += 1
            for part in choice.delta.tool_calls or []:
                call = whole["calls"].setdefault(part.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += part.id or ""
                call["name"] += part.function.name or ""
                call["arguments"] += part.function.arguments or ""
    return whole


def streamed(client: OpenAI, **request: Any) -> dict[str, Any]:
    options = {"include_usage": True}
    return collect(client.chat.completions.create(**request, stream=True, stream_options=options))


def text_scenario(model: str) -> dict[str, Check]:
    client = OpenAI()

    def plain() -> None:
        answer = client.chat.completions.create(
            model=model, messages=user(checks.hello(False)), max_tokens=24, temperature=0
        )
        choice = answer.choices[0]
        require(choice.message.role == "assistant", f"role is {choice.message.role}")
        checks.require_hello(model, choice.message.content)
        require(choice.finish_reason in ("stop", "length"), f"finish_reason is {choice.finish_reason}")
        require(answer.id and answer.created and answer.model, "id, created or model is missing")
        counted(answer.usage)

    def stream() -> None:
        messages = [{"role": "system", "content": checks.SYSTEM}, *user(checks.hello(True))]
        whole = streamed(client, model=model, messages=messages, max_completion_tokens=32, temperature=0)
        checks.require_hello(model, whole["text"])
        require(whole["deltas"] > 1, f"not a stream of text: {whole}")
        require(whole["finish"] in ("stop", "length"), f"finish_reason is {whole['finish']}")
        counted(whole["usage"])

    return {"plain": plain, "streamed": stream}


def ask_with_tools(model: str, messages: list[Any], stream: bool, **more: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"model": model, "messages": messages, "tools": [FUNCTION], **SAMPLING, **more}
    if stream:
        return streamed(OpenAI(), **request)
    answer = OpenAI().chat.completions.create(**request)
    choice = answer.choices[0]
    calls = {
        index: {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
        for index, call in enumerate(choice.message.tool_calls or [])
    }
    return {"text": choice.message.content, "calls": calls, "finish": choice.finish_reason, "usage": answer.usage}


def two_steps(model: str, stream: bool) -> None:
    messages = user(checks.weather(stream))
    forced = {"tool_choice": "required", "parallel_tool_calls": False} if small(model) else {}
    first = ask_with_tools(model, messages, stream, **forced)
    require(first["finish"] == "tool_calls", f"finish_reason is {first['finish']}: {first}")
    require(list(first["calls"]) == [0], f"expected one tool call: {first['calls']}")
    call = first["calls"][0]
    checks.require_call(model, call["id"], call["name"], json.loads(call["arguments"]))
    counted(first["usage"])
    asked = {"id": call["id"], "type": "function", "function": {k: call[k] for k in ("name", "arguments")}}
    messages += [
        {"role": "assistant", "content": None, "tool_calls": [asked]},
        {"role": "tool", "tool_call_id": call["id"], "content": checks.TOOL_RESULT},
    ]
    second = ask_with_tools(model, messages, stream)
    require(second["finish"] in ("stop", "length") and not second["calls"], f"no final answer: {second}")
    checks.require_answer(model, second["text"])
    counted(second["usage"])


def tools_scenario(model: str) -> dict[str, Check]:
    return {"plain": partial(two_steps, model, False), "streamed": partial(two_steps, model, True)}


def schema_scenario(model: str) -> dict[str, Check]:
    client = OpenAI()

    def parsed() -> None:
        answer = client.chat.completions.parse(
            model=model, messages=user(checks.as_json()), response_format=Weather, **SAMPLING
        )
        checks.require_weather(model, answer.choices[0].message.parsed)
        counted(answer.usage)

    def stream() -> None:
        with client.chat.completions.stream(
            model=model,
            messages=user(checks.as_json(True)),
            response_format=Weather,
            stream_options={"include_usage": True},
            **SAMPLING,
        ) as events:
            answer = events.get_final_completion()
        checks.require_weather(model, answer.choices[0].message.parsed)
        counted(answer.usage)

    return {"parsed": parsed, "parsed stream": stream}


def image_scenario(model: str) -> dict[str, Check]:
    def described() -> None:
        image = {"type": "image_url", "image_url": {"url": checks.PIXEL_URL}}
        parts = [{"type": "text", "text": checks.picture()}, image]
        answer = OpenAI().chat.completions.create(model=model, messages=user(parts), max_tokens=16)
        require(answer.choices[0].message.content == "A single pixel.", f"answer: {answer}")
        counted(answer.usage)

    return {"input": described}


def demo_scenario(model: str) -> dict[str, Check]:
    client = OpenAI()

    def models() -> None:
        found = list(client.models.list())
        require(found and all(entry.id and entry.object == "model" for entry in found), f"models: {found}")

    def schema_request() -> None:
        schema = {"name": "weather", "strict": True, "schema": Weather.model_json_schema()}
        answer = client.chat.completions.create(
            model=model,
            messages=user(checks.as_json()),
            response_format={"type": "json_schema", "json_schema": schema},
        )
        require(answer.choices[0].message.content, f"no text: {answer}")

    def two_choices() -> None:
        answer = client.chat.completions.create(model=model, messages=user(prompt("Twice")), n=2, max_tokens=8)
        require([choice.index for choice in answer.choices] == [0, 1], f"choices: {answer.choices}")

    def repeated() -> None:
        request: dict[str, Any] = {"model": model, "messages": user(prompt("Again")), "temperature": 0}
        first = client.chat.completions.with_raw_response.create(**request)
        again = client.chat.completions.with_raw_response.create(**request)
        states = [reply.headers.get("x-tollgate-cache") for reply in (first, again)]
        require(states == ["miss", "exact"], f"x-tollgate-cache: {states}")
        texts = [reply.parse().choices[0].message.content for reply in (first, again)]
        require(texts[0] and texts[0] == texts[1], f"the cached text differs: {texts}")
        replay = collect(client.chat.completions.create(**request, stream=True))
        require(replay["text"] == texts[0] and replay["finish"] == "stop", f"the replayed stream differs: {replay}")

    return {
        "models list": models,
        "structured output is accepted": schema_request,
        "two choices": two_choices,
        "exact cache hit": repeated,
    }


def ask(client: OpenAI, **request: Any) -> Any:
    return client.chat.completions.create(messages=user(f"An error for {CLIENT}"), **request)


def errors_scenario(model: str) -> dict[str, Check]:
    def cut_stream() -> None:
        client = counting()
        seen: list[str] = []

        def consume() -> None:
            for chunk in ask(client.sdk, model="demo/cut-3", stream=True):
                for choice in chunk.choices:
                    require(choice.finish_reason is None, f"a finish_reason was made up: {choice}")
                    seen.append(choice.delta.content or "")

        expect(openai.APIError, consume)
        require("".join(seen) and client.sent == 1, f"{client.sent} attempts, text {seen}")

    return errors(ask, model, "max_tokens") | {"cut stream is APIError": cut_stream}


def quota_scenario(model: str) -> dict[str, Check]:
    return quota(ask, model, "max_tokens")


if __name__ == "__main__":
    checks.run(
        {
            "text": text_scenario,
            "tools": tools_scenario,
            "schema": schema_scenario,
            "image": image_scenario,
            "demo": demo_scenario,
            "errors": errors_scenario,
            "quota": quota_scenario,
        }
    )
