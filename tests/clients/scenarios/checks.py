"""What the Python scenarios share: prompts, checks, the usage they saw, and the loop that prints a JSON line a check.

    CLIENT.py MODEL SCENARIO...

Endpoints and keys come from the environment, as each SDK itself reads them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import BaseModel

Check = Callable[[], None]
Scenario = Callable[[str], dict[str, Check]]

# Part of every prompt, so that no client is answered from the exact cache of another.
CLIENT = Path(sys.argv[0]).stem
SYSTEM = "You are brief."
TOOL = "get_weather"
TOOL_TEXT = "The weather in a city"
TOOL_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL_RESULT = "7 degrees, dry"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
PIXEL_URL = f"data:image/png;base64,{PIXEL}"
UNKNOWN_KEY = "tg_unknown_0000000000000000"
UNKNOWN_MODEL = "demo-nowhere/none"

_usages: list[dict[str, int]] = []
_prompts = count(1)


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


def prompt(text: str, stream: bool = False) -> str:
    # Numbered, so that no route is answered from the exact cache of another.
    return f"{text}, {CLIENT} {next(_prompts)}{' in a stream' if stream else ''}?"


def hello(stream: bool) -> str:
    return prompt("Say hello", stream)


def weather(stream: bool) -> str:
    return prompt("What is the weather in Oslo", stream)


def as_json(stream: bool = False) -> str:
    return prompt("The weather in Oslo as JSON", stream)


def picture() -> str:
    return prompt("What is in the picture")


def riddle(stream: bool) -> str:
    return prompt("Think aloud: which is more, six or seven", stream)


def small(model: str) -> bool:
    """Whether this is the real model, which calls a tool only when made to."""
    return model.endswith("smollm2")


def known(model: str) -> bool:
    """Whether the words of aimock.json are what must come back."""
    return not small(model) and not model.startswith("demo/")


def require(condition: object, message: object) -> None:
    if not condition:
        raise AssertionError(message)


def used(*, input: int, cached: int | None, output: int) -> None:
    """Notes the usage of one request, for the audit to judge: `input` includes what was `cached`."""
    _usages.append({"input": input, "cached": cached or 0, "output": output})


def require_call(model: str, call_id: str | None, name: str, arguments: Any) -> None:
    require(call_id and name == TOOL, f"wrong call {call_id!r} of {name!r}")
    fits = isinstance(arguments, dict) and isinstance(arguments.get("city"), str)
    require(fits and (not known(model) or arguments == {"city": "Oslo"}), f"wrong arguments: {arguments!r}")


def require_hello(model: str, text: str | None) -> None:
    require(text, "no text")
    require(not known(model) or text.startswith("Hello from"), f"text: {text!r}")


def require_answer(model: str, text: str | None) -> None:
    require(text, "no final answer")
    require(not known(model) or text == "It is 7 degrees in Oslo.", f"final answer: {text!r}")


def require_weather(model: str, found: object) -> None:
    require(isinstance(found, Weather), f"not parsed: {found!r}")
    require(not known(model) or found == Weather(city="Oslo", degrees=7), f"parsed: {found!r}")


class Counting:
    """A stock SDK with its documented request hook, which counts what really left the process."""

    def __init__(self, sdk: Callable[..., Any], http: Callable[..., Any], **options: Any) -> None:
        self.sent = 0
        self.sdk = sdk(http_client=http(event_hooks={"request": [self._count]}), **options)

    def _count(self, _request: object) -> None:
        self.sent += 1


def expect(kind: type[Exception], body: Callable[[], object], *, exactly: bool = True) -> Any:
    try:
        body()
    except Exception as error:
        found = type(error) is kind if exactly else isinstance(error, kind)
        require(found, f"expected {kind.__name__}, got {type(error).__name__}: {error}")
        return error
    raise AssertionError(f"expected {kind.__name__}, got an answer")


def run(scenarios: dict[str, Scenario]) -> None:
    model, *names = sys.argv[1:]
    for scenario in names:
        for name, check in scenarios[scenario](model).items():
            _usages.clear()
            result: dict[str, Any] = {"check": f"{scenario}: {name}"}
            try:
                check()
            except Exception as error:  # every fault of a check is a result to report
                result["error"] = f"{type(error).__name__}: {error}"
            print(json.dumps(result | {"usages": _usages}), flush=True)
