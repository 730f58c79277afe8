"""How the OpenAI Python SDK must report what is refused, whichever of its routes is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import checks
import openai
from checks import Check, Counting, expect, require
from openai import DefaultHttpxClient, OpenAI

# Sends a request, given the client to send it with and what is wrong with it.
Ask = Callable[..., Any]
counting = partial(Counting, OpenAI, DefaultHttpxClient)


def refused(kind: type[Exception], ask: Ask, *, options: dict[str, Any] | None = None, **request: Any) -> Any:
    """The error of a request that must fail as `kind` at the first attempt."""
    client = counting(**(options or {}))
    error = expect(kind, lambda: ask(client.sdk, **request))
    require(client.sent == 1, f"{client.sent} attempts")
    return error


def errors(ask: Ask, model: str, limit: str) -> dict[str, Check]:
    def bad_key() -> None:
        error = refused(openai.AuthenticationError, ask, options={"api_key": checks.UNKNOWN_KEY}, model=model)
        require(error.body, "no body")

    def unknown_model() -> None:
        error = refused(openai.NotFoundError, ask, model=checks.UNKNOWN_MODEL)
        require(checks.UNKNOWN_MODEL in str(error), error)

    def bad_field() -> None:
        error = refused(openai.BadRequestError, ask, model=model, **{limit: -1})
        require(error.param == limit, f"param is {error.param}")

    return {
        "bad key is AuthenticationError": bad_key,
        "unknown model is NotFoundError": unknown_model,
        "bad field is BadRequestError": bad_field,
    }


def quota(ask: Ask, model: str, limit: str) -> dict[str, Check]:
    def too_dear(stream: bool) -> None:
        error = refused(openai.APIStatusError, ask, model=model, stream=stream, **{limit: 64})
        require(error.status_code == 402 and error.code == "quota_exceeded", f"{error.status_code} {error.code}")

    return {"402, once": partial(too_dear, False), "streamed 402, once": partial(too_dear, True)}
