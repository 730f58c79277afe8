#!/usr/bin/env python3
"""Runs the stock OpenAI SDKs, Python and Node, through a real `tollgate dev`.

    run.py [--gateway FILE]     through the gateway
    run.py --direct             straight against the upstreams, which proves the client scripts themselves

Upstreams: SmolLM2, a real model served by llama.cpp; aimock, a scripted OpenAI-compatible server; and the
gateway's own demo provider. What a key has spent is compared, to the nano-dollar, with the usage the SDKs got.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "clients"
TOOLS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve()
OUTPUT = ROOT / "tests" / "output" / "clients"
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import servers
from admin import Admin, expected_cost

CLIENTS: dict[str, list[str | Path]] = {
    "python": [TOOLS / "clients" / "bin" / "python", HERE / "openai_client.py"],
    "node": ["node", HERE / "openai_client.mjs"],
}
AMPLE, NOTHING = "1.00", "0.000000001"
CASE_SECONDS = 120.0


@dataclass(frozen=True)
class Case:
    scenario: str
    model: str
    budget: str = AMPLE
    # The ledger's total must equal what the SDK's usage comes to at the listed price.
    audited: bool = False

    @property
    def direct_model(self) -> str:
        return self.model.split("/", 1)[1]


CASES = (
    Case("text", "local/smollm2", audited=True),
    Case("text", "openai/gpt-4o-mini", audited=True),
    Case("tools", "openai/gpt-4o-mini"),
    Case("schema", "openai/gpt-4o-mini"),
    Case("image", "openai/gpt-4o-mini"),
    Case("tools", "demo/tool"),
    Case("demo", "demo/tokens-12"),
    Case("errors", "demo/ok"),
    Case("quota", "local/smollm2", budget=NOTHING),
)


@dataclass
class Tally:
    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, name: str, error: str | None) -> None:
        if error is None:
            self.passed += 1
            print(f"  ok    {name}", flush=True)
        else:
            self.failed.append(name)
            print(f"  FAIL  {name}: {error}", flush=True)


def environment(**more: str) -> dict[str, str]:
    # Nothing of the developer's own provider keys or gateway settings may reach a test.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | more


def start_smollm2(logs: Path) -> servers.Server:
    model = TOOLS / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    return servers.start("smollm2", [TOOLS / "model" / "bin" / "python", HERE / "smollm2.py", "--model", model], logs)


def start_aimock(logs: Path) -> servers.Server:
    flags: list[str | Path] = [
        "-p",
        "0",
        "-h",
        "127.0.0.1",
        "-f",
        HERE / "aimock.json",
        "--validate-on-load",
        "--strict",
    ]
    return servers.start("aimock", [HERE / "node_modules" / ".bin" / "llmock", *flags], logs)


def gateway_config(smollm2: str, aimock: str) -> dict[str, Any]:
    return {
        "gateway": {"timeout_ms": 30000},
        "providers": {
            "local": {"dialect": "openai", "base_url": f"{smollm2}/v1", "local": True},
            "openai": {
                "dialect": "openai",
                "base_url": f"{aimock}/v1",
                "local": True,
                "secret": "env:AIMOCK_KEY",
            },
        },
        "routing": {"primary": "local/smollm2", "fallbacks": []},
    }


def start_gateway(binary: Path, smollm2: str, aimock: str) -> servers.Server:
    data, config = OUTPUT / "data", OUTPUT / "ai-gateway.json"
    config.write_text(json.dumps(gateway_config(smollm2, aimock), indent=2))
    flags: list[str | Path] = ["--port", str(servers.free_port()), "--data", data, "--config", config]
    env = environment(AIMOCK_KEY="unused")
    return servers.start("tollgate", [binary, "dev", *flags], OUTPUT, env=env, cwd=ROOT)


def run_case(client: str, case: Case, model: str, base_url: str, key: str) -> Iterator[dict[str, Any]]:
    command = [str(part) for part in CLIENTS[client]] + [case.scenario, model]
    env = environment(OPENAI_BASE_URL=f"{base_url}/v1", OPENAI_API_KEY=key)
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=CASE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        yield {"check": "the whole scenario", "ok": False, "error": f"not done after {CASE_SECONDS:.0f} s"}
        return
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    if done.returncode != 0:
        error = done.stderr.strip()[-2000:]
        yield {"check": "the whole scenario", "ok": False, "error": f"exit {done.returncode}: {error}"}


def audit(admin: Admin, key: str, case: Case, usages: list[dict[str, int]]) -> str | None:
    """Compares the key's recorded spend with what the SDK saw; returns what differs."""
    expected = {
        "requests": len(usages),
        "inputTokens": sum(usage["input"] for usage in usages),
        "outputTokens": sum(usage["output"] for usage in usages),
        "nanoUsd": sum(expected_cost(case.model, usage) for usage in usages),
    }
    # A settle that missed its deadline is finished from the queue, so the total may come a little later.
    for _ in range(25):
        found = admin.usage(key)
        if found == expected:
            return None if expected["nanoUsd"] > 0 else "the price of the model is 0: nothing is proved"
        time.sleep(0.2)
    return f"the ledger says {found}, the SDK's usage comes to {expected}"


def through_gateway(stack: ExitStack, binary: Path, tally: Tally) -> None:
    smollm2, aimock = (stack.enter_context(start(OUTPUT)) for start in (start_smollm2, start_aimock))
    gateway = stack.enter_context(start_gateway(binary, smollm2.url, aimock.url))
    admin = Admin(gateway.url, (OUTPUT / "data" / "admin-key").read_text().strip())
    for client in CLIENTS:
        for case in CASES:
            print(f"{client}: {case.scenario} through {case.model}", flush=True)
            try:
                exercise(admin, client, case, tally)
            except (RuntimeError, OSError, KeyError, ValueError) as error:
                tally.add(f"{client} {case.scenario} {case.model}: admin and usage", repr(error))


def exercise(admin: Admin, client: str, case: Case, tally: Tally) -> None:
    label = f"{client} {case.scenario} {case.model}"
    key = admin.create_key(f"{client} {case.scenario}", case.budget)
    usages = []
    for result in run_case(client, case, case.model, admin.url, key):
        tally.add(f"{label}: {result['check']}", result.get("error"))
        usages += [result["usage"]] if "usage" in result else []
    if case.audited:
        tally.add(f"{label}: the key's spend is the sum of tokens x price", audit(admin, key, case, usages))


def direct(stack: ExitStack, tally: Tally) -> None:
    urls = {
        "local": stack.enter_context(start_smollm2(OUTPUT)).url,
        "openai": stack.enter_context(start_aimock(OUTPUT)).url,
    }
    for client in CLIENTS:
        for case in CASES:
            url = urls.get(case.model.split("/", 1)[0])
            if url is None or case.budget == NOTHING:
                continue
            print(f"{client}: {case.scenario} straight to {case.model}", flush=True)
            for result in run_case(client, case, case.direct_model, url, "unused"):
                tally.add(f"{client} {case.scenario} {case.model}: {result['check']}", result.get("error"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gateway", type=Path, default=ROOT / "target" / "debug" / "tollgate")
    parser.add_argument("--direct", action="store_true")
    args = parser.parse_args()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    tally = Tally()
    with ExitStack() as stack:
        if args.direct:
            direct(stack, tally)
        else:
            through_gateway(stack, args.gateway.resolve(), tally)
    for name in tally.failed:
        print(f"failed: {name}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
