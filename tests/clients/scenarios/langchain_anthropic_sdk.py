#!/usr/bin/env python3
"""LangChain's Anthropic integration: ChatAnthropic.

scenarios: text tools schema json-schema
"""

from __future__ import annotations

from functools import partial

import checks
import langchain_common as common
from checks import Check
from langchain_anthropic import ChatAnthropic


def chat(model: str, max_tokens: int) -> ChatAnthropic:
    return ChatAnthropic(model=model, max_tokens=max_tokens, temperature=0)


def text(model: str) -> dict[str, Check]:
    return common.text(partial(chat, model), model)


def tools(model: str) -> dict[str, Check]:
    return common.tools(partial(chat, model), model)


def schema(model: str) -> dict[str, Check]:
    """By default a forced tool call."""
    return common.schema(partial(chat, model), model)


def json_schema(model: str) -> dict[str, Check]:
    return common.schema(partial(chat, model), model, method="json_schema")


if __name__ == "__main__":
    checks.run({"text": text, "tools": tools, "schema": schema, "json-schema": json_schema})
