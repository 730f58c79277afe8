#!/usr/bin/env python3
"""Canary secrets through a run full of faults: none of them may be in anything that the gateway tells anybody else.

    run.py

A provider that repeats what it was told, callers in every dialect, a store that fails, a gateway that is killed, channels
that fail; then a search through the logs, metrics, traces, alerts, errors, reports and tables. It runs inside
tests/tools/dynamodb_local.sh.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUTPUT = ROOT / "tests" / "output" / "canary"
sys.path[1:1] = [str(ROOT / "tests" / "tools"), str(ROOT / "tests" / "race")]

import callers
import hunt
import servers
import stores
from callers import Caller, Words
from gateways import TOLLGATE
from hunt import Canary, Place
from listeners import Listeners
from proxy import REPLY_LOST, THROTTLED, Proxy

KINDS = (
    "provider key", "admin key", "pepper", "tenant key", "token", "telemetry key",
    "webhook secret", "slack address", "routing key", "prompt", "person", "user",
)
WORDS_OF_CALLERS = ("prompt", "person", "user")
SECRETS = frozenset(KINDS) - set(WORDS_OF_CALLERS)
WORDS = frozenset({"prompt", "person"})
# The user's name is what usage is grouped by and budgets are set for; logs, metrics and traces have no need of it.
EVERYTHING = SECRETS | WORDS | {"user"}
# What the store does to the second gateway. Keys are read all the same, or nothing would happen at all.
STORE_FAULTS = [
    {"service": "dynamodb", "operation": "PutItem", "resource": "ledger"} | REPLY_LOST,
    {"service": "dynamodb", "operation": "GetItem", "resource": "cache"} | THROTTLED,
    {"service": "dynamodb", "operation": "PutItem", "resource": "cache"} | REPLY_LOST,
]


def price(model: str) -> dict[str, Any]:
    return {
        "id": f"{model}@2024-01-01", "model": model, "valid_from": "2024-01-01", "unit": "usd_micro_per_mtok",
        "input": 1_000_000, "output": 2_000_000, "cache_read": 100_000, "cache_write_5m": 1_000_000,
        "context_window": 128_000, "max_output_tokens": 4096, "reasoning": False,
        "source": "nominal: the upstream of the canaries", "checked": "2026-11-24",
    }


def configuration(upstream: str, listeners: str) -> dict[str, Any]:
    provider = {"local": True, "secret": "env:CANARY_PROVIDER_KEY"}
    return {
        "gateway": {"timeout_ms": 1_000},
        "providers": {
            "echo": provider | {"dialect": "openai", "base_url": f"{upstream}/v1"},
            "claude": provider | {"dialect": "anthropic", "base_url": upstream},
        },
        # A provider that fails all the time is to be asked all the same.
        "routing": {
            "primary": "echo/ok", "fallbacks": ["claude/ok"], "circuit_breaker": {"threshold": 1000},
        },
        "alerts": {
            "webhooks": [{"url": f"{listeners}/webhook", "secret": "env:CANARY_WEBHOOK"}],
            "slack": [{"url": "env:CANARY_SLACK"}],
            "pagerduty": [{"url": f"{listeners}/pagerduty", "routing_key": "env:CANARY_ROUTING"}],
        },
        "observability": {"log_level": "trace"},
    }


class World:
    """The processes of the run, and what they left behind."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.canaries = {kind: hunt.canary(kind) for kind in KINDS}
        self.database = stores.DynamoDb()
        data = OUTPUT / "data"
        data.mkdir(parents=True)
        (data / "admin-key").write_text(f"tga_{self.text('admin key')}\n")
        (data / "pepper").write_text(f"{self.text('pepper')}\n")
        self.upstream = stack.enter_context(servers.start("upstream", [sys.executable, HERE / "upstream.py"], OUTPUT))
        self.listeners = stack.enter_context(Listeners(self.text("slack address")))
        (OUTPUT / "config.json").write_text(json.dumps(configuration(self.upstream.url, self.listeners.url)))
        (OUTPUT / "prices.json").write_text(json.dumps({"version": 1, "prices": [price("echo/*"), price("claude/*")]}))
        self.callers: list[Caller] = []

    def text(self, kind: str) -> str:
        return self.canaries[kind].text

    @property
    def admin_key(self) -> str:
        return f"tga_{self.text('admin key')}"

    @property
    def words(self) -> Words:
        return Words(self.text("prompt"), self.text("person"), self.text("user"))

    def gateway(self, name: str, store: str) -> tuple[servers.Server, Caller]:
        command: list[str | Path] = [
            TOLLGATE, "dev", "--port", "0", "--data", OUTPUT / "data", "--config", OUTPUT / "config.json",
            "--prices", OUTPUT / "prices.json", "--dynamodb", store,
        ]
        env = os.environ | {
            "CANARY_PROVIDER_KEY": self.text("provider key"),
            "CANARY_WEBHOOK": self.text("webhook secret"),
            "CANARY_SLACK": self.listeners.url + self.listeners.slack,
            "CANARY_ROUTING": self.text("routing key"),
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.listeners.url,
            "OTEL_EXPORTER_OTLP_HEADERS": f"authorization={self.text('telemetry key')}",
            "TOLLGATE_EMF": "1",
        }
        server = self.stack.enter_context(servers.start(name, command, OUTPUT, env=env))
        self.callers.append(Caller(server.url))
        return server, self.callers[-1]

    def seen(self) -> str:
        with urllib.request.urlopen(f"{self.upstream.url}/seen", timeout=30) as answer:
            return str(json.load(answer)["seen"])


