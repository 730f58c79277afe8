"""Paths, processes and bounded waits shared by the Lambda tests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template.yaml"
STORES = ROOT / "infra" / "stores.yaml"
MONITORING = ROOT / "infra" / "monitoring.yaml"
ROLES = ROOT / "infra" / "roles.yaml"
NETWORK = ROOT / "infra" / "network.yaml"
EVENTS = ROOT / "events"
TOOLS = Path(os.environ.get("TOLLGATE_TOOLS", ROOT / ".tools")).resolve()
BIN_DIR = Path(os.environ.get("TOLLGATE_BIN_DIR", ROOT / "target" / "debug")).resolve()
FUNCTIONS = ("chat", "usage", "admin", "cache", "indexer", "alerts")
REGION = "us-east-1"

T = TypeVar("T")


class Failure(Exception):
    """A check did not hold; the message says which."""


def check(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)


def sam_tool(name: str) -> str:
    return str(TOOLS / "sam" / "bin" / name)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(what: str, probe: Callable[[], T | None], seconds: float = 30) -> T:
    """Calls `probe` until it answers something true, and fails with its name once the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := probe():
            return result
        time.sleep(0.05)
    raise Failure(f"{what}: not within {seconds:.0f} s")


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def bare_environment(**extra: str) -> dict[str, str]:
    """An environment without the credentials, proxies and regions of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return kept | {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "SAM_CLI_TELEMETRY": "0"} | extra


@contextlib.contextmanager
def running(command: list[str], log: Path, env: dict[str, str], cwd: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Runs a server for the length of the block, then ends it and every process that it started itself."""
    check(Path(command[0]).exists(), f"{command[0]} does not exist: build it or install its tool first")
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=env, cwd=cwd, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
            # What it started may have outlived it; the group is ours, so ending it again is safe.
            if number == signal.SIGTERM:
                continue
            return


def ready(process: subprocess.Popen[bytes], port: int, log: Path, seconds: float = 60) -> None:
    """Waits until the server listens, and shows the end of its log when it dies instead."""

    def probe() -> bool:
        check(process.poll() is None, f"{log.stem} ended with {process.returncode}:\n{tail(log)}")
        return accepts(port)

    wait_for(f"{log.stem} on port {port}", probe, seconds)


def tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def stage(text: str) -> None:
    print(f"== {text}", flush=True)


def passed(text: str) -> None:
    print(f"   ok  {text}", flush=True)
