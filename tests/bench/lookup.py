#!/usr/bin/env python3
"""CPU of a lookup in the semantic tier: what embedding costs, and what the search adds.

The texts have 13 pieces and the store holds 10,000 entries in memory. All figures are the scheduler's own count
over every thread of one process, which takes turns between what it compares.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from builds import ROOT, build, commit, table, verdict

sys.path.insert(0, str(ROOT / "tests" / "tools"))

import setup  # noqa: E402

ENTRIES, LOOKUPS, STARTS = 10_000, 300, 11
AIM_LOOKUP_MS, AIM_START_MS = 12.0, 60.0


def output(binary: Path, *words: str | Path) -> str:
    done = subprocess.run([binary, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.strip())
    return done.stdout


def starts(binary: Path) -> dict[str, tuple[float, float]]:
    """Of each way to load the weights the median CPU until they are loaded, and until the first vector."""
    kinds = ("start", "start-prepacked")
    runs: dict[str, list[list[float]]] = {kind: [] for kind in kinds}
    for turn in range(STARTS + 1):
        for kind in kinds:
            took = [float(word) for word in output(binary, kind, setup.EMBEDDER).split()]
            # The first round warms the page cache.
            if turn:
                runs[kind].append(took)
    return {
        kind: (statistics.median(run[0] for run in of), statistics.median(run[1] for run in of))
        for kind, of in runs.items()
    }


def main() -> None:
    binary = build("lookup") / "lookup"
    began = starts(binary)
    lines = output(binary, "measure", setup.EMBEDDER, str(ENTRIES), str(LOOKUPS)).splitlines()
    parts = [line.split("\t") for line in lines]
    print(f"\ncommit {commit()}, {ENTRIES:,} entries, {LOOKUPS} lookups, load {os.getloadavg()[0]:.1f}")
    print(table(["a text of 13 pieces", "CPU ms"], [[name, f"{float(spent):.2f}"] for name, spent in parts]))
    header = ["a process from its exec on", "CPU ms loaded", "first vector"]
    print(table(header, [[kind, f"{loaded:.1f}", f"{first:.1f}"] for kind, (loaded, first) in began.items()]))
    lookup, start = float(parts[0][1]), began["start"][1]
    print(f"aim: a lookup at most {AIM_LOOKUP_MS:.0f} ms CPU: {lookup:.2f} ms, {verdict(lookup <= AIM_LOOKUP_MS)}")
    print(f"aim: a start under {AIM_START_MS:.0f} ms CPU: {start:.1f} ms, {verdict(start < AIM_START_MS)}")


if __name__ == "__main__":
    main()