def main() -> int:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    started = time.monotonic()
    with ExitStack() as stack:
        world = World(stack)
        play(world)
        places = list(collected(world))
        failures = judge(world, places)
    for failure in failures:
        print(f"      FAILED  {failure}")
    print(f"{'canary: ' + str(len(failures)) + ' hits':<40} {time.monotonic() - started:.1f} s")
    return 1 if failures else 0


def play(world: World) -> None:
    server, caller = world.gateway("first", stores.URL)
    _, key = caller.key(world.admin_key, budgetUsd="50")
    # Of the whole key the id is public; the rest is the canary.
    world.canaries["tenant key"] = Canary("tenant key", key.rsplit("_", 1)[1])
    minted = json.loads(caller.call("POST", "/v1/tokens", key, {"userId": world.text("user")})[1])
    # Its end is the signature, without which it is worth nothing.
    world.canaries["token"] = Canary("token", str(minted["token"])[-30:])
    callers.cache(caller, key, world.words)
    callers.faults(caller, key, world.words, 1)
    callers.faults(caller, str(minted["token"]), world.words, 2)
    callers.mistakes(caller, key, world.words)
    broke, poor = caller.key(world.admin_key, budgetUsd="0.001")
    callers.faults(caller, poor, world.words, 3)
    _, hasty = caller.key(world.admin_key, rpm=2)
    callers.cache(caller, hasty, world.words)
    administer(world, caller, broke)
    reports(world, caller, key)
    callers.stopped_streams(caller, key, world.words)
    # A death in the middle of streams leaves holds to the sweep of whoever comes after.
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    proxy = Proxy(stores.URL, OUTPUT)
    world.stack.callback(proxy.server.stop)
    _, caller = world.gateway("second", proxy.url)
    # Its schedule looks at once, and finds the budget that has refused requests.
    world.listeners.wait(60)
    proxy.set(STORE_FAULTS)
    callers.faults(caller, key, world.words, 4)
    callers.cache(caller, key, world.words)
    proxy.set([])
    reports(world, caller, key)


def administer(world: World, caller: Caller, key_id: str) -> None:
    admin, user = world.admin_key, world.text("user")
    caller.report("PATCH", f"/admin/keys/{key_id}", admin, {"name": "poor"})
    caller.report("PUT", f"/admin/budgets/user/{user}", admin, {"tenant": "acme", "budgetUsd": "9"})
    caller.report("DELETE", f"/admin/keys/{key_id}", admin)
    for path in ("keys", "budgets", "tenants", "tenants/acme", "teams", "audit"):
        caller.report("GET", f"/admin/{path}", admin)
    caller.call("POST", "/admin/keys", admin, {"name": world.words.sentence, "budgetUsd": world.text("prompt")})


