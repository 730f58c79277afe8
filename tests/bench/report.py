"""The tables of `make bench`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields

from builds import table
from targets import Result, Target

TITLES = {"plain": "plain answer", "streamed": "streamed answer, 32 tokens", "hit": "exact hit"}
HEADER = [
    "",
    "added p50 us",
    "p99",
    "p50 x direct",
    "CPU us c=1",
    "c=32",
    "c=32 x direct",
    "x pass-through",
    "rps c=32",
    "x direct",
    "x pass-through",
]

Middle = Callable[[Sequence[float]], float]


def report(targets: Sequence[Target], middle: Middle) -> str:
    """One table for each kind of request, each figure beside the same figure of the references."""
    direct, through = targets[0], targets[1]
    parts = []
    for kind, title in TITLES.items():
        # A hit calls nobody: it is held against the plain answer.
        reference = "plain" if kind == "hit" else kind
        references = [medians(of, reference, middle) for of in (direct, through)]
        rows = [
            row(of, kind if (kind, 1) in of.results else reference, references, middle, kind)
            for of in targets
        ]
        latency = "time to first token" if kind == "streamed" else "latency"
        parts.append(f"\n{title} ({latency} at 1 connection)\n{table(HEADER, rows)}")
    memory = [[of.name, f"{of.rss_idle:.1f}", f"{of.rss_after:.1f}"] for of in targets]
    parts.append(f"\nmemory\n{table(['', 'RSS MiB idle', 'after'], memory)}")
    parts.append(
        "\ndirect: its latency is absolute, its CPU that of the upstream itself; all else is added to it."
    )
    return "\n".join(parts)


def medians(of: Target, kind: str, middle: Middle) -> dict[int, Result]:
    """Over the rounds, field by field, for each number of connections."""
    found = {}
    for (measured, connections), results in of.results.items():
        if measured == kind:
            found[connections] = Result(
                *(middle([getattr(result, name.name) for result in results]) for name in fields(Result))
            )
    return found


def row(of: Target, measured: str, references: list[dict[int, Result]], middle: Middle, kind: str) -> list[str]:
    mine = medians(of, measured, middle)
    direct, through = references
    p50, p99 = ("first_p50", "first_p99") if kind == "streamed" else ("whole_p50", "whole_p99")
    base50, base99 = getattr(direct[1], p50), getattr(direct[1], p99)
    mine50, mine99 = getattr(mine[1], p50), getattr(mine[1], p99)
    # The direct row shows what the others are added to.
    floor50, floor99 = (0.0, 0.0) if of.name == "direct" else (base50, base99)
    return [
        of.name,
        f"{mine50 - floor50:,.0f}",
        f"{mine99 - floor99:,.0f}",
        f"{mine50 / base50:.1f}",
        f"{mine[1].cpu:,.0f}",
        f"{mine[32].cpu:,.0f}",
        f"{mine[32].cpu / direct[32].cpu:.1f}",
        f"{mine[32].cpu / through[32].cpu:.1f}",
        f"{mine[32].rate:,.0f}",
        f"{mine[32].rate / direct[32].rate:.2f}",
        f"{mine[32].rate / through[32].rate:.2f}",
    ]
