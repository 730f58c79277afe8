#!/usr/bin/env python3
"""What `make dev` runs: builds the tollgate command, reads .env, and starts `tollgate dev` on localhost:3000.

    dev.py [--model smollm2] [--port 3000] [--data .tollgate]

With a model, a real one is served beside it and the gateway's configuration points at it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import servers
import setup

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("smollm2",)
# What the model was trained on, and what config/prices.json says of it.
CONTEXT_TOKENS = 8192


def dotenv(path: Path) -> dict[str, str]:
    """Reads NAME=VALUE lines; `export` and surrounding quotes are allowed, and nothing is expanded."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not separator or not name.strip().isidentifier():
            sys.exit(f"{path.name}:{number}: expected NAME=VALUE")
        value = value.strip()
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        found[name.strip()] = value
    # An empty value is a line left blank in the example, not a wish to unset.
    return {name: value for name, value in found.items() if value}


def environment() -> dict[str, str]:
    path = ROOT / ".env"
    # What the shell sets wins over the file.
    return (dotenv(path) if path.exists() else {}) | os.environ


def build() -> Path:
    if not shutil.which("cargo"):
        sys.exit("cargo is missing: install Rust with rustup; rust-toolchain.toml names the version")
    subprocess.run(["cargo", "build", "--locked", "--package", "local"], cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "debug" / "tollgate"


def serve_model(stack: ExitStack, data: Path) -> str:
    setup.ensure("model")
    python = setup.TOOLS / "model" / "bin" / "python"
    script = ROOT / "tests" / "clients" / "smollm2.py"
    command = [python, script, "--model", setup.MODEL_PATH, "--context", str(CONTEXT_TOKENS)]
    server = servers.start("smollm2", command, data / "logs")
    print(f"smollm2 serves at {server.url} (log: {server.log})", flush=True)
    return stack.enter_context(server).url


def model_config(url: str, data: Path) -> Path:
    """The operator's configuration with the model as its primary and no fallbacks."""
    config = json.loads((ROOT / "config" / "ai-gateway.json").read_text())
    config.setdefault("providers", {})["local"] = {"dialect": "openai", "base_url": f"{url}/v1", "local": True}
    config.setdefault("routing", {}).update(primary="local/smollm2", fallbacks=[])
    # A laptop's core reads a long prompt slowly; the configured limit is meant for hosted models.
    config.setdefault("gateway", {})["timeout_ms"] = 60000
    path = data / "ai-gateway.smollm2.json"
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path


def serve(command: list[str], env: dict[str, str]) -> int:
    """Runs the gateway in the foreground, passing Ctrl-C and TERM on, so that it drains before the model ends."""
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True)
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, lambda number, _frame: process.send_signal(number))
    return process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=MODELS)
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--data", type=Path, default=ROOT / ".tollgate")
    args = parser.parse_args()
    setup.ensure("laptop")
    setup.ensure("embedder")
    setup.ensure("charts")
    args.data.mkdir(parents=True, exist_ok=True)
    # So that TERM during set-up also leaves through the block below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        command = [str(build()), "dev", "--port", str(args.port), "--data", str(args.data)]
        if args.model:
            command += ["--config", str(model_config(serve_model(stack, args.data), args.data))]
        return serve(command, environment())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except servers.ServerError as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit(130)
