#!/usr/bin/env python3
"""Money under concurrency: real processes against real gateways, and a provider that keeps its own bill.

    run.py [--full] [--seed N] [PART...]     parts: dynamodb embedded mix

Without --full, budgets and counts are those of `make test`, which leaves the mix out; with it, those of `make race`.
It runs inside tests/tools/dynamodb_local.sh.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "tests" / "output" / "race"

import draws
import spend
import stores
from books import Failure
from spend import Race

USD = 10**9


def dynamodb(full: bool, seed: int) -> None:
    cap = (5 if full else 1) * USD
    race = Race("two gateways over DynamoDB Local", ["--dynamodb", stores.URL], 2, 64, cap)
    spend.run(race, seed, OUTPUT / "dynamodb", stores.DynamoDb())


def embedded(full: bool, seed: int) -> None:
    cap = (5 if full else 0.5) * USD
    spend.run(Race("one gateway over the embedded store", [], 1, 64, int(cap)), seed, OUTPUT / "embedded", None)


def mix(full: bool, seed: int) -> None:
    count, cap = (64, 8 * USD) if full else (16, 2 * USD)
    store = ["--dynamodb", stores.URL]
    race = Race("a realistic mix", store, 2, count, cap, draws.REALISTIC, think=2.0, seconds=0.5)
    spend.run(race, seed, OUTPUT / "mix", stores.DynamoDb())


PARTS: dict[str, Callable[[bool, int], None]] = {"dynamodb": dynamodb, "embedded": embedded, "mix": mix}
# Too long for its worth in `make test`: it measures, and proves nothing about money.
FULL_ONLY = ("mix",)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the requests that are drawn")
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[[], *PARTS], help=" ".join(PARTS))
    args = parser.parse_args()
    if not stores.URL:
        sys.exit("DynamoDB Local is not running: use tests/tools/dynamodb_local.sh")
    shutil.rmtree(OUTPUT, ignore_errors=True)
    print(f"seed {args.seed}", flush=True)
    failed = 0
    names = args.parts or [name for name in PARTS if args.full or name not in FULL_ONLY]
    for name in names:
        began = time.monotonic()
        try:
            PARTS[name](args.full, args.seed)
            print(f"  ok  {name} ({time.monotonic() - began:.1f} s)", flush=True)
        except Failure as failure:
            failed += 1
            print(f"  FAIL  {name}: {failure} (seed {args.seed}; logs in {OUTPUT / name})", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
