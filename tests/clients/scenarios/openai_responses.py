#!/usr/bin/env python3
"""The stock OpenAI Python SDK: Responses.

scenarios: text text-stream order tools tools-stream schema image reasoning errors quota
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import checks
import openai
from checks import CLIENT, Check, Weather, expect, require, small
from openai import OpenAI
from openai_common import counting, errors, quota

FUNCTION = {
    "type": "function",
    "name": checks.TOOL,
    "description": checks.TOOL_TEXT,
    "parameters": checks.TOOL_PARAMETERS,
    "strict": False,
}
SAMPLING: dict[str, Any] = {"max_output_tokens": 64, "temperature": 0, "store": False}
BRIEF = SAMPLING | {"max_output_tokens": 24, "instructions": checks.SYSTEM}
FORMAT = {
    "type": "json_schema",
    "name": "weather",
    "strict": True,
    "schema": Weather.model_json_schema() | {"additionalProperties": False},
}


def counted(usage: Any) -> None:
    require(usage is not None, "the response has no usage")
    require(usage.total_tokens == usage.input_tokens + usage.output_tokens, f"usage does not add up: {usage}")
    cached = usage.input_tokens_details.cached_tokens if usage.input_tokens_details else 0
    checks.used(input=usage.input_tokens, cached=cached, output=usage.output_tokens)


def finished(response: Any) -> Any:
    """Checks what holds of every response and notes its usage."""
    require(response.object == "response" and response.id and response.model, f"not a response: {response}")
    cut = response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens"
    require(cut or response.status == "completed", f"status is {response.status}")
    require(response.error is None, f"error: {response.error}")
    counted(response.usage)
    return response


def created(**request: Any) -> Any:
    return finished(OpenAI().responses.create(**request))


def streamed(**request: Any) -> list[Any]:
    return list(OpenAI().responses.create(stream=True, **request))


def whole(**request: Any) -> Any:
    """The final response of the SDK's stream helper, which puts the deltas together by their indexes."""
    with OpenAI().responses.stream(**request) as events:
        cut = None
        for event in events:
            require(event.type != "error", f"an error event: {event}")
            cut = event.response if event.type == "response.incomplete" else cut
        # The helper knows no final response that was cut off, as the real model's may be.
        return finished(cut or events.get_final_response())


def text_scenario(model: str) -> dict[str, Check]:
    def plain() -> None:
        answer = created(model=model, input=checks.hello(False), **BRIEF)
        checks.require_hello(model, answer.output_text)

    return {"plain": plain}


def text_stream_scenario(model: str) -> dict[str, Check]:
    def events() -> None:
        stream = streamed(model=model, input=checks.hello(True), **BRIEF)
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        require(stream[0].type == "response.created", f"begins with {stream[0].type}")
        require(stream[-1].type in ("response.completed", "response.incomplete"), f"ends with {stream[-1].type}")
        require(len(deltas) > 1, f"not a stream of text: {deltas}")
        response = finished(stream[-1].response)
        checks.require_hello(model, response.output_text)
        require("".join(deltas) == response.output_text, f"{deltas} is not {response.output_text!r}")

    def helper() -> None:
        messages = [{"role": "user", "content": checks.hello(True) + " Again."}]
        checks.require_hello(model, whole(model=model, input=messages, **BRIEF).output_text)

    return {"events": events, "helper": helper}


def order_scenario(model: str) -> dict[str, Check]:
    def numbered() -> None:
        stream = streamed(model=model, input=checks.hello(True) + " In order.", **BRIEF)
        numbers = [event.sequence_number for event in stream]
        require(numbers == list(range(len(stream))), f"sequence numbers: {numbers}")
        items = {event.item.id for event in stream if event.type == "response.output_item.added"}
        for event in stream:
            if event.type == "response.output_text.delta":
                require(event.item_id in items, f"a delta of an unknown item: {event}")
                require(isinstance(event.output_index, int) and event.content_index == 0, f"indexes: {event}")
        finished(stream[-1].response)

    return {"every event is numbered and placed": numbered}


def ask_with_tools(model: str, history: list[Any], stream: bool, **more: Any) -> Any:
    request: dict[str, Any] = {"model": model, "input": history, "tools": [FUNCTION], **SAMPLING, **more}
    return whole(**request) if stream else created(**request)


