"""Which client asks which model for what: the table that run.py works through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

AMPLE, NOTHING = "1.00", "0.000000001"

CHAT, MESSAGES = "local/smollm2", "local-messages/smollm2"
OPENAI, ANTHROPIC = "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"
BEDROCK = "bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0"
EMBEDDINGS = "openai/text-embedding-3-small"
# The same real model; as one that embeds it has a price of its own, and so a name of its own.
REAL_EMBEDDINGS = "local/smollm2-embed"
# The real model, asked over the dialect of either provider, and the scripted server over all three.
REAL, SCRIPTED = (CHAT, MESSAGES), (OPENAI, ANTHROPIC, BEDROCK)


@dataclass(frozen=True)
class Case:
    """One process: a file of scenarios/, the model it asks for, the scenarios it runs, and what its key may spend."""

    client: str
    model: str
    scenarios: tuple[str, ...]
    budget: str = AMPLE
    # The ledger's total must equal what the usage the SDK saw comes to at the listed price.
    audited: bool = False
    # Whether the upstream serves these scenarios itself, without the gateway.
    direct: bool = True

    @property
    def label(self) -> str:
        return f"{self.client} {self.model} {' '.join(self.scenarios)}"

    @property
    def provider(self) -> str:
        return self.model.split("/", 1)[0]

    @property
    def direct_model(self) -> str:
        return self.model.split("/", 1)[1]


def openai_chat(client: str) -> Iterator[Case]:
    yield from (Case(client, model, ("text", "tools"), audited=True) for model in REAL)
    yield Case(client, CHAT, ("schema",), audited=True)
    yield from (Case(client, model, ("text", "tools", "schema", "image"), audited=True) for model in SCRIPTED)
    yield Case(client, "demo/tool", ("tools",))
    yield Case(client, "demo/tokens-12", ("demo",))
    yield Case(client, "demo/ok", ("errors",))
    yield Case(client, CHAT, ("quota",), budget=NOTHING, direct=False)


# The events of llama.cpp's own Responses have no indexes, and it ignores text.format: both go through the gateway only.
WHOLE, STREAMED = ("text", "tools"), ("text-stream", "tools-stream")


def openai_responses(client: str) -> Iterator[Case]:
    yield from (Case(client, model, WHOLE, audited=True) for model in REAL)
    yield from (Case(client, model, STREAMED, audited=True, direct=False) for model in REAL)
    yield Case(client, CHAT, ("schema", "order"), audited=True, direct=False)
    yield from (Case(client, model, (*WHOLE, *STREAMED, "schema", "image"), audited=True) for model in SCRIPTED)
    yield from (Case(client, model, ("reasoning",), audited=True) for model in (ANTHROPIC, BEDROCK))
    yield Case(client, "demo/ok", ("errors",))
    yield Case(client, CHAT, ("quota",), budget=NOTHING, direct=False)


def openai_embeddings(client: str) -> Iterator[Case]:
    yield Case(client, REAL_EMBEDDINGS, ("vectors",), audited=True)
    # aimock answers floats even to a request for base64, which the Node SDK then decodes all the same.
    yield Case(client, EMBEDDINGS, ("vectors", "dimensions"), direct=client.endswith(".py"))
    yield Case(client, EMBEDDINGS, ("errors",), direct=False)


def anthropic_messages(client: str) -> Iterator[Case]:
    yield from (Case(client, model, ("text", "tools"), audited=True) for model in REAL)
    yield from (Case(client, model, ("count",)) for model in REAL)
    yield from (Case(client, model, ("text", "tools", "schema", "image"), audited=True) for model in SCRIPTED)
    yield from (Case(client, model, ("thinking",), audited=True) for model in (ANTHROPIC, BEDROCK))
    yield Case(client, CHAT, ("models",), direct=False)
    yield Case(client, "demo/ok", ("errors",))
    yield Case(client, CHAT, ("quota",), budget=NOTHING, direct=False)


# Python libraries on top of these SDKs take seconds to start: the real model and one scripted server, three dialects.
WRAPPED = (*REAL, BEDROCK)


def langchain_openai(client: str) -> Iterator[Case]:
    both = [f"{route}-{name}" for route in ("chat", "responses") for name in WHOLE]
    schema = ("chat-schema", "responses-schema")
    yield from (Case(client, model, (*both, *(schema if model == BEDROCK else ())), audited=True) for model in WRAPPED)
    yield Case(client, CHAT, schema, audited=True, direct=False)
    yield Case(client, REAL_EMBEDDINGS, ("embeddings",))
    yield Case(client, EMBEDDINGS, ("embeddings", "embeddings-tokens"))


def langchain_anthropic(client: str) -> Iterator[Case]:
    # Asked in the chat dialect, the real model's server refuses what the model makes of the schema's forced call.
    yield Case(client, CHAT, WHOLE, audited=True)
    yield from (Case(client, model, (*WHOLE, "schema"), audited=True) for model in (MESSAGES, BEDROCK))
    yield Case(client, ANTHROPIC, (*WHOLE, "schema", "json-schema"), audited=True)


def litellm(client: str) -> Iterator[Case]:
    both = [f"{route}-{name}" for route in ("openai", "anthropic") for name in WHOLE]
    yield Case(client, CHAT, tuple(both), audited=True)
    yield Case(client, REAL_EMBEDDINGS, ("embeddings",), audited=True)
    yield Case(client, MESSAGES, tuple(both), audited=True)
    yield Case(client, BEDROCK, (*both, "openai-schema", "anthropic-schema"), audited=True)


def ai_openai(client: str) -> Iterator[Case]:
    chat = tuple(f"chat-{name}" for name in WHOLE + STREAMED)
    responses, streams = (tuple(f"responses-{name}" for name in names) for names in (WHOLE, STREAMED))
    yield from (Case(client, model, (*chat, *responses), audited=True) for model in REAL)
    yield from (Case(client, model, streams, audited=True, direct=False) for model in REAL)
    yield Case(client, CHAT, ("chat-schema", "responses-schema"), audited=True, direct=False)
    yield Case(client, REAL_EMBEDDINGS, ("embeddings",), audited=True, direct=False)
    more = ("chat-schema", "chat-image", "responses-schema", "responses-image")
    yield from (Case(client, model, (*chat, *responses, *streams, *more), audited=True) for model in SCRIPTED)
    yield Case(client, EMBEDDINGS, ("embeddings",))


def ai_anthropic(client: str) -> Iterator[Case]:
    yield from (Case(client, model, WHOLE + STREAMED, audited=True) for model in REAL)
    yield from (Case(client, model, (*WHOLE, *STREAMED, "schema", "image"), audited=True) for model in SCRIPTED)


def cases() -> list[Case]:
    both = [table(f"{table.__name__}.{kind}") for table in BOTH_LANGUAGES for kind in ("py", "mjs")]
    others = [
        langchain_openai("langchain_openai_sdk.py"),
        langchain_anthropic("langchain_anthropic_sdk.py"),
        litellm("litellm_sdk.py"),
        ai_openai("ai_openai.mjs"),
        ai_anthropic("ai_anthropic.mjs"),
    ]
    return list(chain.from_iterable([*both, *others]))


BOTH_LANGUAGES = (openai_chat, openai_responses, openai_embeddings, anthropic_messages)
