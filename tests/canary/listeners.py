"""Who else is told by the gateway: a receiver of OTLP, and the channels of its alerts, each of which fails at first."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

# Paths, each with how often it answers 500 before it takes anything.
TELEMETRY = {"/v1/traces": 2, "/v1/metrics": 2}
CHANNELS = {"/webhook": 2, "/pagerduty": 2}


class Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listeners

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = self.server.hear(self.path, repr(self.headers.items()).encode() + b"\n" + body + b"\n")
        # As some servers do, what fails repeats its address and what it was sent.
        said = self.path.encode() + b" " + body if status >= 400 else b""
        self.send_response(status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Listeners(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, slack: str) -> None:
        super().__init__(("127.0.0.1", 0), Listener)
        # The path of a channel of Slack is its secret.
        self.slack = f"/slack/{slack}"
        self.left = TELEMETRY | CHANNELS | {self.slack: 2}
        self.heard: dict[str, list[bytes]] = {path: [] for path in self.left}
        self.taken: set[str] = set()
        self.lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def hear(self, path: str, said: bytes) -> int:
        with self.lock:
            if path not in self.left:
                return 404
            self.heard[path].append(said)
            self.left[path] -= 1
            if self.left[path] < 0:
                self.taken.add(path)
            return 200 if path in self.taken else 500

    def alerts(self) -> dict[str, bytes]:
        """What each channel was told, by its name."""
        return {path.split("/")[1]: b"".join(self.heard[path]) for path in (*CHANNELS, self.slack)}

    def telemetry(self) -> bytes:
        return b"".join(said for path in TELEMETRY for said in self.heard[path])

    def wait(self, seconds: float) -> None:
        """Until each has taken something, or the time is over."""
        deadline = time.monotonic() + seconds
        while len(self.taken) < len(self.left) and time.monotonic() < deadline:
            time.sleep(0.1)
