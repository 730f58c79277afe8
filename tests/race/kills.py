"""Gateways are killed, or frozen beyond the life of their holds, in the middle of streams, while another serves."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import books
import clients
import gateways
import proxy
import victims
from books import Failure, usd
from gateways import Fleet
from proxy import Proxy
from stores import DynamoDb
from victims import Background, Hiccups, Requests, Stage, Survivor, Victim

# A hold lives as long as its request may take, 3 s for the honest end, and 30 s for clocks that differ.
SWEPT_AFTER = int(victims.TIMEOUT) + 3 + 30 + 1
# Seconds for what takes a moment where nothing else is done: a pass of the sweep begins each minute.
PATIENCE = 75
# Victims at a time.
ABREAST = 3
# What the surviving instance may answer, and the part that must be whole.
HONEST = {"200", "store_unavailable", "degraded", "upstream_failed"}
SERVED_MIN = 0.8


class Kills:
    """`begin` leaves dead and frozen gateways behind, `finish` sweeps after them. Between the two, holds expire."""

    def __init__(self, kills: int, frozen: int, cap: int, seed: int, directory: Path, store: DynamoDb) -> None:
        self.kills, self.planned_frozen, self.cap = kills, frozen, cap
        self.seed, self.directory, self.store = seed, directory, store
        self.running = ExitStack()
        # Frozen mid-stream, and frozen with their settlements in the queue.
        self.frozen: list[Victim] = []
        self.unsettled: list[Victim] = []
        self.served = 0

    def close(self) -> None:
        self.running.close()

    def begin(self) -> None:
        self.began = time.monotonic()
        self.upstream = self.running.enter_context(gateways.start_upstream(victims.ANSWER_SECONDS, self.directory))
        self.proxy = self.running.enter_context(closing(Proxy(self.store.url, self.directory)))
        fleet = Fleet(self.directory, self.upstream.url, ["--dynamodb", self.store.url])
        self.fleet = self.running.enter_context(closing(fleet))
        self.fleet.start("survivor", "--timeout", victims.TIMEOUT)
        stage = Stage(self.fleet, self.fleet.key(self.cap), Requests(), random.Random(f"kills {self.seed}"))
        self.stage = self.running.enter_context(closing(stage))
        # No line of this key gets through the proxy.
        self.proxy.set([proxy.line(self.stage.key.id) | proxy.THROTTLED])
        survivor = self.fleet.urls[0]
        beside: list[Background] = [
            Survivor(self.stage.requests, survivor, self.stage.key, f"{self.seed} {n}") for n in range(3)
        ]
        beside.append(Hiccups(f"hiccups {self.seed}"))
        for thread in beside:
            thread.start()
        try:
            with ThreadPoolExecutor(ABREAST) as pool:
                list(pool.map(self.stage.kill, (f"victim-{n}" for n in range(self.kills))))
                self.frozen = list(pool.map(self.stage.freeze, (f"frozen-{n}" for n in range(self.planned_frozen))))
                throttled = partial(self.stage.freeze_unsettled, store=["--dynamodb", self.proxy.url])
                self.unsettled = list(pool.map(throttled, (f"unsettled-{n}" for n in range(self.planned_frozen))))
        finally:
            for thread in beside:
                thread.stop()
        outcomes = [outcome for thread in beside if isinstance(thread, Survivor) for outcome in thread.outcomes]
        self.served, self.swept_at = outcomes.count("200"), time.monotonic() + SWEPT_AFTER
        # Where the machine is busy besides, the stops of the store may cost a request its time.
        if self.served < SERVED_MIN * len(outcomes) or not HONEST.issuperset(
            outcome.split()[-1] for outcome in outcomes
        ):
            raise Failure(f"the surviving instance did not serve: {Counter(outcomes)}")

    def finish(self) -> None:
        time.sleep(max(0.0, self.swept_at - time.monotonic()))
        self.proxy.set([])
        # A gateway sweeps as it starts. Around that moment the frozen ones wake up and settle what they can; the last
        # of those with a queue wait until the sweep has charged their requests in full, and correct that.
        early, late = self.unsettled[::2], self.unsettled[1::2]
        with ThreadPoolExecutor(len(self.frozen) + len(early) + 1) as pool:
            sweeping = pool.submit(self.fleet.start, "sweeper", "--timeout", victims.TIMEOUT)
            list(pool.map(self._wake, [*self.frozen, *early]))
            sweeping.result()
        books.within(PATIENCE, "the sweep charges in full", lambda: self._unswept(late))
        for victim in late:
            victim.server.process.send_signal(signal.SIGCONT)
        for victim in self.frozen:
            wait(victim.streams)
        # What the first sweep and the late settlements left to each other.
        self.fleet.start("second-sweeper", "--timeout", victims.TIMEOUT)
        books.within(PATIENCE, "nothing is held after the sweep", self._objection)
        books.within(PATIENCE, "what was settled late is exact", lambda: self._inexact(self.unsettled))
        found = books.read(self.fleet, self.stage.key, self.store, gateways.bill(self.upstream))
        self._check(found.bill, found.lines or [], found.ledger)
        self._report(found.lines or [], found.billed, found.ledger)

    def _wake(self, victim: Victim) -> None:
        time.sleep(self.stage.draw.uniform(0.1, 1.0))
        victim.server.process.send_signal(signal.SIGCONT)

    def _objection(self) -> str | None:
        counters, lines = self.store.counters(self.stage.key.id, 1), self.store.lines(self.stage.key.id)
        return books.counter_faults(counters, self.stage.key, sum(line["amount"] for line in lines))

    def _unswept(self, unsettled: list[Victim]) -> str | None:
        """Which of their requests have no estimated line."""
        lines = [line for line in self.store.lines(self.stage.key.id) if line["quality"] == "estimated"]
        found = self._by_name(lines)
        return ", ".join(name for name in names(unsettled) if name not in found) or None

    def _inexact(self, unsettled: list[Victim]) -> str | None:
        """Which of their requests, all answered, are not charged what they were billed."""
        bill = gateways.bill(self.upstream)
        lines = {line.get("user"): line for line in self.store.lines(self.stage.key.id)}
        exact = {name for name, line in lines.items() if name and line["quality"] == "exact"}
        wrong = [name for name in names(unsettled) if name not in exact or lines[name]["amount"] != bill[name]["nano"]]
        return ", ".join(wrong) or None

    def _check(self, bill: dict[str, dict[str, int]], lines: list[dict[str, Any]], ledger: int) -> None:
        named = self._by_name(lines)
        for name, entry in bill.items():
            charged = [line for line in named.get(name, []) if line["amount"] > 0]
            if len(charged) != 1:
                raise Failure(f"{name} was billed, and {len(charged)} lines charge it")
            line = charged[0]
            if line["amount"] != entry["nano"] and line["quality"] == "exact":
                raise Failure(f"{name} was billed {entry['nano']}, its exact line says {line['amount']}")
            if line["amount"] < entry["nano"]:
                raise Failure(f"{name} was billed {entry['nano']}, it was charged {line['amount']}")
        if twice := [name for name, of in named.items() if sum(line["amount"] > 0 for line in of) > 1]:
            raise Failure(f"charged more than once: {twice[:5]}")
        if ledger > self.stage.key.cap:
            raise Failure(f"the ledger passes the cap: {usd(ledger)}")
        books.within(PATIENCE, "the next affordable request is admitted", self._refused)

    def _by_name(self, lines: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """The lines of each request, known by what was held for it, since a sweep does not know whose it was."""
        known = [line for line in self.store.lines(self.stage.key.id) if line.get("user")]
        extra = next(n for n in range(10_000) if victims.hold(n, known[0]["user"]) >= known[0]["reserved"])
        if wrong := [line for line in known if victims.hold(extra, line["user"]) != line["reserved"]]:
            raise Failure(f"held otherwise than the test computes: {wrong[0]}")
        names = {victims.hold(extra, name): name for name in self.stage.requests.outcomes}
        found: dict[str, list[dict[str, Any]]] = {}
        for line in lines:
            if line["reserved"] not in names:
                raise Failure(f"a line of no request that was sent: {line}")
            found.setdefault(names[line["reserved"]], []).append(line)
        return found

    def _refused(self) -> str | None:
        """What an instance answers to a request that fits, if not 200: a store that has a score of gateways to wake may be late."""
        for url in self.fleet.urls:
            line = clients.Line(url, self.stage.key.token)
            _, outcome = self.stage.requests.ask(line, stream=False)
            line.close()
            if outcome != "200":
                return f"{url} answered {outcome}"
        return None

    def _report(self, lines: list[dict[str, Any]], billed: int, ledger: int) -> None:
        cap, outcomes = self.stage.key.cap, self.stage.requests.outcomes
        swept = sum(line["quality"] == "estimated" and not line.get("user") for line in lines)
        logs = [log.read_text(errors="replace") for log in self.fleet.directory.glob("*.log")]
        queued = sum(log.count("goes to the queue") for log in logs)
        broken = sum(outcome != "200" for outcome in outcomes.values())
        frozen = f"{self.planned_frozen} frozen mid-stream, {self.planned_frozen} with a queue"
        print(f"{self.kills} gateways killed mid-stream, {frozen}; {time.monotonic() - self.began:.1f} s")
        print(f"  {len(outcomes)} requests, {broken} broken off, {self.served} served by the survivor meanwhile")
        print(f"  {swept} holds charged in full by the sweep, {queued} settlements went to the queue")
        print(f"  cap {usd(cap)}, billed {usd(billed)}, ledger {usd(ledger)}, overspend {max(0, billed - cap)} nano-dollars")


def names(of: list[Victim]) -> list[str]:
    return [stream.result()[0] for victim in of for stream in victim.streams]
