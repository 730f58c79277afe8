"""The gateway's admin and usage routes, and the price list, as the client tests need them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

PRICES = Path(__file__).resolve().parents[2] / "config" / "prices.json"
NANO = 1_000_000_000


class Admin:
    def __init__(self, url: str, admin_key: str) -> None:
        self.url = url
        self.admin_key = admin_key

    def _call(self, method: str, path: str, key: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def create_key(self, name: str, budget_usd: str) -> str:
        created = self._call("POST", "/admin/keys", self.admin_key, {"name": name, "budgetUsd": budget_usd})
        return str(created["key"])

    def usage(self, key: str) -> dict[str, int]:
        """The totals of the caller's own key, money in whole nano-dollars."""
        total = self._call("GET", "/v1/usage", key)["total"]
        nano = Decimal(total["costUsd"]) * NANO
        if nano != int(nano):
            raise ValueError(f"costUsd {total['costUsd']} is finer than a nano-dollar")
        counts = {name: int(total[name]) for name in ("requests", "inputTokens", "outputTokens")}
        return counts | {"nanoUsd": int(nano)}


def price(model: str) -> dict[str, int]:
    """The model's rates in force: its own row before `provider/*`, and the latest that has begun."""
    rows = json.loads(PRICES.read_text())["prices"]
    today = datetime.now(UTC).date().isoformat()
    for name in (model, model.split("/", 1)[0] + "/*"):
        if begun := [row for row in rows if row["model"] == name and row["valid_from"] <= today]:
            row = max(begun, key=lambda row: str(row["valid_from"]))
            return {rate: int(row.get(rate, row["input"])) for rate in ("input", "cache_read", "output")}
    raise KeyError(f"{PRICES.name} has no row for {model}")


def expected_cost(model: str, usage: dict[str, int]) -> int:
    """Nano-dollars of one attempt: tokens x micro-dollars per million, summed, rounded up once."""
    rates = price(model)
    uncached = usage["input"] - usage["cached"]
    pico = uncached * rates["input"] + usage["cached"] * rates["cache_read"] + usage["output"] * rates["output"]
    return -(-pico // 1000)