def two_steps(model: str, stream: bool) -> None:
    history: list[Any] = [{"role": "user", "content": checks.weather(stream)}]
    forced = {"tool_choice": "required", "parallel_tool_calls": False} if small(model) else {}
    first = ask_with_tools(model, history, stream, **forced)
    calls = [item for item in first.output if item.type == "function_call"]
    require(len(calls) == 1 and first.status == "completed", f"expected one function call: {first.output}")
    call = calls[0]
    checks.require_call(model, call.call_id, call.name, json.loads(call.arguments))
    output = {"type": "function_call_output", "call_id": call.call_id, "output": checks.TOOL_RESULT}
    # What came out goes back in as it is, the way the SDK's own examples do it.
    second = ask_with_tools(model, [*history, *first.output, output], stream)
    # A model of this size may call again; what it is sent and says arrives all the same.
    if small(model) and any(item.type == "function_call" for item in second.output):
        return
    require(all(item.type != "function_call" for item in second.output), f"called again: {second.output}")
    checks.require_answer(model, second.output_text)


def tools_scenario(model: str) -> dict[str, Check]:
    return {"two steps": partial(two_steps, model, False)}


def tools_stream_scenario(model: str) -> dict[str, Check]:
    return {"two steps": partial(two_steps, model, True)}


def schema_scenario(model: str) -> dict[str, Check]:
    def parsed() -> None:
        answer = OpenAI().responses.parse(model=model, input=checks.as_json(), text_format=Weather, **SAMPLING)
        checks.require_weather(model, finished(answer).output_parsed)

    def raw() -> None:
        question = checks.as_json() + " By hand."
        answer = created(model=model, input=question, text={"format": FORMAT}, **SAMPLING)
        checks.require_weather(model, Weather.model_validate_json(answer.output_text))

    def stream() -> None:
        answer = whole(model=model, input=checks.as_json(True), text_format=Weather, **SAMPLING)
        checks.require_weather(model, answer.output_parsed)

    return {"parsed": parsed, "text.format": raw, "parsed stream": stream}


def image_scenario(model: str) -> dict[str, Check]:
    def described() -> None:
        image = {"type": "input_image", "image_url": checks.PIXEL_URL, "detail": "auto"}
        parts = [{"type": "input_text", "text": checks.picture()}, image]
        answer = created(model=model, input=[{"role": "user", "content": parts}], **SAMPLING)
        require(answer.output_text == "A single pixel.", f"answer: {answer}")

    return {"input": described}


def reasoning_scenario(model: str) -> dict[str, Check]:
    def carried(stream: bool) -> None:
        """A model that thinks aloud is understood, and its reasoning items are accepted when they come back."""
        history: list[Any] = [{"role": "user", "content": checks.riddle(stream)}]
        request = {"model": model, **SAMPLING}
        ask = whole if stream else created
        first = ask(input=history, **request)
        require({item.type for item in first.output} <= {"reasoning", "message"}, f"output: {first.output}")
        require(first.output_text == "It is seven.", f"text: {first.output_text!r}")
        again = {"role": "user", "content": checks.hello(stream)}
        second = created(input=[*history, *first.output, again], **request)
        checks.require_hello(model, second.output_text)

    return {"plain": partial(carried, False), "streamed": partial(carried, True)}


def ask(client: OpenAI, **request: Any) -> Any:
    return client.responses.create(input=f"An error for {CLIENT}", **request)


def errors_scenario(model: str) -> dict[str, Check]:
    def cut_stream() -> None:
        client = counting()
        kinds: list[str] = []
        try:
            kinds.extend(event.type for event in ask(client.sdk, model="demo/cut-3", stream=True))
        except openai.APIError:
            # The SDK makes an exception of an event with an `error` in it, and hands on every other.
            kinds.append("error")
        require("response.output_text.delta" in kinds, f"no text before the cut: {kinds}")
        require(kinds[-1] in ("error", "response.failed"), f"the end is {kinds[-1]}")
        require("response.completed" not in kinds and client.sent == 1, f"{client.sent} attempts: {kinds}")

    def cut_helper() -> None:
        with OpenAI().responses.stream(model="demo/cut-3", input=f"Another error for {CLIENT}") as events:
            # A RuntimeError of the SDK's where the end is missing, an APIError where the event became one.
            expect(Exception, events.get_final_response, exactly=False)

    return errors(ask, model, "max_output_tokens") | {
        "cut stream ends in a failure": cut_stream,
        "cut stream has no final response": cut_helper,
    }


def quota_scenario(model: str) -> dict[str, Check]:
    return quota(ask, model, "max_output_tokens")


if __name__ == "__main__":
    checks.run(
        {
            "text": text_scenario,
            "text-stream": text_stream_scenario,
            "order": order_scenario,
            "tools": tools_scenario,
            "tools-stream": tools_stream_scenario,
            "schema": schema_scenario,
            "image": image_scenario,
            "reasoning": reasoning_scenario,
            "errors": errors_scenario,
            "quota": quota_scenario,
        }
    )
