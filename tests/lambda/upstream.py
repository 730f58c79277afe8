"""A model server in the OpenAI dialect whose answer can be held back halfway."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKENS = ("Hello ", "from ", "a ", "script.")


class Upstream:
    """While `gate` is shut, an answer stops after its first token. `trace` is the order in which things happened."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.trace: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/v1"

    def note(self, happening: str) -> None:
        self.trace.append(happening)


def handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            streamed, model = bool(request.get("stream")), str(request["model"])
            self.send_response(200)
            self.send_header("content-type", "text/event-stream" if streamed else "application/json")
            self.end_headers()
            if streamed:
                self._stream(model)
            else:
                answer = vectors(model, request["input"]) if self.path.endswith("/embeddings") else whole(model)
                self.wfile.write(json.dumps(answer).encode())

        def _stream(self, model: str) -> None:
            for number, frame in enumerate(frames(model)):
                self.wfile.write(frame)
                self.wfile.flush()
                if number == 0:
                    upstream.note("upstream sent its first token")
                    opened = upstream.gate.wait(timeout=20)
                    upstream.note("upstream went on" if opened else "upstream waited in vain")

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def usage() -> dict[str, int]:
    return {"prompt_tokens": 2, "completion_tokens": len(TOKENS), "total_tokens": 2 + len(TOKENS)}


def envelope(model: str, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-script", "object": kind, "created": 1, "model": model}


def frames(model: str) -> Iterator[bytes]:
    def frame(choices: list[dict[str, Any]], **more: Any) -> bytes:
        return f"data: {json.dumps(envelope(model, 'chat.completion.chunk') | {'choices': choices} | more)}\n\n".encode()

    for token in TOKENS:
        yield frame([{"index": 0, "delta": {"role": "assistant", "content": token}, "finish_reason": None}])
    yield frame([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    yield frame([], usage=usage())
    yield b"data: [DONE]\n\n"


def whole(model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(TOKENS)}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return envelope(model, "chat.completion") | {"choices": [choice], "usage": usage()}


def vectors(model: str, texts: list[str]) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": [1.0, 0.0]} for index, _ in enumerate(texts)]
    return {"object": "list", "model": model, "data": data, "usage": {"prompt_tokens": 2, "total_tokens": 2}}


@contextlib.contextmanager
def upstream() -> Iterator[Upstream]:
    scripted = Upstream()
    thread = threading.Thread(target=scripted.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield scripted
    finally:
        scripted.gate.set()
        scripted.server.shutdown()
        scripted.server.server_close()
        thread.join(timeout=5)
