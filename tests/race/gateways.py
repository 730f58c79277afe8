"""Gateways under test: `tollgate dev` processes in front of the race's upstream, and the keys they give out."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import draws
import servers

TOLLGATE = Path(os.environ.get("TOLLGATE_BIN_DIR", ROOT / "target" / "debug")).resolve() / "tollgate"


@dataclass(frozen=True)
class Key:
    token: str
    # Nano-dollars.
    cap: int
    # Counters that it is spread over.
    shards: int = 1

    @property
    def id(self) -> str:
        return self.token.split("_")[1]


@dataclass
class Fleet:
    """Gateways over one store. They share a directory, and with it the pepper and the admin key."""

    directory: Path
    upstream: str
    store: list[str]
    gateways: list[servers.Server] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "config.json").write_text(json.dumps(configuration(self.upstream)))
        (self.directory / "prices.json").write_text(json.dumps(draws.PRICES))

    def start(self, name: str, *options: str, store: list[str] | None = None) -> servers.Server:
        """One more gateway, over the fleet's store or by another way there."""
        config, prices, data = (self.directory / part for part in ("config.json", "prices.json", "data"))
        command: list[str | Path] = [TOLLGATE, "dev", "--port", "0", "--data", data, "--config", config]
        server = servers.start(name, [*command, "--prices", prices, *(store or self.store), *options], self.directory)
        self.gateways.append(server)
        return server

    def close(self) -> None:
        for server in self.gateways:
            server.stop()

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.gateways]

    def key(self, cap: int, shards: int = 1) -> Key:
        """A key that may spend `cap` nano-dollars, once."""
        budget = {"budgetUsd": f"{cap // 10**9}.{cap % 10**9:09}", "period": "total"}
        fields = {"name": "race", **budget, "shards": shards}
        admin_key = (self.directory / "data" / "admin-key").read_text().strip()
        made = call(f"{self.urls[0]}/admin/keys", admin_key, fields)
        return Key(str(made["key"]), cap, shards)

    def usage(self, key: Key) -> dict[str, Any]:
        """What the gateway itself reports of the key."""
        return dict(call(f"{self.urls[0]}/v1/usage?period=total", key.token)["total"])


def configuration(upstream: str) -> dict[str, Any]:
    return {
        "gateway": {"timeout_ms": 30_000},
        "providers": {"race": {"dialect": "openai", "base_url": f"{upstream}/v1", "local": True}},
        # What the death of a gateway leaves behind must not look like a broken provider to the others.
        "routing": {"primary": "race/uniform", "fallbacks": [], "circuit_breaker": {"threshold": 1000}},
        "observability": {"log_level": "warn"},
    }


def call(url: str, token: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return json.load(answer)


def start_upstream(seconds: float, logs: Path) -> servers.Server:
    """The provider, whose answers take up to `seconds`."""
    command: list[str | Path] = [sys.executable, HERE / "upstream.py", "--seconds", str(seconds)]
    return servers.start("upstream", command, logs)


def bill(upstream: servers.Server) -> dict[str, dict[str, int]]:
    """What the provider would charge, by the name of the request."""
    with urllib.request.urlopen(f"{upstream.url}/bill", timeout=30) as answer:
        return dict(json.load(answer))
