"""A Lambda Runtime API that never has an event, and an AWS that answers every call alike."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

NEXT = "/2018-06-01/runtime/invocation/next"


class Fake:
    """A server on a free port of the loopback, in threads of this process."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.authority = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.authority}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass


class FakeRuntime(Fake):
    """Notes when a function asks for its first event and leaves it waiting, as Lambda would."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.asked_at = 0.0
        runtime = self

        class Handler(Quiet):
            def do_GET(self) -> None:
                if self.path == NEXT:
                    runtime.asked_at = time.perf_counter()
                    runtime.asked.set()
                    # Holds the connection until the function is ended.
                    self.rfile.read(1)
                self.close_connection = True

        super().__init__(Handler)


class FakeAws(Fake):
    """Answers as Secrets Manager would, and any HEAD with nothing; counts the calls."""

    def __init__(self) -> None:
        self.calls = 0
        aws = self

        class Handler(Quiet):
            def do_HEAD(self) -> None:
                aws.calls += 1
                self.send_response(204)
                self.end_headers()

            def do_POST(self) -> None:
                aws.calls += 1
                self.rfile.read(int(self.headers.get("content-length", "0")))
                body = json.dumps({"SecretString": "bench-secret"}).encode()
                self.send_response(200)
                self.send_header("content-type", "application/x-amz-json-1.1")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(Handler)
