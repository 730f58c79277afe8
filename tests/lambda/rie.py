"""A function's bootstrap under the official Runtime Interface Emulator."""

from __future__ import annotations

import contextlib
import json
import platform
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import BIN_DIR, TOOLS, Failure, free_port, ready, running

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def under_rie(function: str, env: dict[str, str], work: Path) -> Iterator[int]:
    """Runs the function for the length of the block and gives the port that takes its events."""
    port, log = free_port(), work / f"rie-{function}.log"
    # Asked for help, the emulator starts serving; so it is only ever given addresses and a program.
    command = [
        str(emulator_copy(work)), "--log-level", "error",
        "--runtime-api-address", f"127.0.0.1:{free_port()}",
        "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
        str(BIN_DIR / function),
    ]
    with running(command, log, env | {"AWS_LAMBDA_FUNCTION_NAME": function}, work) as process:
        ready(process, port, log)
        yield port


def invoke(port: int, payload: dict[str, Any]) -> bytes:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    request = urllib.request.Request(url, json.dumps(payload).encode(), method="POST")
    with NO_PROXY.open(request, timeout=30) as response:
        return bytes(response.read())


def emulator_copy(work: Path) -> Path:
    """The emulator lies in the wheel of the SAM CLI, without the executable bit."""
    copy = work / "aws-lambda-rie"
    if not copy.exists():
        machine = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
        found = list((TOOLS / "sam").glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
        if not found:
            raise Failure(f"no Runtime Interface Emulator under {TOOLS / 'sam'}: install tests/lambda/requirements-sam.txt")
        shutil.copy(found[0], copy)
        copy.chmod(0o755)
    return copy
