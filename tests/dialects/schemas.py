"""The vendors' published schemas, as their SDKs' types state them, read strictly: a member that a type does
not declare is refused, and so is a word that a literal does not list.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from anthropic.types.shared import ErrorResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat import completion_create_params as chat_params
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses import response_create_params as responses_params
from openai.types.shared import ErrorObject
from pydantic import TypeAdapter
from pydantic_core import SchemaValidator, ValidationError, to_json

# What is said beyond the published schemas, by kind and dialect: `*` is any item of a list. Clients keep
# members that they do not know.
EXTENSIONS: dict[tuple[str, str], tuple[str, ...]] = {
    # Cache points and reasoning in the history, as other gateways take them; Google's seals on calls.
    ("request", "chat"): (
        "messages.*.cache_control",
        "messages.*.content.*.cache_control",
        "messages.*.reasoning_content",
        "messages.*.thinking_blocks",
        "messages.*.tool_calls.*.extra_content",
        "tools.*.cache_control",
    ),
    # What DeepSeek and its like take back, and Google.
    ("sent", "openai"): ("messages.*.reasoning_content", "messages.*.tool_calls.*.extra_content"),
    # The newest SDK has left them out; models before Claude 4.7 take them.
    ("request", "messages"): ("temperature", "top_k", "top_p"),
    ("sent", "anthropic"): ("temperature", "top_k", "top_p"),
    ("whole", "chat"): (
        "choices.*.message.reasoning_content",
        "choices.*.message.thinking_blocks",
        "choices.*.message.tool_calls.*.extra_content",
    ),
    ("event", "chat"): (
        "choices.*.delta.reasoning_content",
        "choices.*.delta.thinking_blocks",
        "choices.*.delta.tool_calls.*.extra_content",
    ),
    # OpenAI repeats `store` though its schema does not list it.
    ("whole", "responses"): ("store",),
    # The name of a call is in the schema of the other SDK. SDKs raise what `error` holds. The bytes of a token
    # are in the schema of the part, and the events that build it lack them.
    ("event", "responses"): (
        "response.store",
        "name",
        "error",
        "logprobs.*.bytes",
        "logprobs.*.top_logprobs.*.bytes",
    ),
    # How long the cache is kept is not known when the message starts, unless Anthropic serves it. Errors
    # carry the code that programs test, and the field at fault.
    ("event", "messages"): ("usage.cache_creation", "error.code", "error.param"),
}


def tightened(schema: Any) -> Any:
    """A core schema that forbids what it would let pass, and reads lists at once instead of when asked."""
    if isinstance(schema, list | tuple):
        return type(schema)(tightened(item) for item in schema)
    if not isinstance(schema, dict):
        return schema
    out = {name: tightened(member) for name, member in schema.items()}
    match out.get("type"):
        case "generator":
            return {"type": "list", "items_schema": out["items_schema"]}
        case "typed-dict" | "model-fields":
            out["extra_behavior"] = "forbid"
        case "model":
            out["config"] = out.get("config", {}) | {"extra_fields_behavior": "forbid"}
    return out


def validator(kind: Any) -> SchemaValidator:
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    adapter.rebuild(force=True)
    return SchemaValidator(tightened(adapter.core_schema))


def by_type(union: Any) -> dict[str, SchemaValidator]:
    """The members of a union by the one word that their `type` may be: a fault is then told of the right one."""
    members = get_args(get_args(union)[0])
    return {get_args(member.model_fields["type"].annotation)[0]: validator(member) for member in members}


def by_stream(not_streamed: Any, streamed: Any) -> dict[bool, SchemaValidator]:
    return {False: validator(not_streamed), True: validator(streamed)}


CHAT = by_stream(chat_params.CompletionCreateParamsNonStreaming, chat_params.CompletionCreateParamsStreaming)
MESSAGES = by_stream(MessageCreateParamsNonStreaming, MessageCreateParamsStreaming)
RESPONSES = by_stream(
    responses_params.ResponseCreateParamsNonStreaming, responses_params.ResponseCreateParamsStreaming
)
REQUESTS = {"chat": CHAT, "openai": CHAT, "responses": RESPONSES, "messages": MESSAGES, "anthropic": MESSAGES}
WHOLE = {"chat": validator(ChatCompletion), "responses": validator(Response), "messages": validator(Message)}
EVENTS = {
    "chat": {"chat.completion.chunk": validator(ChatCompletionChunk)},
    "responses": by_type(ResponseStreamEvent),
    "messages": by_type(RawMessageStreamEvent),
}
OPENAI_ERROR = validator(ErrorObject)
ANTHROPIC_ERROR = validator(ErrorResponse)


def drop(value: Any, path: list[str]) -> None:
    """Takes the member at `path` out of `value`, wherever there is one."""
    name, rest = path[0], path[1:]
    if name == "*":
        for item in value if isinstance(value, list) else ():
            drop(item, rest)
    elif isinstance(value, dict) and name in value:
        if rest:
            drop(value[name], rest)
        else:
            del value[name]


def faults(schema: SchemaValidator, body: Any) -> Iterator[str]:
    """What is wrong with `body`, in the words of the fault that lies deepest: a union lists them all."""
    try:
        schema.validate_json(to_json(body), strict=True)
    except ValidationError as error:
        lines = sorted(error.errors(include_url=False), key=lambda line: len(line["loc"]), reverse=True)
        yield from (f"{'.'.join(str(part) for part in line['loc'])}: {line['msg']}" for line in lines[:4])


def check(kind: str, dialect: str, body: Any) -> Iterator[str]:
    """The faults of one body. `dialect` is the caller's, or the provider's for what is sent to it."""
    for path in EXTENSIONS.get((kind, dialect), ()):
        drop(body, path.split("."))
    if kind in ("request", "sent"):
        return faults(REQUESTS[dialect][bool(body.get("stream"))], body)
    if kind == "whole":
        return faults(WHOLE[dialect], body)
    if dialect == "chat" and "error" in body:
        return faults(OPENAI_ERROR, body["error"])
    if dialect == "messages" and body["type"] == "error":
        return faults(ANTHROPIC_ERROR, body)
    kind = body["object"] if dialect == "chat" else body["type"]
    if kind not in EVENTS[dialect]:
        return iter([f"{kind} is no event of the dialect"])
    return faults(EVENTS[dialect][kind], body)
