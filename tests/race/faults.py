"""Faults of the store, each in one write of the protocol, and what must become of the requests that meet it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import books
import clients
import draws
import gateways
import proxy
from books import Failure, usd
from gateways import Fleet, Key
from proxy import Proxy, Rule
from stores import DynamoDb

USD = 10**9
# Of each case, and how many at a time of all.
REQUESTS = 6
ABREAST = 12
SERVED, CLOSED = "200", "503 store_unavailable"
TIMEOUT = "8"
# As long as a hold lives: its request's time, 3 s for the honest end, 30 s for clocks that differ.
SWEPT_AFTER = int(TIMEOUT) + 3 + 30 + 1


# Compared by identity, so that a case can name what belongs to it.
@dataclass(frozen=True, eq=False)
class Case:
    """A fault in one write of every request of a key, `times` in all, or for as long as the proxy stands."""

    what: str
    write: Callable[[str], Rule]
    fault: Rule
    outcome: str
    times: int | None = REQUESTS
    # Whether holds stay open until they are swept.
    left_to_sweep: bool = False


CASES = (
    Case("reserve throttled", proxy.reserve, proxy.THROTTLED, CLOSED, times=None),
    Case("reserve throttled twice, repeated", proxy.reserve, proxy.THROTTLED, SERVED, times=2),
    Case("reserve without reply", proxy.reserve, proxy.REPLY_LOST, SERVED),
    Case("reserve late, after it was given up", proxy.reserve, proxy.delayed(5_000), SERVED, times=3, left_to_sweep=True),
    Case("line throttled, repeated by the SDK", proxy.line, proxy.THROTTLED, SERVED),
    Case("line without reply", proxy.line, proxy.REPLY_LOST, SERVED),
    Case("line late, settled from the queue", proxy.line, proxy.delayed(900), SERVED),
    Case("line throttled for ever, left to the sweep", proxy.line, proxy.THROTTLED, SERVED, None, left_to_sweep=True),
    Case("close throttled, repeated by the SDK", proxy.close, proxy.THROTTLED, SERVED),
    Case("close without reply", proxy.close, proxy.REPLY_LOST, SERVED),
    Case("close late, settled from the queue", proxy.close, proxy.delayed(900), SERVED),
    Case("close throttled for ever, left to the sweep", proxy.close, proxy.THROTTLED, SERVED, None, left_to_sweep=True),
)


class Faults:
    """`begin` sends the requests of all cases at once, `finish` sweeps what they left."""

    def __init__(self, seed: int, directory: Path, store: DynamoDb) -> None:
        self.store, self.seed, self.directory, self.running = store, seed, directory, ExitStack()

    def close(self) -> None:
        self.running.close()

    def begin(self) -> None:
        self.upstream = self.running.enter_context(gateways.start_upstream(0.4, self.directory))
        self.proxy = self.running.enter_context(closing(Proxy(self.store.url, self.directory)))
        fleet = Fleet(self.directory, self.upstream.url, ["--dynamodb", self.proxy.url])
        self.fleet = self.running.enter_context(closing(fleet))
        self.fleet.start("tollgate", "--timeout", TIMEOUT)
        self.keys = {case: self.fleet.key(USD) for case in CASES}
        spare = self.fleet.key(USD)
        rules = [self._rule(case, key) for case, key in self.keys.items()]
        ids = dict(zip(CASES, self.proxy.set(rules), strict=True))
        # The proxy reads its models at its first calls, which then take longer than the gateway waits.
        books.within(30, "the proxy is warm", lambda: self._cold(spare))
        with ThreadPoolExecutor(ABREAST) as pool:
            asked = {case: [pool.submit(self._ask, case, n) for n in range(REQUESTS)] for case in CASES}
            outcomes = {case: Counter(one.result() for one in of) for case, of in asked.items()}
        self.swept_at = time.monotonic() + SWEPT_AFTER
        for case in CASES:
            if outcomes[case] != {case.outcome: REQUESTS}:
                raise Failure(f"{case.what}: answered with {dict(outcomes[case])}, expected {case.outcome}")
            if (fired := self.proxy.fired(ids[case])) < (case.times or REQUESTS):
                raise Failure(f"{case.what}: the fault struck {fired} times")
        for case in (case for case in CASES if not case.left_to_sweep):
            books.within(60, f"{case.what}: settled late", lambda key=self.keys[case]: self._objection(key))
        for case in (case for case in CASES if case.left_to_sweep):
            books.within(30, f"{case.what}: a hold is left", lambda key=self.keys[case]: self._no_hold(key))
        print(f"  {REQUESTS} requests to each of: {'; '.join(case.what for case in CASES)}")

    def finish(self) -> None:
        time.sleep(max(0.0, self.swept_at - time.monotonic()))
        self.proxy.set([])
        # It sweeps as it starts.
        self.fleet.start("sweeper", "--timeout", TIMEOUT)
        bill, over = gateways.bill(self.upstream), 0
        for case, key in self.keys.items():
            books.within(75, f"{case.what}: swept", lambda key=key: self._objection(key))
            over = max(over, self._balanced(case, key, bill))
        for case in CASES:
            if (outcome := self._ask(case, REQUESTS)) != SERVED:
                raise Failure(f"{case.what}: once the store is well, a request was answered with {outcome}")
        print(f"  ledger and bill agree on {len(CASES)} keys, nothing is held; overspend {over} nano-dollars")

    @staticmethod
    def _rule(case: Case, key: Key) -> Rule:
        return case.write(key.id) | case.fault | ({"times": case.times} if case.times else {})

    def _ask(self, case: Case, number: int) -> str:
        return self._send(self.keys[case], name(case, number), stream=number % 2 == 0)

    def _send(self, key: Key, name: str, *, stream: bool) -> str:
        line = clients.Line(self.fleet.urls[0], key.token)
        outcome = line.ask(draws.request(draws.UNIFORM, name, 0, stream)).outcome
        line.close()
        return outcome

    def _cold(self, spare: Key) -> str | None:
        outcome = self._send(spare, "warm", stream=False)
        return None if outcome == SERVED else outcome

    def _no_hold(self, key: Key) -> str | None:
        return None if self._objection(key) else "no hold was left"

    def _objection(self, key: Key) -> str | None:
        ledger = sum(line["amount"] for line in self.store.lines(key.id))
        return books.counter_faults(self.store.counters(key.id, key.shards), key, ledger)

    def _balanced(self, case: Case, key: Key, bill: dict[str, dict[str, int]]) -> int:
        """Each request has one line of what the upstream bills, or of the whole hold where the line never arrived.
        Returns the overspend."""
        billed = {name(case, n): bill[name(case, n)]["nano"] for n in range(REQUESTS) if name(case, n) in bill}
        lines = [line for line in self.store.lines(key.id) if line["amount"] > 0]
        if len(lines) != len(billed):
            raise Failure(f"{case.what}: {len(billed)} requests were billed, {len(lines)} lines charge")
        known = {line["user"]: line["amount"] for line in lines if line["quality"] == "exact"}
        if wrong := {user: amount for user, amount in known.items() if billed[user] != amount}:
            raise Failure(f"{case.what}: lines differ from the bill: {wrong}")
        estimated = sum(line["amount"] for line in lines if line["quality"] == "estimated")
        unknown = sum(amount for user, amount in billed.items() if user not in known)
        if estimated < unknown or (estimated and case.write is not proxy.line):
            raise Failure(f"{case.what}: {usd(unknown)} were billed, estimated are {usd(estimated)}")
        return max(0, sum(billed.values()) - key.cap)


def name(case: Case, number: int) -> str:
    return f"f{CASES.index(case)}.{number}"
