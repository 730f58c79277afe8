#!/usr/bin/env python3
"""LangChain's OpenAI integration: ChatOpenAI over chat completions and over Responses, and OpenAIEmbeddings.

scenarios: {chat,responses}-{text,tools,schema} embeddings embeddings-tokens
"""

from __future__ import annotations

from functools import partial

import checks
import langchain_common as common
from checks import Check, Scenario, require
from langchain_openai import ChatOpenAI, OpenAIEmbeddings


def chat(model: str, responses: bool, max_tokens: int) -> ChatOpenAI:
    return ChatOpenAI(
        model=model,
        max_tokens=max_tokens,
        temperature=0,
        stream_usage=True,
        use_responses_api=responses,
    )


def scenarios(responses: bool) -> dict[str, Scenario]:
    def of(body: Scenario) -> Scenario:
        return lambda model: body(partial(chat, model, responses), model)

    prefix = "responses" if responses else "chat"
    return {f"{prefix}-{body.__name__}": of(body) for body in (common.text, common.tools, common.schema)}


def embeddings(model: str, check_ctx_length: bool) -> dict[str, Check]:
    def embed() -> None:
        # By default LangChain turns the text into OpenAI's tokens itself and sends these.
        client = OpenAIEmbeddings(model=model, check_embedding_ctx_length=check_ctx_length)
        documents = client.embed_documents([checks.prompt("A text"), "Something else"])
        query = client.embed_query(checks.prompt("A text"))
        require(len(documents) == 2 and documents[0] != documents[1], "not two vectors for two texts")
        require(query and len(query) == len(documents[0]), f"lengths {len(query)} and {len(documents[0])}")
        require(all(isinstance(part, float) for part in query), "not a vector")

    return {"documents and a query": embed}


if __name__ == "__main__":
    checks.run(
        {
            **scenarios(responses=False),
            **scenarios(responses=True),
            "embeddings": lambda model: embeddings(model, False),
            "embeddings-tokens": lambda model: embeddings(model, True),
        }
    )
