"""What callers do in the run: each dialect, each fault, streamed and not, and what is refused."""

from __future__ import annotations

import http.client
import itertools
import json
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

FAULTS = ("ok", "refuse", "deny", "forbid", "limit", "fail", "busy", "break", "cut", "nonsense", "mistyped", "hush")


@dataclass
class Caller:
    url: str
    # The bodies of errors, and the headers of every answer.
    errors: list[bytes] = field(default_factory=list)
    headers: list[bytes] = field(default_factory=list)
    # Answers to an admin and reports to key holders.
    reports: list[bytes] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def call(
        self, method: str, path: str, token: str | None, body: Json | bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        address = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        own = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = json.dumps(body) if isinstance(body, dict) else body
        try:
            connection.request(method, path, data, own)
            response = connection.getresponse()
            status, text = response.status, response.read()
            self.headers.append(repr(response.getheaders()).encode())
        except (http.client.HTTPException, ConnectionError, TimeoutError):
            # A stream that was cut off, or a gateway that was killed.
            status, text = 0, b""
        finally:
            connection.close()
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 400 or any(mark in text for mark in (b'"error":{', b'"type":"error"', b"event: error")):
            self.errors.append(text)
        return status, text

    def report(self, method: str, path: str, token: str, body: Json | None = None, **headers: str) -> Any:
        status, text = self.call(method, path, token, body, **headers)
        self.reports.append(text)
        assert 200 <= status < 300, f"{method} {path}: {status} {text[:300]!r}"
        return json.loads(text)

    def key(self, admin_key: str, **fields: Any) -> tuple[str, str]:
        status, text = self.call("POST", "/admin/keys", admin_key, {"name": "canary", "tenant": "acme"} | fields)
        assert status == 201, text
        made = json.loads(text)
        return str(made["id"]), str(made["key"])


@dataclass(frozen=True)
class Words:
    """The canaries that a caller writes."""

    prompt: str
    person: str
    user: str

    @property
    def sentence(self) -> str:
        return f"{self.prompt} Write to {self.person}@example.org, account {self.person}, about the river in Ghent."


def bodies(words: Words, provider: str, fault: str, stream: bool) -> list[tuple[str, Json]]:
    """The same request in each dialect, with the canaries wherever a text may stand."""
    model, said = f"{provider}/{fault}", words.sentence
    schema = {"type": "object", "properties": {"q": {"type": "string", "description": said}}}
    tool = {"name": "lookup", "description": said, "parameters": schema}
    turns = [{"role": "system", "content": said}, {"role": "user", "content": [{"type": "text", "text": said}]}]
    return [
        ("/v1/chat/completions", {
            "model": model, "stream": stream, "max_tokens": 60, "messages": turns, "user": words.user,
            "tools": [{"type": "function", "function": tool}], "metadata": {"who": said}, "stop": [said[:60]],
        }),
        ("/v1/responses", {
            "model": model, "stream": stream, "max_output_tokens": 60, "instructions": said, "input": said,
            "user": words.user,
        }),
        ("/v1/messages", {
            "model": model, "stream": stream, "max_tokens": 60, "system": said, "metadata": {"user_id": words.user},
            "messages": [{"role": "user", "content": said}],
        }),
        ("/v1/chat", {"model": model, "stream": stream, "prompt": said, "userId": words.user, "sessionId": "s"}),
        ("/v1/messages/count_tokens", {"model": model, "messages": [{"role": "user", "content": said}]}),
        ("/v1/embeddings", {"model": model, "input": said, "user": words.user}),
    ]


def faults(caller: Caller, token: str, words: Words, round_: int) -> None:
    """Every fault of both providers through every dialect."""

    def ask(of: tuple[str, str, bool]) -> None:
        for path, body in bodies(words, *of):
            caller.call("POST", path, token, body, idempotency_key="-".join(map(str, (round_, *of, path))))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, itertools.product(("echo", "claude"), FAULTS, (False, True))))


def mistakes(caller: Caller, token: str, words: Words) -> None:
    """What is refused before anybody is asked, with the canaries in it."""
    said = words.sentence
    for body in (
        b'{"messages": "' + said.encode() + b'"',
        {"model": said, "messages": [{"role": "user", "content": said}]},
        {"model": "echo/ok", "messages": said},
        {"model": "echo/ok", "messages": [{"role": said, "content": said}]},
        {"model": "echo/ok", "messages": [{"role": "user", "content": said}], "temperature": said, said[:40]: said},
    ):
        for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/chat", "/v1/embeddings"):
            caller.call("POST", path, token, body)
    caller.call("GET", f"/v1/requests/{words.prompt}", token)
    caller.call("GET", f"/{words.prompt}/nowhere", token)


def cache(caller: Caller, token: str, words: Words) -> None:
    """Answers that are kept, found again, questioned and forgotten."""
    said = {"model": "echo/ok", "messages": [{"role": "user", "content": words.sentence}], "max_tokens": 60}
    for _ in range(2):
        caller.call("POST", "/v1/chat/completions", token, said)
    near = said | {"messages": [{"role": "user", "content": f"Please: {words.sentence}"}]}
    caller.call("POST", "/v1/chat/completions", token, near)
    caller.call("POST", "/v1/cache/lookup", token, said)
    for stale in ({"tag": words.prompt}, {"all": True}):
        caller.call("POST", "/v1/cache/invalidate", token, stale)


def stopped_streams(caller: Caller, token: str, words: Words) -> None:
    """Callers who leave in the middle of an answer."""
    address = urllib.parse.urlsplit(caller.url)
    for path, body in bodies(words, "echo", "stall", True)[:4]:
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        connection.close()
