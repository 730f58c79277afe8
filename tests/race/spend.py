"""Client processes spend one budget down together, until it refuses the smallest request."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import books
import clients
import draws
import gateways
from books import Books, Failure, usd
from gateways import Fleet, Key
from stores import DynamoDb

# A reserve that a busy store carries out after it was given up leaves a hold to the sweep: after its request's time, 3 s
# for the honest end and 30 s for clocks that differ, by a pass that begins each minute.
TIMEOUT = "20"
SWEPT_WITHIN = int(TIMEOUT) + 3 + 30 + 60 + 15
# What a race may answer: only the budget refuses. Where the last of it has to be gathered from several counters, a
# request that finds them changed again and again by others is asked to come back.
ALLOWED = {"200", "402 quota_exceeded", "quota_exceeded"}
COME_BACK = {"503 store_unavailable", "store_unavailable"}
# Refusals while less than this part of the cap is spent count as wrong: no request costs a tenth of a cap.
NEARLY = 0.9
WRONG_MAX = 0.01


@dataclass(frozen=True)
class Race:
    name: str
    # Options that choose the store, for each gateway alike.
    store: list[str]
    gateways: int
    clients: int
    # Nano-dollars.
    cap: int
    # Counters that the budget is spread over.
    shards: int = 1
    mix: str = draws.UNIFORM
    think: float = 0.0
    # The longest that an answer takes.
    seconds: float = 0.3


def run(race: Race, seed: int, directory: Path, store: DynamoDb | None) -> None:
    began = time.monotonic()
    with gateways.start_upstream(race.seconds, directory) as upstream, closing(
        Fleet(directory, upstream.url, race.store)
    ) as fleet:
        for number in range(race.gateways):
            fleet.start(f"tollgate-{number}", "--timeout", TIMEOUT)
        key = fleet.key(race.cap, race.shards)
        plans = [
            clients.Plan(f"c{number}", fleet.urls, key.token, race.mix, race.think, seed)
            for number in range(race.clients)
        ]
        notes = clients.run(plans)
        books.settled(fleet, key, store, SWEPT_WITHIN)
        found = books.read(fleet, key, store, gateways.bill(upstream))
    check(race, key, notes, found)
    report(race, key, notes, found, time.monotonic() - began)


def check(race: Race, key: Key, notes: clients.Notes, found: Books) -> None:
    if found.billed > key.cap:
        raise Failure(f"the upstream bills {usd(found.billed)}, the cap is {usd(key.cap)}")
    if found.billed != found.ledger:
        raise Failure(f"the upstream bills {found.billed}, the ledger says {found.ledger} nano-dollars")
    allowed = ALLOWED | (COME_BACK if key.shards > 1 else set())
    if others := {outcome: count for outcome, count in notes.outcomes.items() if outcome not in allowed}:
        raise Failure(f"answers that are neither whole nor refused by the budget: {others}")
    answered = {name for name, outcome in notes.names.items() if outcome == "200"}
    if answered != set(found.bill):
        raise Failure(f"answered and billed differ by {len(answered ^ set(found.bill))} requests")
    if found.lines is not None:
        one_line_each(found)
    if race.mix == draws.REALISTIC and (share := wrong(race, notes)) > WRONG_MAX:
        raise Failure(f"{share:.1%} of requests were refused below {NEARLY:.0%} of the cap")
    # A run that the budget did not end would prove nothing.
    if found.billed < NEARLY * key.cap or len(notes.refusals) < race.clients:
        raise Failure(f"the budget was not spent: {usd(found.billed)} of {usd(key.cap)}")


def one_line_each(found: Books) -> None:
    """Every billed request has exactly one line, of its own amount; other lines charge nothing."""
    lines = found.lines or []
    charged = Counter(line["user"] for line in lines if line["amount"] != 0)
    if twice := [name for name, count in charged.items() if count != 1]:
        raise Failure(f"charged more than once: {twice[:5]}")
    amounts = {line["user"]: line["amount"] for line in lines if line["amount"] != 0}
    bill = {name: entry["nano"] for name, entry in found.bill.items()}
    if amounts != bill:
        raise Failure(f"lines and bill differ: {sorted(amounts.items() ^ bill.items())[:6]}")


def wrong(race: Race, notes: clients.Notes) -> float:
    """The share of requests refused that would have fit, of those sent below that part of the cap."""
    early = sum(refusal.spent < NEARLY * race.cap for refusal in notes.refusals)
    return early / max(1, early + notes.outcomes["200"])


def ratios(found: Books) -> list[float]:
    """Held over actual, of each line that charged something."""
    return sorted(line["reserved"] / line["amount"] for line in found.lines or [] if line["amount"] > 0)


def percentile(values: Sequence[float], part: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(part * 100) - 1]


def report(race: Race, key: Key, notes: clients.Notes, found: Books, seconds: float) -> None:
    overspend = max(0, found.billed - key.cap)
    print(f"{race.name}: {race.clients} clients, {race.gateways} gateway(s), {seconds:.1f} s")
    print(f"  cap {usd(key.cap)}, billed {usd(found.billed)}, ledger {usd(found.ledger)}, overspend {overspend} nano-dollars")
    print(f"  {notes.outcomes['200']} answered, {len(notes.refusals)} refused by the budget", end="")
    print(f", {wrong(race, notes):.2%} refused below {NEARLY:.0%} of the cap")
    if asked_back := sum(notes.outcomes[outcome] for outcome in COME_BACK):
        print(f"  {asked_back} asked to come back")
    if rates := ratios(found):
        print(f"  hold over actual: p50 {percentile(rates, 0.5):.1f}, p95 {percentile(rates, 0.95):.1f}")
