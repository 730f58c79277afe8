#!/usr/bin/env python3
"""Money under concurrency and death: real processes against real gateways, and a provider that keeps its own bill.

    run.py [--full] [--seed N] [PART...]     parts: kills faults dynamodb shards embedded mix

Without --full, budgets and counts are those of `make test`, which leaves the mix out; with it, those of `make race`.
It runs inside tests/tools/dynamodb_local.sh.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "tests" / "output" / "race"
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import draws
import servers
import spend
import stores
from books import Failure
from faults import Faults
from kills import Kills
from spend import Race

USD = 10**9


def dynamodb(full: bool, seed: int) -> None:
    cap = (2 * USD) if full else (6 * USD // 10)
    race = Race("two gateways over DynamoDB Local", ["--dynamodb", stores.URL], 2, 64, cap)
    spend.run(race, seed, OUTPUT / "dynamodb", stores.DynamoDb())


def shards(full: bool, seed: int) -> None:
    count, cap = (64, 1 * USD) if full else (24, 2 * USD // 10)
    race = Race("a budget over eight counters", ["--dynamodb", stores.URL], 2, count, cap, shards=8)
    spend.run(race, seed, OUTPUT / "shards", stores.DynamoDb())


def embedded(full: bool, seed: int) -> None:
    cap = (2 * USD) if full else (3 * USD // 10)
    spend.run(Race("one gateway over the embedded store", [], 1, 64, cap), seed, OUTPUT / "embedded", None)


def mix(full: bool, seed: int) -> None:
    count, cap = (64, 8 * USD) if full else (16, 2 * USD)
    store = ["--dynamodb", stores.URL]
    race = Race("a realistic mix", store, 2, count, cap, mix=draws.REALISTIC, think=2.0, seconds=0.5)
    spend.run(race, seed, OUTPUT / "mix", stores.DynamoDb())


def kills(full: bool, seed: int) -> Kills:
    count, frozen, cap = (200, 6, 10 * USD) if full else (20, 2, 2 * USD)
    return Kills(count, frozen, cap, seed, OUTPUT / "kills", stores.DynamoDb())


def faults(_: bool, seed: int) -> Faults:
    return Faults(seed, OUTPUT / "faults", stores.DynamoDb())


# Each leaves holds behind that nobody will settle. The parts after them pass the time until those expire.
LEAVING: dict[str, tuple[Callable[[bool, int], Kills | Faults], str, str]] = {
    "kills": (kills, "gateways die and freeze mid-stream", "the sweep after them"),
    "faults": (faults, "the store throttles, delays and loses replies", "the sweep after its faults"),
}
PARTS: dict[str, Callable[[bool, int], None]] = {
    "dynamodb": dynamodb,
    "shards": shards,
    "embedded": embedded,
    "mix": mix,
}
# Too long for its worth in `make test`: it measures, and proves nothing about money.
FULL_ONLY = ("mix",)


class Tally:
    def __init__(self, seed: int) -> None:
        self.seed, self.passed, self.failed = seed, 0, 0

    def run(self, name: str, part: Callable[[], None]) -> bool:
        began = time.monotonic()
        try:
            part()
        except (Failure, servers.ServerError, OSError) as failure:
            self.failed += 1
            print(f"  FAIL  {name}: {failure} (seed {self.seed}; logs in {OUTPUT})", flush=True)
            return False
        self.passed += 1
        print(f"  ok  {name} ({time.monotonic() - began:.1f} s)", flush=True)
        return True


def run(names: list[str], full: bool, tally: Tally) -> None:
    with ExitStack() as stack:
        begun: list[tuple[str, Kills | Faults]] = []
        for start, beginning, end in (LEAVING[name] for name in LEAVING if name in names):
            part = stack.enter_context(closing(start(full, tally.seed)))
            if tally.run(beginning, part.begin):
                begun.append((end, part))
        for name in (name for name in PARTS if name in names):
            tally.run(name, partial(PARTS[name], full, tally.seed))
        for end, part in begun:
            tally.run(end, part.finish)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of what is drawn")
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join([*LEAVING, *PARTS]))
    args = parser.parse_args()
    if unknown := set(args.parts) - {*LEAVING, *PARTS}:
        parser.error(f"unknown part {min(unknown)}")
    if not stores.URL:
        sys.exit("DynamoDB Local is not running: use tests/tools/dynamodb_local.sh")
    # So that TERM ends the gateways as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    shutil.rmtree(OUTPUT, ignore_errors=True)
    print(f"seed {args.seed}", flush=True)
    tally = Tally(args.seed)
    usual = [name for name in (*LEAVING, *PARTS) if args.full or name not in FULL_ONLY]
    run(args.parts or usual, args.full, tally)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
