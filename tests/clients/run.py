#!/usr/bin/env python3
"""Runs the stock client libraries, Python and Node, through a real `tollgate dev`.

    run.py [--gateway FILE] [WORD...]     through the gateway
    run.py --direct [WORD...]             straight against the upstreams, which proves the client scripts themselves

With words, only the cases run whose label, `CLIENT MODEL SCENARIO...`, has one of them.

Upstreams: SmolLM2, a real model served by llama.cpp over OpenAI's and Anthropic's dialect; aimock, a scripted server
for these and Amazon Bedrock's; and the gateway's own demo provider. What a key has spent is compared, to the
nano-dollar, with the usage the SDKs got.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
from cases import Case, cases

CASE_SECONDS = 120.0
# A second process works while the first one waits for an answer, or starts.
PARALLEL = 2

Result = tuple[str, str | None]


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
            # Some libraries list everything that their schemas would have allowed.
            print(f"  FAIL  {name}: {shorten(error)}", flush=True)


def shorten(text: str, most: int = 1000) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def environment(**more: str) -> dict[str, str]:
    # Nothing of the developer's own provider keys or gateway settings may reach a test.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return kept | more


def client_environment(url: str, key: str, client: str) -> dict[str, str]:
    """The settings that the libraries read themselves; the AI SDK alone wants Anthropic's base URL with its version."""
    version = "/v1" if client.startswith("ai_") else ""
    return environment(
        OPENAI_BASE_URL=f"{url}/v1",
        OPENAI_API_KEY=key,
        ANTHROPIC_BASE_URL=url + version,
        ANTHROPIC_API_KEY=key,
        # Tables and tokenizers come from the packages: nothing is fetched.
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        TIKTOKEN_CACHE_DIR=str(next(TOOLS.glob("litellm/lib/*/site-packages/litellm/litellm_core_utils/tokenizers"))),
    )


def command(case: Case, model: str) -> list[str]:
    script = HERE / "scenarios" / case.client
    venv = TOOLS / ("litellm" if script.stem == "litellm_sdk" else "clients")
    interpreter = "node" if script.suffix == ".mjs" else venv / "bin" / "python"
    return [str(interpreter), str(script), model, *case.scenarios]


def start_smollm2(logs: Path) -> servers.Server:
    model = TOOLS / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    flags: list[str | Path] = ["--model", model, "--template", HERE / "smollm2.jinja", "--embeddings"]
    return servers.start("smollm2", [TOOLS / "model" / "bin" / "python", HERE / "smollm2.py", *flags], logs)


def start_aimock(logs: Path) -> servers.Server:
    flags: list[str | Path] = ["-p", "0", "-h", "127.0.0.1", "-f", HERE / "aimock.json", "--validate-on-load"]
    return servers.start("aimock", [HERE / "node_modules" / ".bin" / "llmock", *flags], logs)


def gateway_config(smollm2: str, aimock: str, used: set[str]) -> dict[str, Any]:
    def provider(dialect: str, base_url: str, **more: Any) -> dict[str, Any]:
        return {"dialect": dialect, "base_url": base_url, "local": True, **more}

    providers = {
        "local": provider("openai", f"{smollm2}/v1", models={"smollm2-embed": "smollm2"}),
        "local-messages": provider("anthropic", f"{smollm2}/v1", secret="env:UPSTREAM_KEY"),
        "openai": provider("openai", f"{aimock}/v1", secret="env:UPSTREAM_KEY"),
        "anthropic": provider("anthropic", f"{aimock}/v1", secret="env:UPSTREAM_KEY"),
        "bedrock": provider("bedrock", aimock, region="us-east-1"),
    }
    return {
        "gateway": {"timeout_ms": 30000},
        "providers": {name: settings for name, settings in providers.items() if name in used | {"local"}},
        # A model this small fails at times; what asks it next must not find its circuit open.
        "routing": {"primary": "local/smollm2", "fallbacks": [], "circuit_breaker": {"threshold": 1000}},
    }


def start_gateway(binary: Path, config: dict[str, Any]) -> servers.Server:
    data, path = OUTPUT / "data", OUTPUT / "ai-gateway.json"
    path.write_text(json.dumps(config, indent=2))
    flags: list[str | Path] = ["--port", str(servers.free_port()), "--data", data, "--config", path]
    env = environment(UPSTREAM_KEY="unused", AWS_ACCESS_KEY_ID="unused", AWS_SECRET_ACCESS_KEY="unused")
    return servers.start("tollgate", [binary, "dev", *flags], OUTPUT, env=env, cwd=ROOT)


def run_case(case: Case, model: str, url: str, key: str) -> Iterator[dict[str, Any]]:
    env = client_environment(url, key, case.client)
    try:
        done = subprocess.run(
            command(case, model), env=env, capture_output=True, text=True, timeout=CASE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        yield {"check": "the whole case", "error": f"not done after {CASE_SECONDS:.0f} s", "usages": []}
        return
    yield from (json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"check"'))
    if done.returncode != 0:
        error = done.stderr.strip()[-2000:]
        yield {"check": "the whole case", "error": f"exit {done.returncode}: {error}", "usages": []}


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


def through_gateway(admin: Admin, case: Case) -> list[Result]:
    results: list[Result] = []
    try:
        key = admin.create_key(case.client, case.budget)
        usages = []
        for result in run_case(case, case.model, admin.url, key):
            results.append((result["check"], result.get("error")))
            usages += result["usages"]
        if case.audited:
            results.append(("the key's spend is the sum of tokens x price", audit(admin, key, case, usages)))
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        results.append(("admin and usage", repr(error)))
    return results


def straight(urls: dict[str, str], case: Case) -> list[Result]:
    found = run_case(case, case.direct_model, urls[case.provider], "unused")
    return [(result["check"], result.get("error")) for result in found]


def work_through(chosen: list[Case], exercise: Callable[[Case], list[Result]], tally: Tally) -> None:
    def timed(case: Case) -> tuple[list[Result], float]:
        started = time.monotonic()
        return exercise(case), time.monotonic() - started

    with ThreadPoolExecutor(PARALLEL) as pool:
        for case, (results, seconds) in zip(chosen, pool.map(timed, chosen), strict=True):
            print(f"{case.client} asks for {case.model} ({seconds:.1f} s)", flush=True)
            for check, error in results:
                tally.add(f"{case.client} {case.model} {check}", error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gateway", type=Path, default=ROOT / "target" / "debug" / "tollgate")
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("words", nargs="*", metavar="WORD", help="part of the label of a case to run")
    args = parser.parse_args()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    tally = Tally()
    chosen = [case for case in cases() if not args.words or any(word in case.label for word in args.words)]
    with ExitStack() as stack:
        smollm2, aimock = (stack.enter_context(start(OUTPUT)).url for start in (start_smollm2, start_aimock))
        if args.direct:
            urls = dict.fromkeys(("local", "local-messages"), smollm2)
            urls |= dict.fromkeys(("openai", "anthropic", "bedrock"), aimock)
            chosen = [case for case in chosen if case.direct and case.provider in urls]
            work_through(chosen, lambda case: straight(urls, case), tally)
        else:
            config = gateway_config(smollm2, aimock, {case.provider for case in chosen})
            gateway = stack.enter_context(start_gateway(args.gateway.resolve(), config))
            admin = Admin(gateway.url, (OUTPUT / "data" / "admin-key").read_text().strip())
            work_through(chosen, lambda case: through_gateway(admin, case), tally)
    for name in tally.failed:
        print(f"failed: {name}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
