#!/usr/bin/env python3
"""Runs the stages of `make test` in order, times each, and closes with a table and the test counts.

    stages.py [STAGE...]      those of `make test` without arguments
    stages.py --full          those and the long ones: `make test-full`

A stage that others need (set-up, build) ends the run when it fails; after any other failure the rest still
runs. The output of each stage is kept in tests/output/stages/.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve()
LOGS = ROOT / "tests" / "output" / "stages"

NEXTEST = re.compile(r"Summary \[.*?\] +\d+ tests? run: (.*)")
CARGO_TEST = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed")
PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed", re.MULTILINE)
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n+(?:OK|FAILED)(.*)$", re.MULTILINE)
NODE = re.compile(r"^. (pass|fail) (\d+)$", re.MULTILINE)
CHECK = re.compile(r"^ +ok  ", re.MULTILINE)


@dataclass(frozen=True)
class Stage:
    name: str
    command: Sequence[str | Path]
    minutes: float
    # The following stages make no sense when this one failed.
    needed: bool = False
    # It takes minutes, and is left out unless it is asked for.
    long: bool = False


@dataclass
class Result:
    stage: Stage
    seconds: float
    outcome: str
    passed: int = 0
    failed: int = 0


def cargo_test(*packages: str, on: str | None = None) -> list[str]:
    """The test command: nextest where it is installed, cargo's own runner otherwise.

    The cases `on` a server pass unrun where there is none, so they are counted in their own stage only.
    """
    if shutil.which("cargo-nextest", path=environment()["PATH"]):
        chosen = f"test({on})" if on else " & ".join(f"not test({name})" for name in SERVERS)
        return ["cargo", "nextest", "run", "--locked", "--profile", "ci", *packages, "-E", chosen]
    chosen_by_name = [on] if on else [part for name in SERVERS for part in ("--skip", name)]
    return ["cargo", "test", "--locked", "--no-fail-fast", *packages, "--", *chosen_by_name]


def stages() -> list[Stage]:
    here = ROOT / "tests"
    setup: list[str | Path] = [sys.executable, here / "tools" / "setup.py"]
    clients_python = TOOLS / "clients" / "bin" / "python"
    lambda_python = TOOLS / "ministack" / "bin" / "python"
    contract = cargo_test("--package", "tests", on=DYNAMODB_LOCAL)
    vectors = cargo_test("--package", "tests", on=VECTOR_SERVERS)
    return [
        Stage("setup", setup, 15, needed=True),
        Stage("format", ["cargo", "fmt", "--all", "--check"], 2),
        Stage("build", ["cargo", "build", "--workspace", "--all-targets", "--locked"], 40, needed=True),
        Stage("rust", cargo_test("--workspace"), 20),
        Stage("contract", [here / "tools" / "dynamodb_local.sh", *contract], 10),
        Stage("vectors", [sys.executable, here / "tools" / "vector_servers.py", *vectors], 10),
        Stage("race", [here / "tools" / "dynamodb_local.sh", sys.executable, here / "race" / "run.py"], 10),
        Stage("canary", [here / "tools" / "dynamodb_local.sh", sys.executable, here / "canary" / "run.py"], 10),
        Stage("round-trip", [clients_python, here / "dialects" / "run.py"], 10),
        Stage("otlp", [sys.executable, here / "otlp" / "run.py"], 5),
        Stage("clients", [clients_python, here / "clients" / "run.py"], 20),
        Stage("dashboard", [sys.executable, here / "dashboard" / "run.py"], 10),
        Stage("lambda-lint", [TOOLS / "sam" / "bin" / "sam", "validate", "--lint", "-t", ROOT / TEMPLATE], 5),
        Stage("lambda-lint-nested", [TOOLS / "sam" / "bin" / "cfn-lint", *(ROOT / nested for nested in NESTED)], 5),
        *(
            Stage(f"lambda-{name}", [lambda_python, here / "lambda" / f"{script}.py"], minutes)
            for name, script, minutes in LAMBDA
        ),
        Stage("purity", ["cargo", "check", "-p", "shared", "--no-default-features", "--locked"], 10),
        Stage("clippy", CLIPPY, 20),
        Stage("dependencies", [TOOLS / "rust" / "bin" / "cargo-deny", *DENY], 2),
        Stage("setup-fuzz", [*setup, "fuzz"], 5, needed=True, long=True),
        Stage("fuzz", [sys.executable, here / "fuzz" / "run.py", "--seconds", FUZZ_SECONDS], 40, long=True),
    ]


TEMPLATE = "infra/template.yaml"
NESTED = ("infra/stores.yaml", "infra/roles.yaml", "infra/monitoring.yaml", "infra/network.yaml")
# For each fuzz target.
FUZZ_SECONDS = "60"
# Part of the name of every contract case that needs DynamoDB Local, or a server of vectors.
DYNAMODB_LOCAL = "dynamodb_local"
VECTOR_SERVERS = "::server_"
SERVERS = (DYNAMODB_LOCAL, VECTOR_SERVERS)
# Stage, script in tests/lambda/, limit in minutes.
LAMBDA = (
    ("template", "template_test", 5),
    ("rie", "rie_test", 10),
    ("stream", "stream_test", 10),
    ("deploy", "deploy_local", 15),
)
CLIPPY = ("cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings")
# Advisories need a database from outside the package registries and are not checked here.
DENY = ("--locked", "check", "bans", "licenses", "sources")


def counts(output: str) -> tuple[int, int]:
    """Passed and failed tests, read from the closing lines of the runners used here."""
    if found := NEXTEST.findall(output):
        numbers = {word.strip(): int(number) for number, word in re.findall(r"(\d+) ([a-z ]+)", found[-1])}
        broken = sum(number for word, number in numbers.items() if word in ("failed", "timed out", "exec failed"))
        return numbers.get("passed", 0), broken
    if found := CARGO_TEST.findall(output):
        return sum(int(passed) for passed, _ in found), sum(int(failed) for _, failed in found)
    if found := PLAIN.findall(output):
        return int(found[-1][0]), int(found[-1][1])
    if found := UNITTEST.findall(output):
        broken = sum(int(number) for number in re.findall(r"(?:failures|errors)=(\d+)", found[-1][1]))
        return int(found[-1][0]) - broken, broken
    if found := NODE.findall(output):
        return tuple(sum(int(number) for word, number in found if word == wanted) for wanted in ("pass", "fail"))
    return len(CHECK.findall(output)), 0


def environment() -> dict[str, str]:
    # The wheels' cargo subcommands come last: an installed one is preferred.
    path = os.pathsep.join([os.environ.get("PATH", ""), *(str(TOOLS / name / "bin") for name in ("rust", "fuzz"))])
    # `sam validate` wants a region to read managed policies for, though it calls nothing.
    sam = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    return os.environ | sam | {"PATH": path, "TOLLGATE_TOOLS": str(TOOLS), "PYTHONUNBUFFERED": "1"}


def end(process: subprocess.Popen[bytes]) -> None:
    # The stage leads its own process group, so nothing it started outlives it.
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(10)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue


def execute(stage: Stage) -> Result:
    print(f"\n== {stage.name}: {' '.join(str(part) for part in stage.command)}", flush=True)
    log = LOGS / f"{stage.name}.log"
    started = time.monotonic()
    tee = subprocess.Popen(["tee", str(log)], stdin=subprocess.PIPE)
    process = subprocess.Popen(
        [str(part) for part in stage.command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=tee.stdin,
        stderr=subprocess.STDOUT,
        env=environment(),
        start_new_session=True,
    )
    # Ours is closed, so that tee ends with the stage.
    if tee.stdin:
        tee.stdin.close()
    outcome = "ok"
    try:
        if process.wait(stage.minutes * 60) != 0:
            outcome = f"exit {process.returncode}"
    except subprocess.TimeoutExpired:
        outcome = f"over {stage.minutes:g} min"
    finally:
        end(process)
        tee.wait()
    passed, failed = counts(log.read_text(errors="replace"))
    if outcome != "ok":
        failed = max(failed, 1)
    return Result(stage, time.monotonic() - started, outcome, passed, failed)


def report(results: list[Result], skipped: list[str]) -> int:
    print(f"\n{'stage':<16} {'time':>8}  {'result':<12} {'passed':>7} {'failed':>7}")
    for result in results:
        tests = f"{result.passed:>7} {result.failed:>7}"
        print(f"{result.stage.name:<16} {result.seconds:>6.1f} s  {result.outcome:<12} {tests}")
    for name in skipped:
        print(f"{name:<16} {'-':>8}  not run")
    print(f"{'all':<16} {sum(result.seconds for result in results):>6.1f} s\n")
    failed = sum(result.failed for result in results)
    print(f"{sum(result.passed for result in results)} passed, {failed} failed", flush=True)
    return 1 if failed or skipped else 0


def main(names: list[str]) -> int:
    known = [stage.name for stage in stages()]
    short = [stage.name for stage in stages() if not stage.long]
    if names in ([], ["--full"]):
        names = known if names else short
    if unknown := set(names) - set(known):
        print(f"unknown stage {min(unknown)!r}; known: {' '.join(known)}", file=sys.stderr)
        return 2
    LOGS.mkdir(parents=True, exist_ok=True)
    chosen = [name for name in known if name in names]
    results: list[Result] = []
    for name in chosen:
        # Looked up anew, because set-up may just have installed the better test runner.
        stage = next(stage for stage in stages() if stage.name == name)
        results.append(execute(stage))
        if stage.needed and results[-1].outcome != "ok":
            break
    return report(results, chosen[len(results) :])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
