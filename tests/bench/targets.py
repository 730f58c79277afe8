"""The servers under measurement, and one measurement of one of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

import servers  # noqa: E402

SERVER_CORE, OTHER_CORE = "0", "1"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROMPT = "Name the three things a gateway in front of language models has to get right, in one short sentence."

CONFIG = {
    "providers": {"mock": {"dialect": "openai", "base_url": "", "local": True}},
    "routing": {"primary": "mock/m", "fallbacks": []},
    "observability": {"log_level": "error"},
}
PRICES = {
    "version": 1,
    "prices": [
        {
            "id": "mock/*@2024-01-01",
            "model": "mock/*",
            "valid_from": "2024-01-01",
            "unit": "usd_micro_per_mtok",
            "input": 1,
            "output": 1,
            "context_window": 128000,
            "max_output_tokens": 1024,
            "reasoning": False,
            "source": "nominal: the upstream of the benchmark",
            "checked": "2026-11-23",
        }
    ],
}


@dataclass(frozen=True)
class Result:
    """Microseconds, but for the rate."""

    whole_p50: float
    whole_p99: float
    first_p50: float
    first_p99: float
    rate: float
    cpu: float


@dataclass
class Target:
    name: str
    url: str
    process: int
    # The client, on core 1.
    load: list[str | Path]
    directory: Path
    token: str = ""
    rss_idle: float = 0.0
    rss_after: float = 0.0
    next_prompt: int = 1
    results: dict[tuple[str, int], list[Result]] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        words = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / TICKS_PER_SECOND

    def rss(self) -> float:
        """MiB."""
        status = Path(f"/proc/{self.process}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def serve(stack: ExitStack, name: str, core: str, command: list[str | Path], at: Path) -> servers.Server:
    return stack.enter_context(servers.start(name, ["taskset", "-c", core, *command], at))


def target(name: str, server: servers.Server, bench: Path, at: Path, token: str = "") -> Target:
    load = ["taskset", "-c", OTHER_CORE, bench, "load"]
    made = Target(name, server.url, server.process.pid, load, at, token)
    made.rss_idle = made.rss()
    return made


def upstream(stack: ExitStack, bench: Path, at: Path) -> Target:
    return target("direct", serve(stack, "upstream", OTHER_CORE, [bench, "upstream"], at), bench, at)


def pass_through(stack: ExitStack, bench: Path, mock: Target, at: Path) -> Target:
    command = [bench, "proxy", mock.url.removeprefix("http://")]
    return target("pass-through", serve(stack, "proxy", SERVER_CORE, command, at), bench, at)


def gateway(stack: ExitStack, tollgate: Path, mock: Target, at: Path, store: str) -> Target:
    config, prices, data = at / "config.json", at / "prices.json", at / store
    CONFIG["providers"]["mock"]["base_url"] = f"{mock.url}/v1"
    config.write_text(json.dumps(CONFIG))
    prices.write_text(json.dumps(PRICES))
    command: list[str | Path] = [tollgate, "dev", "--port", "0", "--data", data, "--config", config]
    server = serve(stack, store, SERVER_CORE, [*command, "--prices", prices, "--store", store], at)
    token = make_key(server.url, (data / "admin-key").read_text().strip())
    return target(f"tollgate, {store}", server, tollgate.with_name("bench"), at, token)


def make_key(url: str, admin_key: str) -> str:
    """A key with a budget and both rates, so that every request holds and counts all three."""
    fields = {"name": "bench", "budgetUsd": "1000", "period": "month", "rpm": 100_000_000, "tpm": 10**12}
    headers = {"authorization": f"Bearer {admin_key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{url}/admin/keys", json.dumps(fields).encode(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["key"])


def plan(of: Target, kind: str, connections: int, seconds: float) -> dict[str, object]:
    # A hit asks the same again; every other prompt is new, on one target and over the whole run.
    number = "0" if kind == "hit" else "@"
    body = {"model": "mock/m", "messages": [{"role": "user", "content": f"{PROMPT} ({number})"}]}
    if kind == "streamed":
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return {
        "url": f"{of.url}/v1/chat/completions",
        "token": of.token or "none",
        "body": json.dumps(body),
        "connections": connections,
        "seconds": seconds,
        "first": of.next_prompt,
    }


def measure(of: Target, kind: str, connections: int, seconds: float) -> None:
    if kind == "hit":
        ask(of, plan(of, kind, 1, 0.01))
    wanted = plan(of, kind, connections, seconds)
    before = of.cpu_seconds()
    found = ask(of, wanted)
    spent = of.cpu_seconds() - before
    requests = int(found["requests"])
    of.next_prompt += requests
    expected = requests if kind == "hit" else 0
    if found["hits"] != expected:
        sys.exit(f"{of.name}, {kind}: {found['hits']} of {requests} answers came from the cache")
    times = [float(found[name]) for name in ("p50", "p99", "first_p50", "first_p99")]
    result = Result(*times, requests / float(found["seconds"]), spent * 1e6 / requests)
    of.results.setdefault((kind, connections), []).append(result)


def ask(of: Target, wanted: dict[str, object]) -> dict[str, float]:
    file = of.directory / "plan.json"
    file.write_text(json.dumps(wanted))
    done = subprocess.run([*of.load, file], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{of.name}: {done.stderr.strip()}")
    return dict(json.loads(done.stdout))
