#!/usr/bin/env python3
"""What the gateway costs, against the upstream called directly and against a bare hyper pass-through.

The server under measurement has core 0 to itself (the gateway, or the pass-through); upstream and client share
core 1. Each round visits every target in turn and the tables give medians over the rounds, so that whatever
else the machine does falls on all alike. CPU is user+system of the target's whole process, from the kernel.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from builds import ROOT, build, commit
from report import report
from targets import Target, gateway, measure, pass_through, upstream

ROUNDS = 3
SECONDS = 1.2
CONNECTIONS = (1, 32)
KINDS = ("plain", "streamed", "hit")
# Runs of each kind before anything counts: connections, pools, and the code itself.
WARM_SECONDS = 0.3


def cases(target: Target) -> Iterator[tuple[str, int]]:
    """A hit exists only where there is a cache."""
    for kind in KINDS:
        if kind != "hit" or target.token:
            yield from ((kind, connections) for connections in CONNECTIONS)


def run(targets: list[Target], note: Callable[[str], None]) -> None:
    for target in targets:
        for kind, _ in cases(target):
            measure(target, kind, 1, WARM_SECONDS)
        target.results.clear()
    for turn in range(ROUNDS):
        for target in targets:
            for kind, connections in cases(target):
                measure(target, kind, connections, SECONDS)
        note(f"round {turn + 1} of {ROUNDS}")
    for target in targets:
        target.rss_after = target.rss()


def main() -> None:
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the server under measurement, one for the rest")
    tollgate = build("local") / "tollgate"
    bench = build("bench") / "bench"
    began = time.monotonic()
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="tollgate-bench-") as directory:
        at = Path(directory)
        mock = upstream(stack, bench, at)
        targets = [
            mock,
            pass_through(stack, bench, mock, at),
            gateway(stack, tollgate, mock, at, "memory"),
            gateway(stack, tollgate, mock, at, "embedded"),
        ]
        run(targets, lambda text: print(text, flush=True))
        load = os.getloadavg()[0]
        print(f"\ncommit {commit()}, load {load:.1f}, {time.monotonic() - began:.0f} s, {ROOT.name}")
        print(report(targets, statistics.median))


if __name__ == "__main__":
    main()
