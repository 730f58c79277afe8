#!/usr/bin/env python3
"""A provider in OpenAI's dialect that keeps its own bill, in a process of its own.

    upstream.py [--seconds S]     an answer takes up to S seconds, drawn for each

It knows its price and draws its usage (draws.py); of the gateway it knows nothing. A call is billed in full once it
is accepted, whether or not anybody reads the answer: no provider bills more. `GET /bill` is the bill by request.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import signal
from typing import Any

import draws

CHUNKS_MAX = 12


class Upstream:
    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.bill: dict[str, dict[str, int]] = {}

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                method, path = head.split(" ", 2)[:2]
                length = re.search(r"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length.group(1)) if length else 0)
                if method == "GET":
                    whole(writer, self.bill if path == "/bill" else {"object": "list", "data": []})
                else:
                    await self.complete(json.loads(body), writer)
                await writer.drain()
        writer.close()

    async def complete(self, request: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        content = "".join(text(message) for message in request["messages"])
        name, mix = content.split(" ", 1)[0], request["model"]
        limit = request.get("max_completion_tokens") or request["max_tokens"]
        used = draws.usage(mix, name, len(content.encode()), limit)
        entry = self.bill.setdefault(name, {"calls": 0, "nano": 0, "prompt": 0, "completion": 0})
        counted = {"calls": 1, "nano": used.cost(), "prompt": used.prompt, "completion": used.completion}
        for field, more in counted.items():
            entry[field] += more
        seconds = random.Random(f"time {name}").uniform(0.1, 1) * self.seconds
        if request.get("stream"):
            await stream(writer, mix, used, seconds)
        else:
            await asyncio.sleep(seconds)
            message = {"role": "assistant", "content": "word " * min(used.completion, CHUNKS_MAX)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            whole(writer, envelope(mix, "chat.completion") | {"choices": [choice], "usage": usage(used)})


def text(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


async def stream(writer: asyncio.StreamWriter, model: str, used: draws.Usage, seconds: float) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
    chunks = min(used.completion, CHUNKS_MAX)
    for _ in range(chunks):
        await asyncio.sleep(seconds / chunks)
        delta = {"role": "assistant", "content": "word "}
        event(writer, model, choices=[{"index": 0, "delta": delta, "finish_reason": None}])
        await writer.drain()
    event(writer, model, choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    event(writer, model, choices=[], usage=usage(used))
    chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")


def event(writer: asyncio.StreamWriter, model: str, **members: Any) -> None:
    chunk(writer, f"data: {json.dumps(envelope(model, 'chat.completion.chunk') | members)}\n\n".encode())


def chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")


def whole(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)


def envelope(model: str, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-race", "object": kind, "created": 1, "model": model}


def usage(used: draws.Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": used.prompt,
        "completion_tokens": used.completion,
        "total_tokens": used.prompt + used.completion,
        "prompt_tokens_details": {"cached_tokens": used.cached},
    }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.3)
    upstream = Upstream(parser.parse_args().seconds)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    server = await asyncio.start_server(upstream.connection, "127.0.0.1", 0, limit=1 << 20)
    print(f"ready http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
