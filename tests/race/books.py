"""Whether the books balance: the upstream's bill, the ledger, the counters and the cap, to the nano-dollar."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import clients
import draws
from gateways import Fleet, Key
from stores import DynamoDb


class Failure(Exception):
    """A check did not hold; the message says which."""


@dataclass(frozen=True)
class Books:
    """The bill by request, and the ledger: whole from DynamoDB Local, else the gateway's own sum."""

    bill: dict[str, dict[str, int]]
    lines: list[dict[str, Any]] | None
    ledger: int

    @property
    def billed(self) -> int:
        return sum(entry["nano"] for entry in self.bill.values())


def usd(nano: int) -> str:
    return f"${nano / 10**9:.9f}"


def within(seconds: float, what: str, holds: Callable[[], str | None]) -> None:
    """Waits until `holds` has nothing to object; what it objects at last is the failure."""
    deadline = time.monotonic() + seconds
    while objection := holds():
        if time.monotonic() > deadline:
            raise Failure(f"{what}: {objection}")
        time.sleep(0.2)


def still_held(fleet: Fleet, key: Key) -> str | None:
    """What the gateway says is held: a request that costs more than is left is refused with the numbers."""
    body = draws.request(draws.UNIFORM, "probe", 0, stream=False) | {"max_tokens": 4096}
    body["messages"] = [{"role": "user", "content": "x" * 120_000}]
    line = clients.Line(fleet.urls[0], key.token)
    reply = line.ask(body)
    line.close()
    if reply.error.get("code") != "quota_exceeded":
        return f"a request beyond the budget was answered with {reply.outcome}"
    amount = clients.nano(reply.error["held"])
    return f"{usd(amount)} is held" if amount else None


def counter_faults(counters: Sequence[dict[str, Any]], key: Key, ledger: int) -> str | None:
    """What is wrong with the items themselves once everything is settled."""
    live = [hold for counter in counters for hold in counter["live"]]
    # The first reserve makes a counter, so those that are missing have spent nothing.
    spent = sum(counter["cap"] - counter["remaining"] for counter in counters)
    if live:
        return f"{len(live)} holds are open: {live[:3]}"
    if spent != ledger:
        return f"{spent} are gone from the counters, the ledger says {ledger}"
    if (caps := sum(counter["cap"] for counter in counters)) > key.cap:
        return f"the caps of the counters are {caps} together, that of the key is {key.cap}"
    return None


def settled(fleet: Fleet, key: Key, store: DynamoDb | None, seconds: float) -> None:
    """Waits until nothing is held, by the gateway's word and in the items."""
    def objection() -> str | None:
        if held := still_held(fleet, key):
            return held
        if store is None:
            return None
        return counter_faults(store.counters(key.id, key.shards), key, sum(line["amount"] for line in store.lines(key.id)))

    within(seconds, "nothing is held at the end", objection)


def read(fleet: Fleet, key: Key, store: DynamoDb | None, bill: dict[str, dict[str, int]]) -> Books:
    """The books of one key once nothing is held. Reports are folded from the ledger a moment later."""
    lines = store.lines(key.id) if store else None
    expected = sum(entry["nano"] for entry in bill.values()) if lines is None else sum(line["amount"] for line in lines)

    def objection() -> str | None:
        reported = clients.nano(str(fleet.usage(key)["costUsd"]))
        return None if reported == expected else f"it reports {reported} nano-dollars of {expected}"

    within(60, "/v1/usage tells what was billed", objection)
    return Books(bill, lines, expected)
