"""ministack as a server of its own, on a free loopback port, with IAM enforced."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from common import REGION, TOOLS, bare_environment, free_port, ready, running

ROOT_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True)
class Emulator:
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        return bare_environment(AWS_ENDPOINT_URL=self.url, **ROOT_KEYS)

    def client(self, service: str, key: str = "test", secret: str = "test") -> Any:
        settings = Config(connect_timeout=5, read_timeout=20, retries={"max_attempts": 1}, proxies={})
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION,
            aws_access_key_id=key, aws_secret_access_key=secret, config=settings,
        )


@contextlib.contextmanager
def emulator(work: Path) -> Iterator[Emulator]:
    port, log = free_port(), work / "ministack.log"
    settings = {
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "EDGE_PORT": str(port),
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": REGION,
        "LAMBDA_EXECUTOR": "local",
        # It leaves keys and unpacked functions behind, so both places are inside the run.
        "STATE_DIR": str(work),
        "TMPDIR": str(work),
        # Otherwise it also listens for MQTT on every interface.
        "IOT_MTLS_ENABLED": "0",
        # Handed on to the functions, as is everything else in its environment.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    command = [str(TOOLS / "ministack" / "bin" / "python"), str(Path(__file__).with_name("launcher.py"))]
    with running(command, log, bare_environment(**settings), cwd=work) as process:
        ready(process, port, log)
        yield Emulator(port, log)
