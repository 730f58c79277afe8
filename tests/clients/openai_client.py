#!/usr/bin/env python3
"""Drives the stock OpenAI Python SDK through one scenario and prints one JSON line per check.

    openai_client.py SCENARIO MODEL       scenarios: text tools schema image demo errors quota

The endpoint and the key come from OPENAI_BASE_URL and OPENAI_API_KEY, as the SDK itself reads them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import openai
from openai import DefaultHttpxClient, OpenAI
from pydantic import BaseModel

Check = Callable[[], dict[str, Any] | None]

ASSISTANT = "Python"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


class Weather(BaseModel):
    city: str
    degrees: int


class CountingClient:
    """The stock SDK with its documented request hook, which counts what really left the process."""

    def __init__(self, **options: Any) -> None:
        self.sent = 0
        http = DefaultHttpxClient(event_hooks={"request": [self._count]})
        self.sdk = OpenAI(http_client=http, **options)

    def _count(self, _request: object) -> None:
        self.sent += 1


def require(condition: object, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def counted(usage: Any) -> dict[str, int]:
    require(usage is not None, "the answer has no usage")
    require(usage.prompt_tokens > 0 and usage.completion_tokens > 0, f"usage is empty: {usage}")
    require(usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, f"usage does not add up: {usage}")
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    return {"input": usage.prompt_tokens, "cached": cached or 0, "output": usage.completion_tokens}


def collect(chunks: Iterator[Any]) -> dict[str, Any]:
    """One streamed choice put together: text, tool calls, finish reason, usage and the number of text deltas."""
    whole: dict[str, Any] = {"text": "", "calls": {}, "finish": None, "usage": None, "deltas": 0, "model": None}
    for chunk in chunks:
        require(chunk.object == "chat.completion.chunk", f"not a chunk: {chunk.object}")
        whole["model"] = chunk.model
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


def text_scenario(client: OpenAI, model: str) -> dict[str, Check]:
    def plain() -> dict[str, Any]:
        answer = client.chat.completions.create(
            model=model, messages=user(f"Say hello to {ASSISTANT}."), max_tokens=24, temperature=0
        )
        choice = answer.choices[0]
        require(choice.message.role == "assistant", f"role is {choice.message.role}")
        require(choice.message.content, "no text")
        require(choice.finish_reason in ("stop", "length"), f"finish_reason is {choice.finish_reason}")
        require(answer.id and answer.created and answer.model, "id, created or model is missing")
        return {"usage": counted(answer.usage), "text": choice.message.content}

    def streamed() -> dict[str, Any]:
        whole = collect(
            client.chat.completions.create(
                model=model,
                messages=user(f"Say hello to {ASSISTANT}, and then to the streams."),
                max_completion_tokens=32,
                temperature=0,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        require(whole["text"] and whole["deltas"] > 1, f"not a stream of text: {whole}")
        require(whole["finish"] in ("stop", "length"), f"finish_reason is {whole['finish']}")
        return {"usage": counted(whole["usage"]), "text": whole["text"]}

    return {"plain chat": plain, "streamed chat": streamed}


def ask_with_tools(client: OpenAI, model: str, messages: list[Any], stream: bool) -> dict[str, Any]:
    request: dict[str, Any] = {"model": model, "messages": messages, "tools": [WEATHER], "max_tokens": 64}
    if stream:
        options = {"include_usage": True}
        return collect(client.chat.completions.create(**request, stream=True, stream_options=options))
    answer = client.chat.completions.create(**request)
    choice = answer.choices[0]
    calls = {
        index: {"id": call.id, "name": call.function.name, "arguments": call.function.arguments}
        for index, call in enumerate(choice.message.tool_calls or [])
    }
    return {"text": choice.message.content, "calls": calls, "finish": choice.finish_reason, "usage": answer.usage}


def tools_scenario(client: OpenAI, model: str) -> dict[str, Check]:
    def two_steps(stream: bool) -> None:
        messages = user(f"What is the weather in Oslo, {ASSISTANT}{' in a stream' if stream else ''}?")
        first = ask_with_tools(client, model, messages, stream)
        require(first["finish"] == "tool_calls", f"finish_reason is {first['finish']}: {first}")
        require(list(first["calls"]) == [0], f"expected one tool call: {first['calls']}")
        call = first["calls"][0]
        require(call["id"] and call["name"] == "get_weather", f"wrong call: {call}")
        require(isinstance(json.loads(call["arguments"]), dict), f"arguments are no object: {call}")
        counted(first["usage"])
        asked = {"id": call["id"], "type": "function", "function": {k: call[k] for k in ("name", "arguments")}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [asked]},
            {"role": "tool", "tool_call_id": call["id"], "content": "7 degrees, dry"},
        ]
        second = ask_with_tools(client, model, messages, stream)
        require(second["finish"] == "stop" and second["text"], f"no final answer: {second}")
        require(not second["calls"], f"called again: {second['calls']}")

    return {"plain tool call": lambda: two_steps(False), "streamed tool call": lambda: two_steps(True)}


def schema_scenario(client: OpenAI, model: str) -> dict[str, Check]:
    def parsed() -> None:
        answer = client.chat.completions.parse(
            model=model, messages=user(f"The weather in Oslo as JSON, {ASSISTANT}"), response_format=Weather
        )
        require(answer.choices[0].message.parsed == Weather(city="Oslo", degrees=7), f"parsed: {answer}")

    return {"structured output": parsed}


def image_scenario(client: OpenAI, model: str) -> dict[str, Check]:
    def described() -> None:
        parts = [
            {"type": "text", "text": f"What is in the picture, {ASSISTANT}?"},
            {"type": "image_url", "image_url": {"url": PIXEL}},
        ]
        answer = client.chat.completions.create(model=model, messages=[{"role": "user", "content": parts}])
        require(answer.choices[0].message.content == "A single pixel.", f"answer: {answer}")

    return {"image input": described}


def demo_scenario(client: OpenAI, model: str) -> dict[str, Check]:
    def models() -> None:
        found = list(client.models.list())
        require(found and all(entry.id and entry.object == "model" for entry in found), f"models: {found}")

    def schema_request() -> None:
        schema = {"name": "weather", "strict": True, "schema": Weather.model_json_schema()}
        answer = client.chat.completions.create(
            model=model,
            messages=user(f"The weather, {ASSISTANT}"),
            response_format={"type": "json_schema", "json_schema": schema},
        )
        require(answer.choices[0].message.content, f"no text: {answer}")

    def two_choices() -> None:
        answer = client.chat.completions.create(model=model, messages=user(f"Twice, {ASSISTANT}"), n=2, max_tokens=8)
        require([choice.index for choice in answer.choices] == [0, 1], f"choices: {answer.choices}")

    def repeated() -> None:
        request: dict[str, Any] = {"model": model, "messages": user(f"Again, {ASSISTANT}"), "temperature": 0}
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


def expect(kind: type[openai.APIError], body: Callable[[], object]) -> openai.APIError:
    try:
        body()
    except openai.APIError as error:
        require(type(error) is kind, f"expected {kind.__name__}, got {type(error).__name__}: {error}")
        return error
    raise AssertionError(f"expected {kind.__name__}, got an answer")


def errors_scenario(_client: OpenAI, model: str) -> dict[str, Check]:
    def ask(client: OpenAI, **request: Any) -> Any:
        return client.chat.completions.create(messages=user(f"An error for {ASSISTANT}"), **request)

    def bad_key() -> None:
        client = CountingClient(api_key="tg_unknown_0000000000000000")
        error = expect(openai.AuthenticationError, lambda: ask(client.sdk, model=model))
        require(error.body and client.sent == 1, f"{client.sent} attempts, body {error.body}")

    def unknown_model() -> None:
        client = CountingClient()
        error = expect(openai.NotFoundError, lambda: ask(client.sdk, model="demo-nowhere/none"))
        require("demo-nowhere/none" in str(error) and client.sent == 1, f"{client.sent} attempts: {error}")

    def bad_request() -> None:
        client = CountingClient()
        error = expect(openai.BadRequestError, lambda: ask(client.sdk, model=model, max_tokens=-1))
        require(error.param == "max_tokens" and client.sent == 1, f"param {error.param}, {client.sent} attempts")

    def cut_stream() -> None:
        client = CountingClient()
        seen: list[str] = []

        def consume() -> None:
            for chunk in ask(client.sdk, model="demo/cut-3", stream=True):
                for choice in chunk.choices:
                    require(choice.finish_reason is None, f"a finish_reason was made up: {choice}")
                    seen.append(choice.delta.content or "")

        expect(openai.APIError, consume)
        require("".join(seen) and client.sent == 1, f"{client.sent} attempts, text {seen}")

    return {
        "bad key is AuthenticationError": bad_key,
        "unknown model is NotFoundError": unknown_model,
        "bad field is BadRequestError": bad_request,
        "cut stream is APIError": cut_stream,
    }


def quota_scenario(_client: OpenAI, model: str) -> dict[str, Check]:
    def refused(stream: bool) -> None:
        client = CountingClient()
        body = lambda: client.sdk.chat.completions.create(
            model=model, messages=user(f"Too dear, {ASSISTANT}"), max_tokens=64, stream=stream
        )
        error = expect(openai.APIStatusError, body)
        require(isinstance(error, openai.APIStatusError) and error.status_code == 402, f"status: {error}")
        require(error.code == "quota_exceeded", f"code is {error.code}")
        require(client.sent == 1, f"{client.sent} attempts")

    return {"quota is 402, once": lambda: refused(False), "streamed quota is 402, once": lambda: refused(True)}


SCENARIOS: dict[str, Callable[[OpenAI, str], dict[str, Check]]] = {
    "text": text_scenario,
    "tools": tools_scenario,
    "schema": schema_scenario,
    "image": image_scenario,
    "demo": demo_scenario,
    "errors": errors_scenario,
    "quota": quota_scenario,
}


def main() -> None:
    scenario, model = sys.argv[1:3]
    for name, check in SCENARIOS[scenario](OpenAI(), model).items():
        result: dict[str, Any] = {"check": name, "ok": True}
        try:
            result |= check() or {}
        except Exception as error:  # every fault of a check is a result to report
            result |= {"ok": False, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
