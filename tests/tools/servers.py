"""Starts a server as a child process, waits for the URL it announces, and ends it by its own id."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

# The line by which the servers used here say where they listen.
ANNOUNCED = re.compile(r"(?:^|\s)(?:ready|listening on) (http://[\w.]+:\d+)")


class ServerError(RuntimeError):
    """The server ended, or stayed silent, before it announced its URL."""


@dataclass
class Server:
    name: str
    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def stop(self, seconds: float = 10.0) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    name: str,
    command: Sequence[str | Path],
    logs: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    seconds: float = 60.0,
) -> Server:
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            # Its own group: an interactive Ctrl-C is passed on by us, in order.
            start_new_session=True,
        )
    server = Server(name, process, "", log)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := ANNOUNCED.search(log.read_text(errors="replace")):
            server.url = found.group(1)
            return server
        if process.poll() is not None:
            break
        time.sleep(0.05)
    code = server.stop()
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise ServerError(f"{name} announced no URL (exit {code}); the end of {log}:\n{tail}")
