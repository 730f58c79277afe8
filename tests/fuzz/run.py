#!/usr/bin/env python3
"""Runs fuzz targets, each for a while, and tells how often each ran and what it found.

    run.py [--seconds N] [--jobs N] [TARGET...]    all targets without arguments

The committed corpus is only read; what the fuzzer adds to it stays in tests/output/fuzz/TARGET/, where its log
and its findings are as well. libFuzzer needs coverage, which stable Rust instruments too; it does without
sanitizers, which stable Rust does not have.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILT = ROOT / "target" / "fuzz"
OUTPUT = ROOT / "tests" / "output" / "fuzz"
# Seconds that one input may take, bytes that it may have, and megabytes that a target may use.
LIMITS = ("-timeout=10", "-max_len=16384", "-rss_limit_mb=2048")
EXECUTIONS = re.compile(r"stat::number_of_executed_units: +(\d+)")
COVERAGE = re.compile(r"cov: (\d+)")


@dataclass
class Run:
    target: str
    seconds: float
    exit_code: int
    executions: int
    coverage: int
    findings: list[Path]

    @property
    def failed(self) -> bool:
        return self.exit_code != 0 or bool(self.findings) or self.executions == 0


def targets() -> list[str]:
    return sorted(path.stem for path in (HERE / "fuzz_targets").glob("*.rs"))


def cargo_fuzz(*words: str) -> list[str]:
    return ["cargo", "fuzz", words[0], "--fuzz-dir", str(HERE), "--target-dir", str(BUILT), "--sanitizer", "none", *words[1:]]


def binaries() -> Path:
    host = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    triple = re.search(r"^host: (.+)$", host, re.MULTILINE)
    return BUILT / (triple[1] if triple else "") / "release"


def fuzz(target: str, seconds: int) -> Run:
    folder = OUTPUT / target
    found, grown = folder / "findings", folder / "corpus"
    for path in (found, grown):
        path.mkdir(parents=True, exist_ok=True)
    for old in found.iterdir():
        old.unlink()
    command = [binaries() / target, f"-max_total_time={seconds}", f"-artifact_prefix={found}/", *LIMITS]
    command += [f"-dict={HERE / 'words.dict'}", "-print_final_stats=1", grown, HERE / "corpus" / target]
    started = time.monotonic()
    with (folder / "log").open("wb") as log:
        process = subprocess.run([str(part) for part in command], stdout=log, stderr=log, cwd=folder, check=False)
    text = (folder / "log").read_text(errors="replace")
    executions, coverage = EXECUTIONS.findall(text), COVERAGE.findall(text)
    return Run(
        target,
        time.monotonic() - started,
        process.returncode,
        int(executions[-1]) if executions else 0,
        int(coverage[-1]) if coverage else 0,
        sorted(found.iterdir()),
    )


def tell(run: Run) -> None:
    rate = run.executions / run.seconds
    figures = f"{run.executions:>10} runs {rate:>8.0f} /s {run.coverage:>6} edges {len(run.findings):>3} findings"
    print(f"{run.target:<20} {run.seconds:>5.0f} s {figures}", flush=True)
    if not run.failed:
        return
    log = (OUTPUT / run.target / "log").read_text(errors="replace").splitlines()
    panics = [index for index, line in enumerate(log) if "panicked at" in line]
    print("\n".join(log[panics[0] : panics[0] + 5] if panics else log[-15:]))
    for finding in run.findings:
        print(f"  again:   {' '.join(cargo_fuzz('run', run.target, str(finding)))}")
        print(f"  shorten: {' '.join(cargo_fuzz('tmin', run.target, str(finding)))}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=" ".join(targets()))
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets side by side")
    wanted = parser.parse_args()
    if unknown := set(wanted.targets) - set(targets()):
        parser.error(f"unknown target {min(unknown)!r}")
    subprocess.run(cargo_fuzz("build"), cwd=ROOT, check=True)
    with ThreadPoolExecutor(wanted.jobs) as pool:
        pending = [pool.submit(fuzz, target, wanted.seconds) for target in wanted.targets or targets()]
        runs = []
        for one in pending:
            runs.append(one.result())
            tell(runs[-1])
    failed = sum(run.failed for run in runs)
    print(f"\n{sum(run.executions for run in runs)} runs, {sum(len(run.findings) for run in runs)} findings")
    print(f"{len(runs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
