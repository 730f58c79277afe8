#!/usr/bin/env python3
"""Sends drawn requests through every pair of dialects and checks all that is made on the way against the
vendors' published schemas.

    run.py [--cases N] [--seed N] [--pair IN:OUT]

The types of the OpenAI and Anthropic SDKs are generated from their vendors' schemas; Bedrock's is the service
model of botocore. Runs in the environment of the client tests.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import schemas

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve()
BUILT = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
CASES = ROOT / "tests" / "output" / "round-trip.jsonl"
# Faults that are shown; the rest are counted.
SHOWN = 20


# A body that the schema allows, by kind and dialect, and changes that it does not: the check must notice them.
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
ASKED = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}
STOP = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}
PIECE = {"type": "response.refusal.delta", "sequence_number": 1, "output_index": 0, "content_index": 0, "delta": "no"}
NOTICED: tuple[tuple[str, str, dict[str, Any], tuple[dict[str, Any], ...]], ...] = (
    ("event", "chat", CHUNK, ({"created": "1"}, {"x": 1}, {"choices": [{"index": 0, "delta": {"role": "robot"}}]})),
    ("request", "chat", ASKED, ({"n": "1"}, {"messages": [{"role": "user", "content": [{"type": "texts"}]}]})),
    ("sent", "anthropic", ASKED | {"max_tokens": 1}, ({"max_tokens": None}, {"tools": [{"name": "f"}]})),
    ("event", "messages", STOP, ({"type": "message_end"}, {"delta": {"stop_reason": "tired"}})),
    ("event", "responses", PIECE | {"item_id": "i"}, ({"delta": None}, {"text": "no"}, {"item_id": 1})),
)


def unnoticed() -> list[str]:
    """What the schemas let pass and should not, or refuse and should not."""
    found = []
    for kind, dialect, good, changes in NOTICED:
        found += [f"{kind} {dialect} is refused: {fault}" for fault in schemas.check(kind, dialect, good)]
        bad = [change for change in changes if not list(schemas.check(kind, dialect, good | change))]
        found += [f"{kind} {dialect} may have {change}" for change in bad]
    return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=150, help="answered requests of each pair")
    parser.add_argument("--seed", type=int, default=1, help="the first case's seed; each case is the seed of its own")
    parser.add_argument("--pair", help="one pair alone, such as responses:bedrock")
    return parser.parse_args()


def draw(wanted: argparse.Namespace) -> bool:
    """Has the cases written; what is lost or bent on the way is found there and told at once."""
    CASES.parent.mkdir(parents=True, exist_ok=True)
    # Selected by the workspace's features, so that nothing is built twice.
    build = ["cargo", "build", "--quiet", "--locked", "--workspace", "--bin", "round-trip"]
    subprocess.run(build, cwd=ROOT, check=True)
    command = [BUILT / "round-trip", "--cases", str(wanted.cases), "--seed", str(wanted.seed)]
    command += ["--pair", wanted.pair] if wanted.pair else []
    with CASES.open("wb") as out:
        return subprocess.run(command, cwd=ROOT, stdout=out, check=False).returncode == 0


def check_sdks() -> tuple[Counter[str], list[str]]:
    """Bodies by pair, and the faults."""
    checked: Counter[str] = Counter()
    faults: list[str] = []
    with CASES.open() as lines:
        for line in lines:
            case = json.loads(line)
            inbound, outbound = case["pair"].split(":")
            if case["kind"] == "sent" and outbound == "bedrock":
                continue
            dialect = outbound if case["kind"] == "sent" else inbound
            found = list(schemas.check(case["kind"], dialect, case["body"]))
            checked[f"{case['pair']} {case['kind']}"] += 1
            faults += [f"{case['pair']} seed {case['seed']} {case['kind']}: {fault}" for fault in found]
    return checked, faults


def check_converse() -> tuple[Counter[str], list[str]]:
    """The bodies for Bedrock by pair, and the faults; in the environment that has botocore."""
    python = TOOLS / "ministack" / "bin" / "python"
    script = Path(__file__).with_name("converse.py")
    done = subprocess.run([python, script, CASES], stdout=subprocess.PIPE, text=True, check=False)
    *faults, last = done.stdout.splitlines() or ["{}"]
    return Counter({f"{pair} sent": count for pair, count in json.loads(last).items()}), faults


def report(checked: Counter[str]) -> None:
    kinds = ("request", "sent", "whole", "event")
    print(f"\n{'pair':<22}" + "".join(f"{kind:>9}" for kind in kinds))
    for pair in sorted({name.split()[0] for name in checked}):
        counts = "".join(f"{checked[f'{pair} {kind}']:>9}" for kind in kinds)
        print(f"{pair:<22}{counts}")
    print()


def main() -> int:
    wanted = arguments()
    translated = draw(wanted)
    checked, faults = check_sdks()
    faults += unnoticed()
    if not wanted.pair or wanted.pair.endswith(":bedrock"):
        sent, found = check_converse()
        checked += sent
        faults += found
    report(checked)
    for fault in faults[:SHOWN]:
        print(fault)
    if faults:
        print(f"{len(faults)} faults; a case is run again with --seed N --cases 1 --pair IN:OUT")
    pairs = {name.split()[0] for name in checked}
    failed = len({fault.split()[0] for fault in faults}) + (not translated)
    print(f"{sum(checked.values())} bodies checked")
    print(f"{len(pairs)} passed, {failed} failed")
    return 0 if translated and pairs and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
