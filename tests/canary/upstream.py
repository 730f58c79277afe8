#!/usr/bin/env python3
"""A provider that repeats everything it was told, in every way in which an answer can go wrong.

    upstream.py

It speaks OpenAI's and Anthropic's dialect. What it does is named by the model: `echo/refuse`, `claude/cut`. What it
was sent lies at `GET /seen`: the proof that the canaries were sent at all.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
from typing import Any

Json = dict[str, Any]

STATUS = {"refuse": 400, "deny": 401, "forbid": 403, "limit": 429, "fail": 500, "busy": 529}


class Upstream:
    def __init__(self) -> None:
        self.seen = ""

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                method, path = head.split(" ", 2)[:2]
                length = re.search(r"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
                body = (await reader.readexactly(int(length.group(1)) if length else 0)).decode()
                if method != "POST":
                    whole(writer, 200, {"seen": self.seen} if path == "/seen" else {})
                else:
                    self.seen += head + body
                    if not await answer(path, head + body, json.loads(body), writer):
                        break
                await writer.drain()
        writer.close()


async def answer(path: str, told: str, body: Json, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection goes on."""
    behaviour = str(body["model"])
    said = " ".join(canaries(told))
    # What it gives as an answer is the caller's own, so the secret that it was sent is not in it.
    answered = " ".join(canaries(json.dumps(body)))
    if behaviour == "hush":
        await asyncio.sleep(2)
        return False
    if behaviour in STATUS:
        error = {"message": said, "type": said, "code": said, "param": said}
        whole(writer, STATUS[behaviour], {"type": "error", "error": error, "Message": said})
        return True
    if "embeddings" in path:
        vector = {"object": "embedding", "index": 0, "embedding": [0.5, 0.5]}
        usage = {"prompt_tokens": 9, "total_tokens": 9}
        whole(writer, 200, {"object": "list", "data": [vector], "model": "echo", "usage": usage})
        return True
    if "count_tokens" in path:
        whole(writer, 200, {"input_tokens": 9})
        return True
    events = (anthropic if "messages" in path else openai)(answered, said, behaviour)
    if behaviour == "nonsense":
        events = [f'{{"choices": "{said}", "type": "{said}"']
    if behaviour == "mistyped":
        wrong = {name: said for name in ("id", "choices", "usage", "delta", "index")}
        events = [json.dumps({"type": "content_block_delta"} | wrong)]
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    for event in events:
        chunk(writer, f"data: {event}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(0.01)
    if behaviour == "cut":
        writer.transport.abort()
        return False
    if behaviour == "stall":
        await asyncio.sleep(30)
        return False
    writer.write(b"0\r\n\r\n")
    return True


def canaries(told: str) -> list[str]:
    """The canaries in what was told, which is all that an echo is for."""
    return sorted(set(re.findall(r"canary\w+", told)))


def openai(answered: str, said: str, behaviour: str) -> list[str]:
    def event(**members: Any) -> str:
        envelope = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "echo"}
        return json.dumps(envelope | members)

    delta = {"role": "assistant", "content": f"You said {answered}. "}
    events = [event(choices=[{"index": 0, "delta": delta, "finish_reason": None}])]
    if behaviour == "break":
        return [*events, json.dumps({"error": {"message": said, "type": said, "code": said}})]
    if behaviour in ("cut", "stall"):
        return events
    events.append(event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    events.append(event(choices=[], usage={"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}))
    return [*events, "[DONE]"]


def anthropic(answered: str, said: str, behaviour: str) -> list[str]:
    usage = {"input_tokens": 9, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "echo", "usage": usage}
    events: list[Json] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"You said {answered}. "}},
    ]
    if behaviour == "break":
        events.append({"type": "error", "error": {"type": said, "message": said}})
    elif behaviour not in ("cut", "stall"):
        events += [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
            {"type": "message_stop"},
        ]
    return [json.dumps(event) for event in events]


def chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def whole(writer: asyncio.StreamWriter, status: int, answer: Json) -> None:
    data = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)


async def main() -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    server = await asyncio.start_server(Upstream().connection, "127.0.0.1", 0, limit=1 << 20)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
