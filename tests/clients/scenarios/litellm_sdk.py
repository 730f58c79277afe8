#!/usr/bin/env python3
"""LiteLLM's Python SDK, over its `openai/` and its `anthropic/` provider.

scenarios: {openai,anthropic}-{text,tools,schema} embeddings
"""

from __future__ import annotations

import json
import os
from functools import partial
from typing import Any

import checks
import litellm
from checks import Check, Scenario, Weather, require, small

FUNCTION = {
    "type": "function",
    "function": {"name": checks.TOOL, "description": checks.TOOL_TEXT, "parameters": checks.TOOL_PARAMETERS},
}


def endpoint(provider: str) -> dict[str, str]:
    name = provider.upper()
    return {"api_base": os.environ[f"{name}_BASE_URL"], "api_key": os.environ[f"{name}_API_KEY"]}


def counted(usage: Any) -> None:
    require(usage is not None, "the answer has no usage")
    details = usage.prompt_tokens_details
    checks.used(
        input=usage.prompt_tokens, cached=details.cached_tokens if details else 0, output=usage.completion_tokens
    )


def ask(provider: str, model: str, stream: bool, messages: list[Any], **more: Any) -> Any:
    """The whole answer; a stream is put together by LiteLLM itself."""
    request = {"model": f"{provider}/{model}", "messages": messages, "temperature": 0, **more}
    request |= endpoint(provider)
    if not stream:
        answer = litellm.completion(**request)
    else:
        chunks = list(litellm.completion(**request, stream=True, stream_options={"include_usage": True}))
        require(len(chunks) > 2, f"not a stream: {chunks}")
        answer = litellm.stream_chunk_builder(chunks, messages=messages)
    counted(answer.usage)
    return answer.choices[0]


def user(text: str) -> list[Any]:
    return [{"role": "user", "content": text}]


def hello(provider: str, model: str, stream: bool) -> None:
    messages = [{"role": "system", "content": checks.SYSTEM}, *user(f"{checks.hello(stream)} By {provider}.")]
    choice = ask(provider, model, stream, messages, max_tokens=24)
    require(choice.finish_reason in ("stop", "length"), f"finish_reason is {choice.finish_reason}")
    checks.require_hello(model, choice.message.content)


def two_steps(provider: str, model: str, stream: bool) -> None:
    request: dict[str, Any] = {"tools": [FUNCTION], "max_tokens": 64}
    forced = {"tool_choice": "required", "parallel_tool_calls": False} if small(model) else {}
    messages = user(checks.weather(stream))
    first = ask(provider, model, stream, messages, **request, **forced)
    calls = first.message.tool_calls or []
    require(first.finish_reason == "tool_calls" and len(calls) == 1, f"expected one tool call: {first}")
    function = calls[0].function
    checks.require_call(model, calls[0].id, function.name, json.loads(function.arguments))
    result = {"role": "tool", "tool_call_id": calls[0].id, "content": checks.TOOL_RESULT}
    second = ask(provider, model, stream, [*messages, first.message.model_dump(), result], **request)
    # A model of this size may call again; what it is sent and says arrives all the same.
    if not (small(model) and second.message.tool_calls):
        require(not second.message.tool_calls, f"called again: {second}")
        checks.require_answer(model, second.message.content)


def structured(provider: str, model: str) -> None:
    choice = ask(provider, model, False, user(checks.as_json()), max_tokens=64, response_format=Weather)
    checks.require_weather(model, Weather.model_validate_json(choice.message.content))


def scenarios(provider: str) -> dict[str, Scenario]:
    def both(body: Any) -> Scenario:
        return lambda model: {
            "plain": partial(body, provider, model, False),
            "streamed": partial(body, provider, model, True),
        }

    return {
        f"{provider}-text": both(hello),
        f"{provider}-tools": both(two_steps),
        f"{provider}-schema": lambda model: {"response_format": partial(structured, provider, model)},
    }


def embeddings(model: str) -> dict[str, Check]:
    def embed() -> None:
        texts = [checks.prompt("A text"), "Something else"]
        answer = litellm.embedding(model=f"openai/{model}", input=texts, **endpoint("openai"))
        checks.used(input=answer.usage.prompt_tokens, cached=0, output=0)
        vectors = [entry["embedding"] for entry in answer.data]
        require(len(vectors) == 2 and vectors[0] != vectors[1], "not two vectors for two texts")
        require(all(vector and isinstance(vector[0], float) for vector in vectors), "not vectors")

    return {"two texts": embed}


if __name__ == "__main__":
    checks.run({**scenarios("openai"), **scenarios("anthropic"), "embeddings": embeddings})
