"""Mends one header of `cargo lambda watch`: its deadline is ten minutes after 1970, not after now.

A function that minds its deadline would give up at once. Bytes pass through unchanged and unbuffered otherwise.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

HEADER = b"lambda-runtime-deadline-ms: "
WRONG = HEADER + b"600000\r\n"


@contextlib.contextmanager
def mended_deadline(runtime_api: int) -> Iterator[int]:
    """Forwards to the Runtime API on that port, and gives the port to use in its place."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener, runtime_api), daemon=True).start()
        yield int(listener.getsockname()[1])


def accept(listener: socket.socket, runtime_api: int) -> None:
    # The listener is closed at the end of the block, which ends this loop.
    with contextlib.suppress(OSError):
        while True:
            function, _ = listener.accept()
            threading.Thread(target=connect, args=(function, runtime_api), daemon=True).start()


def connect(function: socket.socket, runtime_api: int) -> None:
    with function, socket.create_connection(("127.0.0.1", runtime_api)) as server:
        answers = threading.Thread(target=forward, args=(server, function, True), daemon=True)
        answers.start()
        forward(function, server, False)
        answers.join()


def forward(source: socket.socket, sink: socket.socket, is_answer: bool) -> None:
    sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(mend(piece) if is_answer else piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def mend(piece: bytes) -> bytes:
    in_ten_minutes = int((time.time() + 600) * 1000)
    return piece.replace(WRONG, HEADER + str(in_ten_minutes).encode() + b"\r\n")
