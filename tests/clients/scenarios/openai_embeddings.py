#!/usr/bin/env python3
"""The stock OpenAI Python SDK: embeddings.

scenarios: vectors dimensions errors
"""

from __future__ import annotations

import math
from typing import Any

import checks
from checks import CLIENT, Check, require
from openai import OpenAI
from openai_common import errors


def embed(model: str, input: Any, **more: Any) -> list[list[float]]:
    answer = OpenAI().embeddings.create(model=model, input=input, **more)
    require(answer.object == "list" and answer.model, f"not a list of a model: {answer.object} {answer.model}")
    require([entry.index for entry in answer.data] == list(range(len(answer.data))), "the order is wrong")
    require(answer.usage.total_tokens == answer.usage.prompt_tokens, f"usage does not add up: {answer.usage}")
    checks.used(input=answer.usage.prompt_tokens, cached=0, output=0)
    vectors = [entry.embedding for entry in answer.data]
    require(all(vector and all(isinstance(part, float) for part in vector) for vector in vectors), "not vectors")
    return vectors


def likeness(left: list[float], right: list[float]) -> float:
    """The cosine of the angle between two vectors: 1 for the same direction."""
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / math.sqrt(sum(a * a for a in left) * sum(b * b for b in right))


def vectors_scenario(model: str) -> dict[str, Check]:
    text = checks.prompt("A text")

    def one() -> None:
        require(len(embed(model, text)) == 1, "not one vector for one text")

    def several() -> None:
        one, other, same = embed(model, [text, "The ships left the harbour before the storm began.", text])
        # llama.cpp computes the texts of a batch together, which moves the numbers of 4-bit weights.
        require(likeness(one, same) > 0.93, f"the same text is only {likeness(one, same)} alike")
        require(likeness(one, other) < 0.9, f"another text is {likeness(one, other)} alike")

    def encodings() -> None:
        # Unasked, the SDK sends base64 and decodes it.
        by_default, plain = embed(model, text), embed(model, text, encoding_format="float")
        require(likeness(by_default[0], plain[0]) > 0.9999, "base64 and float differ")

    def tokens() -> None:
        require(len(embed(model, [1, 520, 9531])) == 1, "not one vector for one list of tokens")
        require(len(embed(model, [[1, 520], [9531]])) == 2, "not two vectors for two lists of tokens")

    return {"a string": one, "a list": several, "base64 and float agree": encodings, "tokens": tokens}


def dimensions_scenario(model: str) -> dict[str, Check]:
    def shortened() -> None:
        vectors = embed(model, [checks.prompt("A text"), "Something else"], dimensions=8)
        require([len(vector) for vector in vectors] == [8, 8], f"lengths: {[len(vector) for vector in vectors]}")

    return {"as many as asked for": shortened}


def errors_scenario(model: str) -> dict[str, Check]:
    def ask(client: OpenAI, **request: Any) -> Any:
        return client.embeddings.create(input=f"An error for {CLIENT}", **request)

    return errors(ask, model, "dimensions")


if __name__ == "__main__":
    checks.run({"vectors": vectors_scenario, "dimensions": dimensions_scenario, "errors": errors_scenario})
