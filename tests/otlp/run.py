#!/usr/bin/env python3
"""Sends a streamed request with a fallback through `tollgate dev`, and reads what a real OTLP receiver got of it.

The receiver is rotel, which prints every span and metric that it takes. The provider is a small server that notes
the headers of its calls: its first model fails, its second answers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import servers

TOOLS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve()
TOLLGATE = Path(os.environ.get("TOLLGATE_BIN_DIR", ROOT / "target" / "debug")).resolve() / "tollgate"
LOGS = ROOT / "tests" / "output" / "otlp"

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
UNSAMPLED = "0bf7651916cd43dd8448eb211c80319c"
# In the prompt and in the answer.
CANARY = "heliotrope"
# Longer than anything is held back, by the gateway or the receiver.
SECONDS = 20.0
FAILED, ANSWERED = "up/bad", "up/good"


class Provider(BaseHTTPRequestHandler):
    calls: list[tuple[str, dict[str, str]]] = []
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.calls.append((body["model"], {name.lower(): value for name, value in self.headers.items()}))
        if body["model"] == "bad":
            self.answer(500, "application/json", json.dumps({"error": {"message": f"no {CANARY} today"}}))
            return
        chunk: dict[str, Any] = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "good-2026"}
        said = [{"index": 0, "delta": {"role": "assistant", "content": CANARY}, "finish_reason": None}]
        done = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        parts = [chunk | {"choices": said}, chunk | {"choices": done}, chunk | {"choices": [], "usage": usage}]
        events = [*(json.dumps(part) for part in parts), "[DONE]"]
        self.answer(200, "text/event-stream", "".join(f"data: {event}\n\n" for event in events))

    def answer(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass
class Check:
    passed: int = 0
    failed: list[str] = field(default_factory=list)

    def that(self, holds: bool, what: str) -> None:
        if holds:
            self.passed += 1
            print(f"  ok  {what}", flush=True)
        else:
            self.failed.append(what)
            print(f"FAIL  {what}", flush=True)


def receiver(port: int, grpc: int) -> subprocess.Popen[bytes]:
    (agent,) = TOOLS.glob("otlp/lib/python*/site-packages/rotel/rotel-agent")
    LOGS.mkdir(parents=True, exist_ok=True)
    addresses = ["--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}"]
    shown = ["--debug-log", "traces", "--debug-log", "metrics", "--debug-log-verbosity", "detailed"]
    command = [str(agent), "start", *addresses, "--exporter", "blackhole", *shown]
    with (LOGS / "rotel.log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)


def received() -> str:
    text = (LOGS / "rotel.log").read_text(errors="replace")
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def wait_for(wanted: str) -> str:
    deadline = time.monotonic() + SECONDS
    while wanted not in received() and time.monotonic() < deadline:
        time.sleep(0.1)
    return received()


def spans(text: str) -> list[dict[str, str]]:
    """Name, ids and attributes of each span that was printed."""
    found = []
    for block in re.split(r"\nSpan #\d+\n", text)[1:]:
        # What follows the last span of a batch is the next batch.
        block = re.split(r"^Resource", block, maxsplit=1, flags=re.MULTILINE)[0]
        plain = dict(re.findall(r"^ +(Trace ID|Parent ID|ID|Name|Kind) +: *(.*)$", block, re.MULTILINE))
        found.append(plain | dict(re.findall(r"^ +-> ([\w.]+): (.*)$", block, re.MULTILINE)))
    return found


def configuration(provider: str) -> dict[str, Any]:
    return {
        "providers": {"up": {"dialect": "openai", "base_url": f"{provider}/v1", "local": True}},
        "routing": {"primary": FAILED, "fallbacks": [ANSWERED]},
    }


def prices() -> dict[str, Any]:
    rates = {"input": 1_000_000, "output": 2_000_000}
    limits = {"context_window": 8_000, "max_output_tokens": 1_000, "reasoning": False}
    row = {"id": "up/*@2024-01-01", "model": "up/*", "valid_from": "2024-01-01", "unit": "usd_micro_per_mtok"}
    return {"version": 1, "prices": [row | rates | limits | {"source": "nominal", "checked": "2026-11-24"}]}


def call(url: str, token: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> str:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"} | (headers or {})
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def gateway(work: Path, provider: str, environment: dict[str, str]) -> servers.Server:
    (work / "config.json").write_text(json.dumps(configuration(provider)))
    (work / "prices.json").write_text(json.dumps(prices()))
    paths = ["--data", work / "data", "--config", work / "config.json", "--prices", work / "prices.json"]
    command: list[str | Path] = [TOLLGATE, "dev", "--port", "0", "--store", "memory", *paths]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return servers.start("tollgate", command, LOGS, env=clean | environment)


def ask(url: str, key: str, trace: str, flags: str) -> str:
    messages = [{"role": "user", "content": f"Say {CANARY} to {trace}"}]
    body = {"model": FAILED, "messages": messages, "stream": True, "max_tokens": 50}
    headers = {"traceparent": f"00-{trace}-{PARENT}-{flags}", "tracestate": "vendor=1"}
    return call(f"{url}/v1/chat/completions", key, body, headers)


def check_spans(check: Check, found: list[dict[str, str]]) -> None:
    mine = [span for span in found if span.get("Trace ID") == TRACE]
    named = {span["Name"]: span for span in mine}
    names = sorted(span["Name"] for span in mine)
    for name, times in {"auth": 1, "cache": 1, "reserve": 2, "settle": 2, "chat bad": 1, "chat good": 1}.items():
        check.that(names.count(name) == times, f"{times} span(s) {name!r} of {names}")
    whole = named.get("POST /v1/chat/completions", {})
    check.that(whole.get("Parent ID") == PARENT, "the request's span continues the caller's")
    others = [span for span in mine if span is not whole]
    check.that(all(span["Parent ID"] == whole.get("ID") for span in others), "every other span is a child of it")
    check.that(len({span["ID"] for span in mine}) == len(mine), "each span has its own id")
    answered = named.get("chat good", {})
    for attribute, value in {
        "gen_ai.operation.name": "Str(chat)",
        "gen_ai.provider.name": "Str(up)",
        "gen_ai.request.model": "Str(good)",
        "gen_ai.response.model": "Str(good-2026)",
        "gen_ai.usage.input_tokens": "Int(11)",
        "gen_ai.usage.output_tokens": "Int(7)",
    }.items():
        check.that(answered.get(attribute) == value, f"{attribute} is {value}, {answered.get(attribute)}")
    check.that("stop" in answered.get("gen_ai.response.finish_reasons", ""), "the finish reason is told")
    check.that(named.get("chat bad", {}).get("error.type") == "Str(500)", "the failed call says how it failed")
    told = {model: headers.get("traceparent") for model, headers in Provider.calls[:2]}
    for model in ("bad", "good"):
        wanted = f"00-{TRACE}-{named.get(f'chat {model}', {}).get('ID')}-01"
        check.that(told.get(model) == wanted, f"the provider of {model} was told of its span: {told.get(model)}")
    check.that(Provider.calls[0][1].get("tracestate") == "vendor=1", "the state of the caller goes on")


def check_lines(check: Check) -> None:
    lines = (LOGS / "tollgate.log").read_text().splitlines()
    events = [json.loads(line) for line in lines if line.startswith('{"_aws"')]
    check.that(len(events) == 2, f"one EMF line a request: {len(events)}")
    for event in events:
        declared = [metric["Name"] for part in event["_aws"]["CloudWatchMetrics"] for metric in part["Metrics"]]
        check.that(all(name in event for name in declared), f"every declared metric has its value: {declared}")
    check.that(events[0]["trace_id"] == TRACE, "the line names its trace")
    for log in ("tollgate.log", "rotel.log"):
        check.that(CANARY not in (LOGS / log).read_text(errors="replace"), f"no word of prompt or answer in {log}")


def check_outage(check: Check, url: str, key: str, agent: subprocess.Popen[bytes]) -> None:
    agent.terminate()
    agent.wait(10)
    began = time.monotonic()
    answer = ask(url, key, "0cf7651916cd43dd8448eb211c80319c", "01")
    took = time.monotonic() - began
    check.that("[DONE]" in answer and took < 5, f"without a receiver a request is answered all the same, in {took:.2f} s")


def main() -> int:
    check = Check()
    provider = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=provider.serve_forever, daemon=True).start()
    port = servers.free_port()
    agent = receiver(port, servers.free_port())
    try:
        wait_for("Starting Rotel")
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "TOLLGATE_EMF": "1"}
        environment |= {"OTEL_SERVICE_NAME": "gateway-under-test"}
        with tempfile.TemporaryDirectory() as work:
            address = f"http://127.0.0.1:{provider.server_address[1]}"
            with gateway(Path(work), address, environment) as server:
                admin = (Path(work) / "data" / "admin-key").read_text().strip()
                made = json.loads(call(f"{server.url}/admin/keys", admin, {"name": "otlp", "budgetUsd": "1"}))
                check.that("[DONE]" in ask(server.url, made["key"], TRACE, "01"), "the stream is complete")
                ask(server.url, made["key"], UNSAMPLED, "00")
                text = wait_for("gen_ai.client.token.usage")
                text = wait_for("POST /v1/chat/completions")
                check.that("service.name: Str(gateway-under-test)" in text, "the resource is named")
                check_spans(check, spans(text))
                check.that(UNSAMPLED not in text, "what the caller does not sample is not exported")
                carried = Provider.calls[2][1].get("traceparent")
                check.that(carried == f"00-{UNSAMPLED}-{PARENT}-00", f"and goes on as it came: {carried}")
                for metric in ("llm.request.duration", "gen_ai.client.operation.duration", "gen_ai.client.token.usage"):
                    check.that(metric in text, f"metric {metric}")
                check_lines(check)
                check_outage(check, server.url, made["key"], agent)
    finally:
        if agent.poll() is None:
            agent.kill()
        agent.wait()
        provider.shutdown()
    print(f"otlp: {check.passed} passed, {len(check.failed)} failed", flush=True)
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
