#!/usr/bin/env python3
"""Size and start-up CPU of each function, from exec to its first `GET /next` on a fake Runtime API.

The CPU is the scheduler's own count for every thread of the process (nanoseconds), read once the function
waits for its first event: it holds exec, dynamic linking and the whole of init. `bare` is the least a
function on lambda_http can be, built in the same run. Functions named on the command line are measured alone.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from builds import ROOT, build, commit, table, verdict
from runtime_api import FakeAws, FakeRuntime

RUNS = 21
EMBEDDER = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve() / "models" / "all-minilm-l6-v2"
FUNCTIONS = ("chat", "usage", "admin", "cache", "indexer", "alerts")
# Of `chat`, and of `cache` with the weights of its embedder.
AIM_CPU_MS = {"chat": 6.0, "cache": 60.0}
AIM_BYTES = {"chat": 10_000_000}
START_SECONDS = 10.0
# A function that has asked for its first event does nothing more; this lets it get to sleep.
SETTLE_SECONDS = 0.003


@dataclass(frozen=True)
class Start:
    cpu_ms: float
    wall_ms: float
    rss_kib: int


def configuration(provider: FakeAws) -> str:
    """The configuration as shipped, but for a provider on the loopback: init opens a connection to the
    providers it will use, and a benchmark has no business with real ones."""
    config = json.loads((ROOT / "config" / "ai-gateway.json").read_text())
    config["$schema"] = str(ROOT / "config" / "ai-gateway.schema.json")
    config["providers"] = {"mock": {"dialect": "openai", "base_url": f"{provider.url}/v1", "local": True}}
    config["routing"] |= {"primary": "mock/m", "fallbacks": []}
    return json.dumps(config)


def environment(runtime: FakeRuntime, aws: FakeAws, config: Path) -> dict[str, str]:
    """What Lambda and the template set, with secrets in variables and AWS on the loopback."""
    return {
        "AWS_LAMBDA_RUNTIME_API": runtime.authority,
        "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
        "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_SESSION_TOKEN": "bench",
        "AWS_ENDPOINT_URL": aws.url,
        "LAMBDA_TASK_ROOT": str(ROOT),
        "TOLLGATE_CONFIG": str(config),
        "CONTROL_TABLE": "control",
        "BUDGETS_TABLE": "budgets",
        "LEDGER_TABLE": "ledger",
        "USAGE_TABLE": "usage",
        "CACHE_TABLE": "cache",
        "SETTLE_QUEUE_URL": f"{aws.url}/000000000000/settle",
        "INDEX_QUEUE_URL": f"{aws.url}/000000000000/index",
        **{f"{name}_DEAD_LETTERS_URL": f"{aws.url}/000000000000/letters" for name in ("SETTLE", "USAGE", "INDEX")},
        "CACHE_FUNCTION": "cache",
        "TOLLGATE_EMBEDDER": str(EMBEDDER),
        "KEY_PEPPER": "env:PEPPER",
        "PEPPER": "bench-pepper",
        "ADMIN_KEY": "env:ADMIN",
        "ADMIN": "bench-admin-key",
    }


def cpu_ms(process: int) -> float:
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e6


def rss_kib(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def start(binary: Path, runtime: FakeRuntime, env: dict[str, str]) -> Start:
    runtime.asked.clear()
    began = time.perf_counter()
    child = subprocess.Popen([binary], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if not runtime.asked.wait(START_SECONDS):
            child.kill()
            errors = child.stderr.read() if child.stderr else b""
            sys.exit(f"{binary.name} never asked for an event:\n{errors.decode(errors='replace')}")
        wall = (runtime.asked_at - began) * 1e3
        time.sleep(SETTLE_SECONDS)
        return Start(cpu_ms(child.pid), wall, rss_kib(child.pid))
    finally:
        child.kill()
        child.wait()
        if child.stderr:
            child.stderr.close()


def measure(binaries: list[Path], runtime: FakeRuntime, env: dict[str, str]) -> dict[str, list[Start]]:
    """Takes turns, so that whatever else the machine does falls on all alike. The first round warms."""
    starts: dict[str, list[Start]] = {binary.name: [] for binary in binaries}
    for turn in range(RUNS + 1):
        for binary in binaries:
            took = start(binary, runtime, env)
            if turn:
                starts[binary.name].append(took)
    return starts


def row(binary: Path, starts: list[Start], bare: float, calls: int) -> list[str]:
    cpu = [took.cpu_ms for took in starts]
    median = statistics.median(cpu)
    return [
        binary.name,
        f"{binary.stat().st_size:,}",
        f"{min(cpu):.2f}",
        f"{median:.2f}",
        f"{median / bare:.1f}",
        f"{min(took.wall_ms for took in starts):.2f}",
        f"{statistics.median(took.wall_ms for took in starts):.2f}",
        f"{statistics.median(took.rss_kib for took in starts) / 1024:.1f}",
        str(calls),
    ]


HEADER = ["function", "bytes", "CPU ms min", "median", "x bare", "wall ms min", "median", "RSS MiB", "calls"]


def aims(binary: Path, starts: list[Start]) -> None:
    name, size = binary.name, binary.stat().st_size
    cpu = statistics.median(took.cpu_ms for took in starts)
    if (most := AIM_CPU_MS.get(name)) is not None:
        print(f"aim: {name} under {most:.0f} ms CPU: {cpu:.2f} ms, {verdict(cpu < most)}")
    if (most := AIM_BYTES.get(name)) is not None:
        print(f"aim: {name} under {most / 1e6:.0f} MB: {size / 1e6:.2f} MB, {verdict(size < most)}")


def main(names: list[str]) -> None:
    if unknown := [name for name in names if name not in FUNCTIONS]:
        sys.exit(f"unknown function {unknown[0]!r}; known: {' '.join(FUNCTIONS)}")
    names = names or list(FUNCTIONS)
    # Built apart, as they are deployed; the bench's own needs must not reach into them.
    groups = [[name for name in names if (name == "chat") is apart] for apart in (True, False)]
    built = [(build(*group), group) for group in groups if group]
    binaries = [directory / name for directory, group in built for name in group]
    binaries.append(build("bench") / "bare")
    with FakeRuntime() as runtime, FakeAws() as aws, tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(configuration(aws))
        file.flush()
        env = environment(runtime, aws, Path(file.name))
        calls = {}
        for binary in binaries:
            aws.calls = 0
            start(binary, runtime, env)
            calls[binary.name] = aws.calls
        starts = measure(binaries, runtime, env)
    bare = statistics.median(took.cpu_ms for took in starts["bare"])
    print(f"\ncommit {commit()}, {RUNS} starts each, load {os.getloadavg()[0]:.1f}")
    print(table(HEADER, [row(binary, starts[binary.name], bare, calls[binary.name]) for binary in binaries]))
    for binary in binaries:
        aims(binary, starts[binary.name])


if __name__ == "__main__":
    main(sys.argv[1:])