def reports(world: World, caller: Caller, key: str) -> None:
    caller.report("GET", "/v1/usage?period=total&group=user,model", key)
    caller.report("GET", "/v1/cache/stats", key)
    for line in world.database.lines(key.split("_")[1])[-50:]:
        caller.call("GET", f"/v1/requests/{line['request']}", key)
        caller.reports.append(json.dumps(line).encode())


def collected(world: World) -> list[Place]:
    """Everything that came out, each with what may not be in it."""
    logs = [OUTPUT / f"{name}.log" for name in ("first", "second")]
    places = [Place(f"log of the {log.stem} gateway", log.read_bytes(), EVERYTHING) for log in logs]
    for number, caller in enumerate(world.callers):
        # Callers may read their own words in what is said of their mistakes.
        places.append(Place(f"errors to callers of gateway {number}", b"\n".join(caller.errors), SECRETS))
        places.append(Place(f"headers of gateway {number}", b"\n".join(caller.headers), EVERYTHING))
        places.append(Place(f"reports of gateway {number}", b"\n".join(caller.reports), SECRETS | WORDS))
    for table in ("control", "budgets", "ledger", "usage"):
        places.append(Place(f"table {table}", table_bytes(world, table), SECRETS | WORDS))
    places.append(Place("table cache", table_bytes(world, "cache"), SECRETS))
    # A header that the receiver wants goes to it, and the routing key to its channel.
    places.append(Place("spans and metrics", world.listeners.telemetry(), EVERYTHING - {"telemetry key"}))
    for channel, told in world.listeners.alerts().items():
        own = {"routing key"} if channel == "pagerduty" else set()
        places.append(Place(f"alerts to {channel}", told, (SECRETS | WORDS) - own))
    return places


def table_bytes(world: World, table: str) -> bytes:
    request: dict[str, Any] = {"TableName": table}
    items: list[Any] = []
    while True:
        page = world.database.call("Scan", **request)
        items += page["Items"]
        if not (last := page.get("LastEvaluatedKey")):
            return json.dumps(items).encode()
        request["ExclusiveStartKey"] = last


def judge(world: World, places: list[Place]) -> list[str]:
    canaries = list(world.canaries.values())
    failures = [f"{hit.kind} as {hit.form} in {hit.place}: {hit.around!r}" for hit in hunt.search(places, canaries)]
    failures += [f"the search does not find {missed}" for missed in hunt.control(places, canaries)]
    seen = world.seen()
    cache = next(place.data for place in places if place.name == "table cache")
    for kind in ("provider key", "prompt", "person", "user"):
        if world.text(kind) not in seen:
            failures.append(f"the provider was never told the {kind}, so that nothing is proved")
    if world.text("prompt").encode() not in cache:
        failures.append("no prompt was kept in the cache, so that nothing is proved of it")
    if not any(b"[secret]" in place.data for place in places if place.name.startswith("errors")):
        failures.append("no provider repeated its secret to a caller, so that nothing is proved")
    failures += [f"nothing came out of the {place.name}" for place in places if not place.data]
    logs = b"".join(place.data for place in places if place.name.startswith("log"))
    failures += [] if b'"_aws"' in logs else ["no metric was in a log, so that nothing is proved of them"]
    failures += [f"{path} took nothing" for path in world.listeners.left if path not in world.listeners.taken]
    for status in (200, 400, 402, 429, 503):
        count = sum(caller.statuses.get(status, 0) for caller in world.callers)
        print(f"      {count} requests were answered {status}")
        failures += [] if count else [f"no request was answered {status}"]
    for place in places:
        is_clean = not any(place.name in failure for failure in failures)
        print(f"  {'ok' if is_clean else '  '}  {place.name}: {len(place.data)} bytes")
    return failures


if __name__ == "__main__":
    sys.exit(main())
