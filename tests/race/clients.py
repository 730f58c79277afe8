"""Clients as processes of their own: each asks, reads the answer to its end, and notes what became of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.queues import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import draws

# Halvings until a request is as small as it gets.
SMALLEST = 6
SECONDS = 120.0
# A server may close a connection that was idle for longer, and a request sent at that moment is lost.
IDLE_SECONDS = 10.0
# Copies of this process share its memory and start at once, so that 64 of them are cheap.
FORK = multiprocessing.get_context("fork")


@dataclass
class Reply:
    """`status` is 0 where the answer broke off, or none came. An error of status 200 came inside the stream: the head
    of one that has to wait for long is sent before."""

    status: int
    error: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        words = ["" if self.error and self.status == 200 else str(self.status), self.error.get("code", "")]
        return " ".join(words).strip() if self.status != 0 else "broken off"


@dataclass(frozen=True)
class Refusal:
    """The numbers of a refused budget, in nano-dollars."""

    spent: int
    held: int


@dataclass
class Notes:
    """What one client saw."""

    outcomes: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    # How often each name was sent, and how its last sending ended.
    names: dict[str, str] = field(default_factory=dict)

    def add(self, other: Notes) -> None:
        self.outcomes += other.outcomes
        self.refusals += other.refusals
        self.names |= other.names


@dataclass(frozen=True)
class Plan:
    """What a client does. `name` begins the name of every request."""

    name: str
    urls: list[str]
    token: str
    mix: str = draws.UNIFORM
    # The longest pause between two requests.
    think: float = 0.0
    seed: int = 1
    # Requests to send; without it, until the smallest is refused.
    requests: int | None = None


class Line:
    """A kept connection to one gateway."""

    def __init__(self, url: str, token: str) -> None:
        self.address = urlsplit(url).netloc
        self.token = token
        self.connection: http.client.HTTPConnection | None = None
        self.used_at = 0.0

    def ask(self, body: dict[str, Any]) -> Reply:
        try:
            if time.monotonic() - self.used_at > IDLE_SECONDS:
                self.close()
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=SECONDS)
            headers = {
                "authorization": f"Bearer {self.token}",
                "content-type": "application/json",
                # Every request is another, so the cache would only be filled.
                "x-tollgate-cache": "bypass",
            }
            self.connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
            answer = self.connection.getresponse()
            data = answer.read()
            self.used_at = time.monotonic()
            return read(answer.status, data, bool(body["stream"]))
        except (OSError, http.client.HTTPException):
            self.close()
            return Reply(0)

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None


def read(status: int, data: bytes, streamed: bool) -> Reply:
    if status != 200:
        return Reply(status, dict(json.loads(data)["error"]))
    if not streamed:
        return Reply(200 if json.loads(data)["usage"]["completion_tokens"] else 0)
    events = [line[6:] for line in data.decode().splitlines() if line.startswith("data: ")]
    if events and events[-1] == "[DONE]" and '"usage":{' in events[-2]:
        return Reply(200)
    errors = [json.loads(event)["error"] for event in events if event.startswith('{"error"')]
    return Reply(200, errors[-1]) if errors else Reply(0)


def nano(usd: str) -> int:
    return int(Decimal(usd) * 10**9)


def spend(plan: Plan) -> Notes:
    """Asks until the budget refuses the smallest request, or as often as planned."""
    notes, draw = Notes(), random.Random(f"{plan.seed} {plan.name}")
    lines = [Line(url, plan.token) for url in plan.urls]
    level = number = 0
    while plan.requests is None or number < plan.requests:
        number += 1
        name = f"{plan.name}.{number}"
        body = draws.request(plan.mix, name, level, stream=draw.random() < 0.5)
        reply = draw.choice(lines).ask(body)
        notes.outcomes[reply.outcome] += 1
        notes.names[name] = reply.outcome
        if reply.error.get("code") == "quota_exceeded":
            refusal = Refusal(nano(reply.error["spent"]), nano(reply.error["held"]))
            notes.refusals.append(refusal)
            if level == SMALLEST:
                break
            level += 1
        # A refused client waits for what others hold to be settled.
        time.sleep(draw.uniform(0, plan.think if not reply.error else max(plan.think, 0.4)))
    return notes


def run(plans: list[Plan], work: Callable[[Plan], Notes] = spend) -> Notes:
    """Carries out each plan in a process of its own, all at once, and adds up what they saw."""
    queue: SimpleQueue[Notes] = FORK.SimpleQueue()
    processes = [FORK.Process(target=report, args=(queue, work, plan), daemon=True) for plan in plans]
    for process in processes:
        process.start()
    total = Notes()
    for _ in processes:
        total.add(queue.get())
    for process in processes:
        process.join()
    return total


def report(queue: SimpleQueue[Notes], work: Callable[[Plan], Notes], plan: Plan) -> None:
    notes = Notes()
    with contextlib.suppress(KeyboardInterrupt):
        notes = work(plan)
    queue.put(notes)
