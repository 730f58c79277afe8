"""Requests that can be told apart by what is held for them, and gateways that die or freeze while they serve some."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import clients
import draws
import servers
from gateways import Fleet, Key

# Answers take up to so long, and gateways give a request this many seconds in all.
ANSWER_SECONDS = 1.2
TIMEOUT = "8"
LIMIT = 300
# The outcome of a request that has none yet.
OPEN = "open"
# Requests open on a gateway at a time.
ABREAST = 3


class Requests:
    """Numbers every request; its prompt is as long as its number says, so no two of them hold the same amount."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        # By name.
        self.outcomes: dict[str, str] = {}

    def ask(self, line: clients.Line, stream: bool) -> tuple[str, str]:
        """The name of the next request, and its outcome."""
        with self.lock:
            name = f"k{next(self.numbers):05}"
            self.outcomes[name] = OPEN
        outcome = line.ask(body(name, stream)).outcome
        with self.lock:
            self.outcomes[name] = outcome
        return name, outcome


def body(name: str, stream: bool) -> dict[str, Any]:
    return {
        "model": f"race/{draws.UNIFORM}",
        "messages": [{"role": "user", "content": f"{name} {'x' * (200 + number(name))}"}],
        "max_tokens": LIMIT,
        "user": name,
        "stream": stream,
    } | ({"stream_options": {"include_usage": True}} if stream else {})


def number(name: str) -> int:
    return int(name[1:])


def hold(extra: int, name: str) -> int:
    """Nano-dollars that a gateway holds: `extra` tokens stand for what it adds to the prompt of every request."""
    tokens = extra + number(name)
    return -(-(tokens * draws.RATES["input"] + LIMIT * draws.RATES["output"]) // 1000)


@dataclass
class Victim:
    """A gateway with streams open on it."""

    server: servers.Server
    streams: list[Future[tuple[str, str]]]


@dataclass
class Stage:
    """Where victims are started, and what they are asked."""

    fleet: Fleet
    key: Key
    requests: Requests
    draw: random.Random
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(64))
    victims: list[Victim] = field(default_factory=list)

    def victim(self, name: str, store: list[str] | None = None) -> Victim:
        """A gateway with streams that have just been asked for."""
        server = self.fleet.start(name, "--timeout", TIMEOUT, store=store)
        # It is ended here and not with the rest of the fleet.
        self.fleet.gateways.remove(server)
        victim = Victim(server, self._ask(server))
        self.victims.append(victim)
        return victim

    def close(self) -> None:
        """Ends every victim, the frozen ones as well."""
        for victim in self.victims:
            victim.server.process.kill()
            victim.server.process.wait()

    def kill(self, name: str) -> None:
        victim = self.victim(name)
        self._wait_amid(victim)
        victim.server.process.kill()
        victim.server.process.wait()
        wait(victim.streams)

    def freeze(self, name: str) -> Victim:
        victim = self.victim(name)
        self._wait_amid(victim)
        victim.server.process.send_signal(signal.SIGSTOP)
        return victim

    def _wait_amid(self, victim: Victim) -> None:
        """Waits until a random point at which an answer is on its way; those that ended before are asked for again."""
        while True:
            time.sleep(self.draw.uniform(0.02, ANSWER_SECONDS))
            if not all(stream.done() for stream in victim.streams):
                return
            victim.streams += self._ask(victim.server)

    def freeze_unsettled(self, name: str, store: list[str]) -> Victim:
        """Freezes a gateway that has answered, and that cannot settle by this way to the store: it is in its queue."""
        victim = self.victim(name, store)
        wait(victim.streams)
        time.sleep(self.draw.uniform(0.4, 1.5))
        victim.server.process.send_signal(signal.SIGSTOP)
        return victim

    def _ask(self, server: servers.Server) -> list[Future[tuple[str, str]]]:
        return [self.pool.submit(self._stream, server.url) for _ in range(ABREAST)]

    def _stream(self, url: str) -> tuple[str, str]:
        line = clients.Line(url, self.key.token)
        try:
            return self.requests.ask(line, stream=True)
        finally:
            line.close()


class Background(threading.Thread):
    """Repeats a step until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()

    def step(self) -> None:
        raise NotImplementedError

    def run(self) -> None:
        while not self.ended.is_set():
            self.step()

    def stop(self) -> None:
        self.ended.set()
        self.join()


class Survivor(Background):
    """A client of the instance that goes on serving."""

    def __init__(self, requests: Requests, url: str, key: Key, seed: str) -> None:
        super().__init__()
        self.requests, self.line, self.draw = requests, clients.Line(url, key.token), random.Random(seed)
        self.outcomes: list[str] = []

    def step(self) -> None:
        _, outcome = self.requests.ask(self.line, stream=self.draw.random() < 0.5)
        self.outcomes.append(outcome)
        self.ended.wait(self.draw.uniform(0, 0.3))


class Hiccups(Background):
    """Stops the store for longer than a settlement may take, time and again, so that settlements go to the queue."""

    def __init__(self, seed: str) -> None:
        super().__init__()
        self.process, self.draw = int(os.environ["TOLLGATE_DYNAMODB_LOCAL_PID"]), random.Random(seed)

    def step(self) -> None:
        if self.ended.wait(self.draw.uniform(0.5, 2)):
            return
        os.kill(self.process, signal.SIGSTOP)
        try:
            time.sleep(0.45)
        finally:
            os.kill(self.process, signal.SIGCONT)
